"""What callers may do with a session after it was made."""

from http import HTTPStatus
from typing import TypeVar

import msgspec
from litestar import Router, delete, get, post, put
from litestar.params import FromPath
from litestar.response.base import ASGIResponse
from msgspec import Struct
from msgspec.structs import replace

from service.api import asker, spec
from service.api.access import note
from service.api.answers import json_answer
from service.api.body import read_json_body
from service.api.callers import Caller
from service.api.runtime import AppRequest, Runtime, runtime_of
from service.api.schemas import ItemReplacement, Record, ReplacementRequest
from service.api.settings import Scope
from service.checkout.decoding import decode
from service.checkout.errors import FieldError, InvalidRequestError
from service.checkout.models import Customer, Item, Product
from service.checkout.session import Session

S = TypeVar("S", bound=Struct)

_replacement = msgspec.json.Decoder(ReplacementRequest)
_item = msgspec.json.Decoder(Item)
_item_replacement = msgspec.json.Decoder(ItemReplacement)
_customer = msgspec.json.Decoder(Customer)
_SESSION = "/internal/sessions/{reference:str}"
_PRODUCT = f"{_SESSION}/items/{{product:str}}"


@get(_SESSION, **spec.READ_INTERNAL)
async def read_session(request: AppRequest, reference: FromPath[str]) -> ASGIResponse:
    """The record of a session, with its timeline."""
    runtime = runtime_of(request)
    session, _ = await _session(request, runtime, reference, "sessions:read")
    return _record(runtime, session)


@delete(_SESSION, status_code=HTTPStatus.NO_CONTENT, **spec.RETIRE)
async def retire_session(request: AppRequest, reference: FromPath[str]) -> None:
    """Retire a session: it is never handed out again.

    No provider can cancel one, so a buyer who has its page open can still pay there; then the record says so.
    """
    runtime = runtime_of(request)
    session, _ = await _session(request, runtime, reference, "sessions:write")
    await runtime.sessions.retire(session)


@put(_SESSION, **spec.REPLACE)
async def replace_session(request: AppRequest, reference: FromPath[str]) -> ASGIResponse:
    """Replace customer and cart.

    Tags stay and can be added to; country and language stay unless they are named; the mode stays. What else is
    decided when a session is made is refused: `quote`, `challenge`, `fresh`, `returnUrl`, `cancelUrl`. Like every
    change by a caller, it unlinks the session from re-use.
    """
    runtime = runtime_of(request)
    session, caller = await _session(request, runtime, reference, "sessions:write")
    body = decode(_replacement, await read_json_body(request))
    if body.checkout not in ("", session.checkout):
        raise _contradiction("checkout", "A session stays with its checkout: leave it out.")
    order = replace(body, checkout=session.checkout, buyer_ip=asker.named_address(body.buyer_ip, runtime.trust))
    buyer = asker.caller(request, runtime, caller.name)
    return _record(runtime, await runtime.changes.replace(session, order, buyer))


@put(f"{_SESSION}/customer", **spec.REPLACE_CUSTOMER)
async def replace_customer(request: AppRequest, reference: FromPath[str]) -> ASGIResponse:
    """Replace the customer."""
    runtime = runtime_of(request)
    session, _ = await _session(request, runtime, reference, "sessions:write")
    customer = decode(_customer, await read_json_body(request))
    return _record(runtime, await runtime.changes.replace_customer(session, customer))


@post(f"{_SESSION}/items", status_code=HTTPStatus.OK, **spec.ADD_ITEM)
async def add_item(request: AppRequest, reference: FromPath[str]) -> ASGIResponse:
    """Add a product to the cart."""
    runtime = runtime_of(request)
    session, _ = await _session(request, runtime, reference, "sessions:write")
    item = decode(_item, await read_json_body(request))
    return _record(runtime, await runtime.changes.add_item(session, item))


@put(_PRODUCT, **spec.UPDATE_ITEM)
async def update_item(request: AppRequest, reference: FromPath[str], product: FromPath[str]) -> ASGIResponse:
    """Replace the cart's line of a product.

    What the body leaves out is gone, a price that a caller fixed included.
    """
    runtime = runtime_of(request)
    session, _ = await _session(request, runtime, reference, "sessions:write")
    body = decode(_item_replacement, await read_json_body(request))
    if body.product not in ("", product):
        raise _contradiction("product", "The product stands in the address: leave it out.")
    item = replace(body, product=_product(product))
    return _record(runtime, await runtime.changes.update_item(session, item))


@delete(_PRODUCT, status_code=HTTPStatus.OK, **spec.REMOVE_ITEM)
async def remove_item(request: AppRequest, reference: FromPath[str], product: FromPath[str]) -> ASGIResponse:
    """Take a product out of the cart."""
    runtime = runtime_of(request)
    session, _ = await _session(request, runtime, reference, "sessions:write")
    return _record(runtime, await runtime.changes.remove_item(session, _product(product)))


@get(f"{_SESSION}/payment-methods", **spec.PAYMENT_METHODS)
async def read_payment_methods(request: AppRequest, reference: FromPath[str]) -> ASGIResponse:
    """Which payment methods the session's buyer is offered."""
    runtime = runtime_of(request)
    session, _ = await _session(request, runtime, reference, "sessions:read")
    return json_answer(await runtime.changes.payment_methods(session), HTTPStatus.OK)


async def _session(request: AppRequest, runtime: Runtime, reference: str, scope: Scope) -> tuple[Session, Caller]:
    """The session, and the caller who may do this with it; one of another caller's checkouts does not exist."""
    caller = asker.authenticate(request, runtime)
    caller.require(scope)
    session = await runtime.sessions.find(reference)
    caller.require_session_of(session.checkout)
    note(request, reference=session.reference)
    return session, caller


def _record(runtime: Runtime, session: Session) -> ASGIResponse:
    return json_answer(Record.of(session, runtime.clock()), HTTPStatus.OK)


def _product(text: str) -> str:
    try:
        return msgspec.convert(text, Product)
    except msgspec.ValidationError as error:
        raise _contradiction("product", "The address names no product.") from error


def _contradiction(field: str, detail: str) -> InvalidRequestError:
    return InvalidRequestError("The request contradicts its address.", errors=(FieldError(field=field, detail=detail),))


sessions = Router(
    "/",
    route_handlers=[
        read_session,
        retire_session,
        replace_session,
        replace_customer,
        add_item,
        update_item,
        remove_item,
        read_payment_methods,
    ],
    tags=["Callers"],
)
