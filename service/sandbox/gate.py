"""Stands before the application: records each request and lets the fault that is due befall it."""

from collections.abc import Sequence
from urllib.parse import unquote

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from service.sandbox.clock import iso_milliseconds
from service.sandbox.exchange import Exchange
from service.sandbox.faults import Fault
from service.sandbox.misbehaviour import lie, misbehave
from service.sandbox.provider import ProviderSandbox, provider_for
from service.sandbox.requestlog import RecordedRequest, json_or_none
from service.sandbox.world import World


class Gate:
    def __init__(self, app: ASGIApp, world: World, providers: Sequence[ProviderSandbox]) -> None:
        self._app = app
        self._world = world
        self._providers = providers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        provider = provider_for(scope["path"], self._providers)
        if scope["type"] != ScopeType.HTTP or provider is None:
            await self._app(scope, receive, send)
            return
        body = await whole_body(receive)
        scope["path"] = path_with_encoded_slashes_kept(raw_path(scope))
        fault = self._world.faults.choose(scope["method"], raw_path(scope))
        self._world.requests.add(recorded(scope, body, fault, self._world))
        await self._serve(Exchange(self._app, scope, body, receive, send), provider, fault)

    async def _serve(self, exchange: Exchange, provider: ProviderSandbox, fault: Fault | None) -> None:
        if fault is None:
            await exchange.pass_on()
        elif fault.kind in provider.lies:
            await lie(exchange, fault, provider)
        else:
            await misbehave(exchange, fault, provider, self._world)


async def whole_body(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        chunks.append(message["body"])
        more = message["more_body"]
    return b"".join(chunks)


def raw_path(scope: HTTPScope) -> str:
    return scope["raw_path"].decode("latin-1")


def path_with_encoded_slashes_kept(raw: str) -> str:
    """Servers hand on `%2F` as a slash; here it separates nothing, so that such a path is not found."""
    return "/".join(unquote(segment).replace("/", "%2F") for segment in raw.split("/"))


def recorded(scope: HTTPScope, body: bytes, fault: Fault | None, world: World) -> RecordedRequest:
    return RecordedRequest(
        at=iso_milliseconds(world.clock.now()),
        method=scope["method"],
        path=raw_path(scope),
        query=scope["query_string"].decode("latin-1"),
        headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
        body=json_or_none(body),
        body_text=body.decode(errors="replace"),
        fault=fault.kind if fault else None,
    )
