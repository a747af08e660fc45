"""FastSpring's legacy session API: `POST /sessions`, for the seller alone, with its three shapes of error."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from http import HTTPStatus

from litestar import Controller, Response, post
from msgspec import UNSET

from service.sandbox.access import is_seller, require_user_agent
from service.sandbox.bodies import PlainRequest, response
from service.sandbox.clock import epoch_milliseconds
from service.sandbox.documents import Document, decimal_of, drop, encoded, put, read
from service.sandbox.fastspring.account import DEPENDENCIES, FastSpring, FastSpringDependency
from service.sandbox.fastspring.legacy import ACCOUNT_UNKNOWN, LegacyRequest, legacy_request, translated
from service.sandbox.fastspring.sessions import CheckoutSession, short_id
from service.sandbox.fastspring.visit import body_of
from service.sandbox.provider import Answer, Lie, ProviderSandbox
from service.sandbox.refusal import RefusalError
from service.sandbox.world import World

STORE = "legacy"
NAMES = {"productPath": "product", "customer.billToContact.email": "contact.email"}


class LegacySessions(Controller):
    path = "/sessions"
    dependencies = DEPENDENCIES

    @post(status_code=HTTPStatus.OK)
    async def create(self, request: PlainRequest, fastspring: FastSpringDependency) -> Response[bytes]:
        require_user_agent(request.headers)
        if not is_seller(request.headers, fastspring.world.credentials):
            raise RefusalError(HTTPStatus.UNAUTHORIZED, "Authentication is required")
        wanted = legacy_request(await body_of(request))
        base_url = fastspring.world.public_url or str(request.base_url).rstrip("/")
        session = fastspring.create(
            translated(wanted, registered_country(fastspring, wanted)),
            store=STORE,
            checkout="sessions",
            url_of=lambda session_id: f"{base_url}/session/{session_id}",
            new_id=short_id(),
            lifetime=timedelta(days=wanted.expiration),
        )
        return response(shown(session))


def registered_country(fastspring: FastSpring, wanted: LegacyRequest) -> str | None:
    """An account that is named must exist; one that a contact's e-mail finds keeps its country."""
    if wanted.account is not UNSET:
        if wanted.account not in fastspring.country_by_account:
            raise RefusalError(HTTPStatus.BAD_REQUEST, ACCOUNT_UNKNOWN, shape="object")
        return fastspring.country_by_account[wanted.account]
    email = wanted.contact.email if wanted.contact else UNSET
    known = fastspring.account_by_email.get("" if email is UNSET else email, "")
    return fastspring.country_by_account.get(known)


def shown(session: CheckoutSession) -> Document:
    items = session.request.cart.line_items
    return {
        "id": session.id,
        "currency": session.applied.currency,
        "expires": epoch_milliseconds(session.expires),
        "order": None,
        "account": session.account,
        "subtotal": session.cart.net_total,
        "items": [{"product": item.product_path, "quantity": item.quantity} for item in items],
    }


def refused(_: World, refusal: RefusalError) -> Answer:
    """Where nothing asks for a shape, the one that was recorded from the real API is used."""
    shape = refusal.shape or ("in_200" if refusal.message == "Product not found" else "message")
    status = HTTPStatus.OK if shape == "in_200" else refusal.status
    return Answer(status, encoded(SHAPES[shape](refusal)))


def error_object(refusal: RefusalError) -> Document:
    field, *_ = fields_of(refusal) or ["account"]
    return {"action": "session.create", "result": "error", "error": {field: refusal.message}}


def error_message(refusal: RefusalError) -> Document:
    return {"message": refusal.message, "params": fields_of(refusal)}


def fields_of(refusal: RefusalError) -> list[str]:
    """What is found at fault while pricing, or asked for as a fault, has the names of v2."""
    return [NAMES.get(error.field, error.field) for error in refusal.errors]


SHAPES: Mapping[str, Callable[[RefusalError], Document]] = {
    "object": error_object,
    "in_200": error_object,
    "message": error_message,
}

LIES: Mapping[str, Lie] = {
    "missing_id": lambda document, _: drop(document, "id"),
    "hostile_id": lambda document, _: put(document, "id", "b3Jk\r\nSet-Cookie: stolen=1"),
    "wrong_types": lambda document, _: put(document, "id", 17),
    "wrong_quantity": lambda document, _: put(
        document, "items.0.quantity", decimal_of(read(document, "items.0.quantity")) + 1
    ),
    "missing_item": lambda document, _: put(document, "items", []),
    "wrong_product": lambda document, _: put(document, "items.0.product", "something-else"),
    "wrong_total": lambda document, _: put(document, "subtotal", decimal_of(read(document, "subtotal")) + 1),
    "wrong_currency": lambda document, _: put(document, "currency", "GBP" if document["currency"] != "GBP" else "USD"),
    "expired": lambda document, _: put(document, "expires", 1_577_836_800_000),
    "concluded": lambda document, _: put(document, "order", "b3JkZXItaWQtMjItY2hhcnM"),
}

SANDBOX = ProviderSandbox(
    name="fastspring_v1",
    api_prefixes=("/sessions",),
    handlers=(LegacySessions,),
    refused=refused,
    lies=LIES,
)
