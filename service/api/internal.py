"""What callers may do: the shop's own services, each with a key."""

from http import HTTPStatus

import msgspec
from litestar import Router, get, post
from litestar.params import FromPath
from litestar.response.base import ASGIResponse
from msgspec.structs import replace

from service.api import asker, spec
from service.api.access import note
from service.api.answers import checkout_answer, json_answer
from service.api.body import decode, read_json_body
from service.api.callers import Caller
from service.api.runtime import AppRequest, runtime_of
from service.api.schemas import ClientIpAnswer, Record
from service.checkout.models import OrderRequest

_decoder = msgspec.json.Decoder(OrderRequest)


def authenticate(request: AppRequest) -> Caller:
    """The caller of this request, noted for the access line.

    Raises:
        UnauthenticatedError: nobody known.
    """
    caller = runtime_of(request).callers.authenticate(request.headers.get("authorization"))
    note(request, caller=caller.name)
    return caller


@post("/internal/checkout", **spec.CREATE_INTERNAL)
async def create_checkout(request: AppRequest) -> ASGIResponse:
    """Create a session on a buyer's behalf, with the fields that only a server may set."""
    runtime = runtime_of(request)
    caller = authenticate(request)
    caller.require("checkout:create")
    order_request = decode(_decoder, await read_json_body(request))
    caller.require_checkout(order_request.checkout)
    order_request = replace(order_request, buyer_ip=asker.named_address(order_request.buyer_ip, runtime))
    note(request, checkout=runtime.service.checkout(order_request.checkout).name)
    outcome = await runtime.service.create(order_request, asker.caller(request, runtime, caller.name))
    return checkout_answer(request, outcome, order_request.language)


@get("/internal/sessions/{reference:str}", **spec.READ_INTERNAL)
async def read_session(request: AppRequest, reference: FromPath[str]) -> ASGIResponse:
    """The record of a session, with its timeline."""
    runtime = runtime_of(request)
    caller = authenticate(request)
    caller.require("sessions:read")
    session = await runtime.service.find(reference)
    caller.require_session_of(session.checkout)
    return json_answer(Record.of(session, runtime.clock()), HTTPStatus.OK)


@get("/internal/client-ip", **spec.CLIENT_IP)
async def explain_client_ip(request: AppRequest) -> ASGIResponse:
    """Which address was taken for the buyer of this request, and why."""
    runtime = runtime_of(request)
    authenticate(request)
    found = asker.client_address(request, runtime)
    address = None if found.client is None else str(found.client)
    return json_answer(ClientIpAnswer(address=address, source=found.source, steps=found.steps), HTTPStatus.OK)


internal = Router("/", route_handlers=[create_checkout, read_session, explain_client_ip], tags=["Callers"])
