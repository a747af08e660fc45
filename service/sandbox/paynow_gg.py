"""PayNow.gg: checkouts by its management API here, the rest of what a broker calls in the package `paynow`."""

import secrets
from http import HTTPStatus

from litestar import Controller, Response, post

from service.sandbox.bodies import PlainRequest, response
from service.sandbox.documents import Document, encoded
from service.sandbox.paynow.access import MANAGED
from service.sandbox.paynow.account import PayNowDependency
from service.sandbox.paynow.control import PayNowControl
from service.sandbox.paynow.creation import create, created
from service.sandbox.paynow.customer_routes import CustomerRoutes
from service.sandbox.paynow.lies import LIES
from service.sandbox.paynow.management import ManagementRequest
from service.sandbox.paynow.order_routes import OrderRoutes
from service.sandbox.paynow.pages import HostedPages, hosted_url
from service.sandbox.paynow.reading import body_of
from service.sandbox.paynow.storefront_routes import CustomerSignIn, StorefrontCheckouts
from service.sandbox.paynow.webhook_routes import WebhookRoutes
from service.sandbox.provider import Answer, ProviderSandbox
from service.sandbox.refusal import FieldError, RefusalError
from service.sandbox.world import World

# What a fault may ask for as its shape: both ways to write a path are documented, and a body may be missing.
PATH_LIST, NO_BODY = "path_list", "no_body"


class ManagementCheckouts(Controller):
    path = "/v1/stores/{store_id:str}/checkouts"
    dependencies = MANAGED

    @post(status_code=HTTPStatus.OK)
    async def create(self, request: PlainRequest, paynow: PayNowDependency) -> Response[bytes]:
        wanted = await body_of(request, ManagementRequest)
        return response(created(create(paynow, wanted, hosted_url(request, paynow))))


def refused(_: World, refusal: RefusalError) -> Answer:
    if refusal.shape == NO_BODY:
        return Answer(refusal.status, b"")
    document = {
        "status": refusal.status.value,
        "code": code_of(refusal.status),
        "message": refusal.message,
        "trace_id": secrets.token_hex(16),
        "errors": [error_document(error, refusal.shape) for error in refusal.errors],
    }
    return Answer(refusal.status, encoded(document))


def code_of(status: HTTPStatus) -> str:
    return status.phrase.lower().replace(" ", "-")


def error_document(error: FieldError, shape: str) -> Document:
    return {
        "code": error.error_code,
        "message": error.message,
        "path": error.field.split(".") if shape == PATH_LIST else error.field,
        "validation": "invalid",
    }


SANDBOX = ProviderSandbox(
    name="paynow_gg",
    api_prefixes=("/v1/",),
    handlers=(
        ManagementCheckouts,
        CustomerRoutes,
        OrderRoutes,
        WebhookRoutes,
        StorefrontCheckouts,
        CustomerSignIn,
        HostedPages,
        PayNowControl,
    ),
    refused=refused,
    lies=LIES,
)
