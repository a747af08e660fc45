"""What a browser may ask: a checkout, and what became of it."""

from http import HTTPStatus

import msgspec
from litestar import Router, get, post
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from service.api import asker, spec
from service.api.access import note
from service.api.answers import checkout_answer, json_answer
from service.api.asked import Asked, headers_of
from service.api.body import read_json_body
from service.api.runtime import AppRequest, Runtime, runtime_of
from service.api.schemas import BrowserOrder, BrowserRequest, BrowserSession
from service.checkout.decoding import decode
from service.checkout.errors import (
    FieldError,
    OriginNotAllowedError,
    RestrictedFieldError,
    UnknownCheckoutError,
    UnknownSessionError,
)
from service.storefront import asset

CHECKOUT = "/checkout"
_decoder = msgspec.json.Decoder(BrowserRequest)


@post(CHECKOUT, **spec.CREATE)
async def create_checkout(request: AppRequest) -> ASGIResponse:
    """Create a session for a buyer, or hand out the present one.

    The same buyer (`Buyer-Key`) with the same request gets the same session until shortly before it expires.
    """
    return await answer_checkout(request)


async def answer_checkout(asked: Asked) -> ASGIResponse:
    """The answer to one, by whichever way it came."""
    runtime = runtime_of(asked)
    body = await read_json_body(asked)
    origin = check_origin(asked, runtime)
    browser_request = decode(_decoder, body)
    note(asked, checkout=_known_checkout(runtime, browser_request.checkout, origin))
    order_request = browser_request.to_order_request()
    settings = runtime.service.checkout(order_request.checkout).settings
    _refuse_restricted([*browser_request.restricted_fields(), *settings.refused_from_browsers(order_request)])
    buyer, key = asker.browser(asked, runtime), asker.idempotency_key(asked)
    outcome = await runtime.service.create(order_request, buyer, key)
    return checkout_answer(asked, outcome, browser_request.language)


@get("/checkout/{reference:str}", **spec.READ)
async def read_checkout(request: AppRequest, reference: FromPath[str]) -> ASGIResponse:
    """What became of a session, for the browser that made it (the same `Buyer-Key`)."""
    runtime = runtime_of(request)
    origin = check_origin(request, runtime)
    key = headers_of(request.scope).only(b"buyer-key")
    session = await runtime.sessions.find_for_browser(reference, key or "")
    if origin is not None and origin not in runtime.origins_of.get(session.checkout, ()):
        raise UnknownSessionError
    order = BrowserOrder(id=session.order.id, reference=session.order.reference) if session.order else None
    state = session.browser_state_at(runtime.clock())
    return json_answer(
        BrowserSession(reference=reference, state=state, order=order, return_url=session.return_url), HTTPStatus.OK
    )


@get("/checkout.js", media_type="text/javascript", **spec.CLIENT)
async def client_script() -> ASGIResponse:
    """The storefront client: `Checkout.open({items: [...]})`."""
    headers = {"Cache-Control": "public, max-age=300", "Cross-Origin-Resource-Policy": "cross-origin"}
    return ASGIResponse(body=asset("checkout.js"), media_type="text/javascript", headers=headers)


def check_origin(asked: Asked, runtime: Runtime) -> str | None:
    """The page's origin, when it is one that any checkout lists.

    Raises:
        OriginNotAllowedError: a foreign or `null` origin, or none where the browser says cross-site; or two of either.
    """
    headers = headers_of(asked.scope)
    origins = headers.all(b"origin")
    if origins:
        is_foreign = len(origins) > 1 or origins[0] not in runtime.origins
    else:
        sites = headers.all(b"sec-fetch-site")
        is_foreign = len(sites) > 1 or sites == ["cross-site"]
    if is_foreign:
        raise OriginNotAllowedError("This site is not on the list of any checkout.")
    return origins[0] if origins else None


def _known_checkout(runtime: Runtime, name: str, origin: str | None) -> str:
    """The name of a checkout that this origin may use; one that it may not use does not exist for it."""
    origins = runtime.origins_of.get(name)
    if origins is None or (origin is not None and origin not in origins):
        raise UnknownCheckoutError
    return name


def _refuse_restricted(fields: list[str]) -> None:
    if fields:
        detail = "Only servers may set this: leave it out, or use POST /internal/checkout."
        errors = tuple(FieldError(field=field, detail=detail) for field in fields)
        raise RestrictedFieldError("A field that only servers may set was sent by a browser.", errors=errors)


storefront = Router("/", route_handlers=[create_checkout, read_checkout, client_script], tags=["Storefront"])
