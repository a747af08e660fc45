"""Recorded exchanges of a provider as JSON files: our order, what is sent, what is answered, what becomes of it.

`fixtures/NAME/provider.json` has the settings of the provider NAME; every other file there is one exchange.
"""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from service.checkout.acceptance import Expectations
from service.checkout.models import Order
from service.checkout.ports import Provider, Verifier
from service.checkout.settings import CheckoutSettings
from service.config.reader import Reader
from service.providers.base import UpstreamSettings
from service.providers.registry import discover
from tests.support.orders import NOW
from tests.support.upstream import TIMEOUTS, client_of, response

FIXTURES = Path(__file__).parent.parent / "providers" / "fixtures"
SETTINGS_FILE = "provider.json"


class Played(Struct, frozen=True, forbid_unknown_fields=True):
    """How the sandbox plays a provider: the credentials to accept, an exchange whose order it takes, a way to pay."""

    credentials: tuple[str, str]
    exchange: str
    pay: str


class ProviderFixture(Struct, frozen=True, forbid_unknown_fields=True):
    """The tables of a configuration, and the `Authorization` header that they lead to."""

    upstream: dict[str, Any]
    checkout: dict[str, Any]
    secrets: dict[str, str]
    authorization: str
    sandbox: Played | None = None


class Sends(Struct, frozen=True, forbid_unknown_fields=True):
    """The upstream request; `path` has the query, `body` None means none, `authorization` None the settings' own."""

    method: str
    path: str
    body: dict[str, Any] | None = None
    headers: dict[str, str] = {}
    authorization: str | None = None


class Answers(Struct, frozen=True, forbid_unknown_fields=True):
    """The upstream answer: `body` as JSON, or `text` as it is."""

    status: int
    body: Any = None
    text: str | None = None
    headers: dict[str, str] = {}

    def raw_body(self) -> bytes:
        """The bytes of the body."""
        return (json.dumps(self.body) if self.text is None else self.text).encode()

    def raw(self) -> bytes:
        """The whole answer on the wire."""
        return response(self.status, self.raw_body(), tuple(f"{name}: {text}" for name, text in self.headers.items()))


class Becomes(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Our session, whole; or our problem, the fields that it names, and its `retryAfter`."""

    session: dict[str, Any] | None = None
    problem: str | None = None
    fields: list[str] = []
    retry_after: int | None = None


class Call(Struct, frozen=True, forbid_unknown_fields=True):
    """One call to the provider."""

    sends: Sends
    answers: Answers


class Exchange(Struct, frozen=True, forbid_unknown_fields=True):
    """One exchange; `claim` says what it shows.

    `before` are calls that come first, such as the look-up of a customer; `checkout` changes the provider's settings.
    """

    claim: str
    order: dict[str, Any]
    sends: Sends
    answers: Answers
    becomes: Becomes
    before: list[Call] = []
    checkout: dict[str, Any] = {}

    def calls(self) -> list[Call]:
        """Every call in order, the one that creates the session last."""
        return [*self.before, Call(sends=self.sends, answers=self.answers)]

    def order_struct(self) -> Order:
        """The order in the core's words."""
        return order_of(self.order)


def order_of(document: dict[str, Any]) -> Order:
    """An order in the core's words, of JSON in ours."""
    return msgspec.json.decode(json.dumps(document), type=Order)


def providers() -> list[str]:
    """Every provider."""
    return sorted(discover())


def provider_fixture(name: str) -> ProviderFixture:
    """The settings that a provider's exchanges were made with."""
    return msgspec.json.decode((FIXTURES / name / SETTINGS_FILE).read_bytes(), type=ProviderFixture)


def exchanges(name: str) -> dict[str, Exchange]:
    """A provider's exchanges by file name."""
    files = sorted((FIXTURES / name).glob("*.json"))
    return {
        file.stem: msgspec.json.decode(file.read_bytes(), type=Exchange) for file in files if file.name != SETTINGS_FILE
    }


def settings_of(
    name: str, base_url: str | None = None, changes: dict[str, Any] | None = None
) -> tuple[UpstreamSettings, CheckoutSettings]:
    """A provider's settings, read as from a file; `changes` are of the checkout."""
    fixture, module = provider_fixture(name), discover()[name]
    reader = Reader(fixture.secrets)
    address = {} if base_url is None else {"base_url": base_url}
    upstream = reader.struct(
        module.upstream_settings, {"provider": name, **fixture.upstream, **address}, "upstreams.acme"
    )
    table = {"upstream": "acme", **fixture.checkout, **(changes or {})}
    checkout = reader.struct(module.checkout_settings, table, "checkouts.default")
    assert upstream is not None, reader.faults
    assert checkout is not None, reader.faults
    return upstream, checkout


def expectations_of(name: str) -> Expectations:
    """What an answer must be like when the provider is not on this machine."""
    upstream, checkout = settings_of(name)
    return discover()[name].expectations(checkout, upstream)


@asynccontextmanager
async def provider_at(
    name: str, url: str, *, read_seconds: float = TIMEOUTS.read, changes: dict[str, Any] | None = None
) -> AsyncGenerator[Provider]:
    """The real adapter with the real client, at an upstream of the test, in a world where it is always `NOW`."""
    upstream, checkout = settings_of(name, url, changes)
    timeouts = msgspec.structs.replace(TIMEOUTS, read=read_seconds)
    async with client_of(url, timeouts=timeouts, authorizations=upstream.authorizations()) as client:
        yield discover()[name].build(checkout, client, lambda: NOW)


@asynccontextmanager
async def verifier_at(name: str, url: str, *, read_seconds: float = TIMEOUTS.read) -> AsyncGenerator[Verifier]:
    """The real verifier with the real client, at an upstream of the test."""
    (upstream, checkout), verify = settings_of(name, url), discover()[name].verify
    assert verify is not None, f"{name} cannot be asked"
    timeouts = msgspec.structs.replace(TIMEOUTS, read=read_seconds)
    async with client_of(url, timeouts=timeouts, authorizations=upstream.authorizations()) as client:
        yield verify(checkout, client)
