"""Webhook subscriptions for the store's own server."""

from http import HTTPStatus

from litestar import Controller, Response, patch, post
from litestar.params import FromPath
from msgspec import structs

from service.sandbox.bodies import PlainRequest, response
from service.sandbox.paynow.access import MANAGED
from service.sandbox.paynow.account import PayNowDependency, keep
from service.sandbox.paynow.reading import body_of
from service.sandbox.paynow.subscriptions import Subscription, SubscriptionChange, SubscriptionRequest, new_secret
from service.sandbox.refusal import RefusalError


class WebhookRoutes(Controller):
    path = "/v1/stores/{store_id:str}/webhooks"
    dependencies = MANAGED

    @post(status_code=HTTPStatus.OK)
    async def subscribe(self, request: PlainRequest, paynow: PayNowDependency) -> Response[bytes]:
        wanted = await body_of(request, SubscriptionRequest)
        new = Subscription(id=paynow.new_id(), secret=new_secret(), **structs.asdict(wanted))
        return response(keep(paynow.subscriptions, new.id, new))

    @patch("/{webhook_id:str}")
    async def change(
        self, webhook_id: FromPath[str], request: PlainRequest, paynow: PayNowDependency
    ) -> Response[bytes]:
        change = await body_of(request, SubscriptionChange)
        present = paynow.subscriptions.get(webhook_id)
        if present is None:
            raise RefusalError(HTTPStatus.NOT_FOUND, "Webhook not found")
        secret = new_secret() if change.reset_secret else present.secret
        changed = structs.replace(present, url=change.url, subscribed_to=change.subscribed_to, secret=secret)
        return response(keep(paynow.subscriptions, webhook_id, changed))
