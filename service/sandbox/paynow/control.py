"""The hand on the played PayNow: settings, checkouts, payments without a browser, webhooks."""

from http import HTTPStatus

from litestar import Controller, Response, get, post, put
from litestar.params import FromPath
from msgspec import structs

from service.sandbox.bodies import PlainRequest, body_as, response
from service.sandbox.clock import iso_milliseconds
from service.sandbox.documents import Document
from service.sandbox.paynow.account import DEPENDENCIES, PayNowDependency
from service.sandbox.paynow.checkouts import Checkout
from service.sandbox.paynow.creation import created
from service.sandbox.paynow.orders import order_document
from service.sandbox.paynow.payments import Payment, pay
from service.sandbox.paynow.sender import Delivery, deliver, send_if_automatic
from service.sandbox.paynow.settings import PayNowSettings, WebhookTarget


class PayNowControl(Controller):
    path = "/_sandbox/paynow"
    dependencies = DEPENDENCIES

    @get("/settings")
    async def settings(self, paynow: PayNowDependency) -> Response[bytes]:
        return response(paynow.settings)

    @put("/settings")
    async def set_settings(self, request: PlainRequest, paynow: PayNowDependency) -> Response[bytes]:
        paynow.settings = await body_as(request, PayNowSettings)
        return response(paynow.settings)

    @get("/checkouts")
    async def checkouts(self, paynow: PayNowDependency) -> Response[bytes]:
        return response([shown(checkout) for checkout in paynow.checkouts.values()])

    @post("/checkouts/{checkout_id:str}/pay", status_code=HTTPStatus.OK)
    async def pay(self, checkout_id: FromPath[str], request: PlainRequest, paynow: PayNowDependency) -> Response[bytes]:
        payment = await body_as(request, Payment)
        order, events = pay(paynow, paynow.checkout(checkout_id), payment)
        receipts = await send_if_automatic(paynow, events) if payment.send else []
        return response({"order": order_document(order), "events": events, "deliveries": receipts})

    @get("/events")
    async def events(self, paynow: PayNowDependency) -> Response[bytes]:
        return response(paynow.events)

    @get("/webhooks/subscriptions")
    async def subscriptions(self, paynow: PayNowDependency) -> Response[bytes]:
        return response(list(paynow.subscriptions.values()))

    @put("/webhooks/target")
    async def set_target(self, request: PlainRequest, paynow: PayNowDependency) -> Response[bytes]:
        target = await body_as(request, WebhookTarget)
        paynow.settings = structs.replace(paynow.settings, webhook=target)
        return response(target)

    @post("/webhooks/deliveries", status_code=HTTPStatus.OK)
    async def deliver(self, request: PlainRequest, paynow: PayNowDependency) -> Response[bytes]:
        return response(await deliver(paynow, await body_as(request, Delivery)))


def shown(checkout: Checkout) -> Document:
    """With what the API never tells: the request as it was understood, and whose it is."""
    return {
        **created(checkout),
        "created": iso_milliseconds(checkout.created),
        "request": checkout.request,
        "discountPercent": checkout.discount_percent,
        "affiliateCode": checkout.affiliate_code,
        "ip": checkout.ip,
        "country": checkout.country,
    }
