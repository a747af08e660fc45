"""What callers may ask for: the shop's own services, each with a key."""

from http import HTTPStatus

import msgspec
from litestar import Router, get, post
from litestar.response.base import ASGIResponse
from msgspec.structs import replace

from service.api import asker, spec
from service.api.access import note
from service.api.answers import checkout_answer, json_answer
from service.api.body import read_json_body
from service.api.callers import Caller
from service.api.runtime import AppRequest, Runtime, runtime_of
from service.api.schemas import ClientIpAnswer, PreviewAnswer
from service.checkout.decoding import decode
from service.checkout.fields import fields_inside
from service.checkout.models import OrderRequest
from service.checkout.quotes.claims import QuoteRequest

_decoder = msgspec.json.Decoder(OrderRequest)
_quote_decoder = msgspec.json.Decoder(QuoteRequest)


@post("/internal/checkout", **spec.CREATE_INTERNAL)
async def create_checkout(request: AppRequest) -> ASGIResponse:
    """Create a session on a buyer's behalf, with the fields that only a server may set."""
    runtime = runtime_of(request)
    caller, order_request = await _order_request(request, runtime)
    note(request, checkout=runtime.service.checkout(order_request.checkout).name)
    buyer, key = asker.caller(request, runtime, caller.name), asker.idempotency_key(request)
    outcome = await runtime.service.create(order_request, buyer, key)
    return checkout_answer(request, outcome, order_request.language)


@post("/internal/checkout/preview", status_code=HTTPStatus.OK, **spec.PREVIEW)
async def preview_checkout(request: AppRequest) -> ASGIResponse:
    """What would be sent to the provider, and which rule set each field; sends nothing."""
    runtime = runtime_of(request)
    caller, order_request = await _order_request(request, runtime)
    preview = runtime.service.preview(order_request, asker.caller(request, runtime, caller.name))
    return json_answer(PreviewAnswer.of(preview), HTTPStatus.OK)


async def _order_request(request: AppRequest, runtime: Runtime) -> tuple[Caller, OrderRequest]:
    """A body of `POST /internal/checkout`, and the caller who may ask for it."""
    caller = asker.authenticate(request, runtime)
    caller.require("checkout:create")
    order_request = decode(_decoder, await read_json_body(request))
    caller.require_checkout(order_request.checkout)
    return caller, replace(order_request, buyer_ip=asker.named_address(order_request.buyer_ip, runtime.trust))


@post("/internal/quotes", **spec.QUOTE)
async def sign_quote(request: AppRequest) -> ASGIResponse:
    """Sign a quote for a browser to carry: it may hold whatever a caller may send.

    It is readable to whoever has it, and good for this checkout and mode alone, by default for one session.
    """
    runtime = runtime_of(request)
    caller = asker.authenticate(request, runtime)
    caller.require("quotes:create")
    wanted = decode(_quote_decoder, await read_json_body(request))
    caller.require_checkout(wanted.checkout)
    note(request, checkout=runtime.service.checkout(wanted.checkout).name)
    with fields_inside("order."):
        asker.named_address(wanted.order.buyer_ip, runtime.trust)  # refused here or at every use, and spelled there
    return json_answer(runtime.service.sign_quote(wanted, caller.name), HTTPStatus.CREATED)


@get("/internal/client-ip", **spec.CLIENT_IP)
async def explain_client_ip(request: AppRequest) -> ASGIResponse:
    """Which address was taken for the buyer of this request, and why."""
    runtime = runtime_of(request)
    asker.authenticate(request, runtime)
    found = asker.client_address(request, runtime)
    address = None if found.client is None else str(found.client)
    return json_answer(ClientIpAnswer(address=address, source=found.source, steps=found.steps), HTTPStatus.OK)


internal = Router(
    "/", route_handlers=[create_checkout, preview_checkout, sign_quote, explain_client_ip], tags=["Callers"]
)
