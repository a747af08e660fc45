"""Customers and tokens over real HTTP: asked for once, remembered, and asked for anew when they are out of date."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest
from msgspec.structs import replace
from prometheus_client import REGISTRY

from service.checkout.errors import (
    ProviderError,
    UpstreamCredentialsError,
    UpstreamInvalidError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
)
from service.checkout.models import Customer, Identity, Item, Order
from service.providers.http import Timeouts
from service.providers.paynow_gg.adapter import PayNow
from service.providers.paynow_gg.settings import PayNowCheckout
from tests.support.orders import NOW
from tests.support.servers import Sandbox
from tests.support.upstream import (
    TIMEOUTS,
    Handler,
    Received,
    answering,
    client_of,
    json_response,
    until,
    upstream,
)

STORE = "411486491630370816"
CUSTOMER = "411486491630370900"
CHECKOUT = PayNowCheckout(upstream="games", live=True, store_id=STORE, customer_identity="name", session_seconds=600)
STOREFRONT = replace(CHECKOUT, mode="storefront")
STEAM = Customer(identity=Identity(platform="steam", id="76561198152492642"))
ORDER = Order(items=(Item(product="411486491630370817"),), reference="cs_1", live=True, country="DE", customer=STEAM)
CUSTOMERS = f"/v1/stores/{STORE}/customers"
LOOKUP = f"GET {CUSTOMERS}/lookup"
MAKE, MANAGED = f"POST {CUSTOMERS}", f"POST /v1/stores/{STORE}/checkouts"
MINT, AS_CUSTOMER = f"POST {CUSTOMERS}/ID/tokens", "POST /v1/checkouts"

KNOWN = json_response(200, {"id": CUSTOMER, "store_id": STORE})
SESSION = json_response(200, {"id": CUSTOMER, "token": "c4qq", "url": "https://checkout.paynow.gg/?t=c4qq"})
NOT_FOUND = json_response(404, {"status": 404, "code": "not-found", "message": "Not found", "trace_id": "abc1"})
UNAUTHORIZED = json_response(401, {"status": 401, "code": "unauthorized", "message": "No"})
TOKEN = json_response(200, {"token": "pncus_minted"})


@asynccontextmanager
async def paynow(
    url: str, checkout: PayNowCheckout = CHECKOUT, timeouts: Timeouts = TIMEOUTS
) -> AsyncGenerator[PayNow]:
    """The real adapter with the real client."""
    async with client_of(url, timeouts=timeouts, authorizations=("APIKey sandbox",)) as client:
        yield PayNow(checkout, client, lambda: NOW)


def calls(sandbox: Sandbox) -> list[str]:
    """What we asked of the sandbox, customers' ids left out."""
    lines = [f"{request['method']} {request['path']}" for request in sandbox.requests()]
    return [re.sub(r"/[0-9]+/tokens$", "/ID/tokens", line) for line in lines]


def paths(requests: list[Received]) -> list[str]:
    """The same of a bare upstream, queries left out as well."""
    lines = [request.line.rpartition(" ")[0].partition("?")[0] for request in requests]
    return [re.sub(r"/[0-9]+/tokens$", "/ID/tokens", line) for line in lines]


async def test_a_new_player_is_made_once(sandbox: Sandbox) -> None:
    """The first session of a player takes three calls, each later one a single call."""
    async with paynow(sandbox.url) as provider:
        sessions = [await provider.create(ORDER) for _ in range(3)]

    assert 3 == len({session.session_id for session in sessions})
    assert [LOOKUP, MAKE, MANAGED, MANAGED, MANAGED] == calls(sandbox)


async def test_players_who_come_at_once_are_one_customer(sandbox: Sandbox) -> None:
    """Twenty sessions of one new player at the same time make one customer."""
    async with paynow(sandbox.url) as provider:
        await asyncio.gather(*(provider.create(ORDER) for _ in range(20)))

    assert [1, 1, 20] == [calls(sandbox).count(one) for one in (LOOKUP, MAKE, MANAGED)]


async def test_the_one_who_leaves_harms_nobody() -> None:
    """The buyer who began the look-up leaves in its midst: the others get their sessions, by one look-up."""
    gate = asyncio.Event()

    async def handler(request: Received, writer: asyncio.StreamWriter) -> None:
        if "lookup" in request.line:
            await gate.wait()
        writer.write(KNOWN if "customers" in request.line else SESSION)

    async with upstream(handler) as server, paynow(server.url) as provider:
        leader = asyncio.create_task(provider.create(ORDER))
        await until(lambda: len(server.requests) == 1)
        followers = [asyncio.create_task(provider.create(ORDER)) for _ in range(5)]
        leader.cancel()
        await asyncio.gather(leader, return_exceptions=True)
        gate.set()
        sessions = await asyncio.gather(*followers)

    assert leader.cancelled()
    assert ["c4qq"] * 5 == [session.token for session in sessions]
    assert [1, 5] == [paths(server.requests).count(one) for one in (LOOKUP, MANAGED)]


async def test_a_customer_who_is_gone_is_looked_up_anew(sandbox: Sandbox) -> None:
    """A 404 for a remembered customer forgets it, and the same request goes on with a new one."""
    async with paynow(sandbox.url) as provider:
        await provider.create(ORDER)
        sandbox.reset()
        session = await provider.create(ORDER)

    assert session.token
    assert [MANAGED, LOOKUP, MAKE, MANAGED] == calls(sandbox)


async def test_a_404_of_a_customer_who_is_there_is_about_something_else() -> None:
    """A remembered customer who is found again is not what PayNow does not know: the request is refused."""
    handler = answering(KNOWN, SESSION, NOT_FOUND, KNOWN, NOT_FOUND)
    async with upstream(handler) as server, paynow(server.url) as provider:
        await provider.create(ORDER)
        with pytest.raises(UpstreamRejectedError):
            await provider.create(ORDER)

    assert [LOOKUP, MANAGED, MANAGED, LOOKUP] == paths(server.requests)


async def test_a_token_is_made_once(sandbox: Sandbox) -> None:
    """In storefront mode a token is remembered like the customer it is of."""
    async with paynow(sandbox.url, STOREFRONT) as provider:
        await asyncio.gather(*(provider.create(ORDER) for _ in range(5)))
        await provider.create(ORDER)

    assert [1, 1, 1, 6] == [calls(sandbox).count(one) for one in (LOOKUP, MAKE, MINT, AS_CUSTOMER)]


async def test_a_token_that_ended_is_made_anew(sandbox: Sandbox) -> None:
    """A 401 for a remembered token makes another one, within the same request and without an alarm."""
    before = alarms()
    async with paynow(sandbox.url, STOREFRONT) as provider:
        await provider.create(ORDER)
        end_tokens(sandbox)
        session = await provider.create(ORDER)

    assert session.token
    assert [2, 3] == [calls(sandbox).count(one) for one in (MINT, AS_CUSTOMER)]
    assert before == alarms()


def end_tokens(sandbox: Sandbox) -> None:
    headers = {"Authorization": "APIKey sandbox"}
    with httpx.Client(base_url=sandbox.url, headers=headers, trust_env=False) as store:
        [customer] = store.get(CUSTOMERS).raise_for_status().json()
        store.delete(f"{CUSTOMERS}/{customer['id']}/tokens").raise_for_status()


def alarms() -> float:
    return REGISTRY.get_sample_value("checkout_credentials_refused_total", {"upstream": "acme"}) or 0.0


async def test_a_customer_who_is_gone_gets_a_new_token(sandbox: Sandbox) -> None:
    """When both are gone, the customer is looked up anew and given a token, within the same request."""
    async with paynow(sandbox.url, STOREFRONT) as provider:
        await provider.create(ORDER)
        sandbox.reset()
        session = await provider.create(ORDER)

    assert session.token
    assert [AS_CUSTOMER, LOOKUP, MAKE, MINT, AS_CUSTOMER] == calls(sandbox)


async def test_no_token_for_a_remembered_customer_who_is_gone() -> None:
    """A 404 where the token is made says that the customer is gone: it is looked up anew as well."""
    handler = answering(KNOWN, TOKEN, UNAUTHORIZED, NOT_FOUND, KNOWN, TOKEN, SESSION)
    async with upstream(handler) as server, paynow(server.url, STOREFRONT) as provider:
        with pytest.raises(UpstreamCredentialsError):
            await provider.create(ORDER)
        session = await provider.create(ORDER)

    assert "c4qq" == session.token
    assert [LOOKUP, MINT, AS_CUSTOMER, MINT, LOOKUP, MINT, AS_CUSTOMER] == paths(server.requests)


async def test_a_callers_customer_gets_its_token_anew() -> None:
    """A remembered token of a customer that the caller named by id is made anew without a look-up."""
    handler = answering(TOKEN, SESSION, UNAUTHORIZED, TOKEN, SESSION)
    order = replace(ORDER, customer=None, customer_id=CUSTOMER)
    async with upstream(handler) as server, paynow(server.url, STOREFRONT) as provider:
        await provider.create(order)
        await provider.create(order)

    assert [MINT, AS_CUSTOMER, AS_CUSTOMER, MINT, AS_CUSTOMER] == paths(server.requests)


async def test_a_callers_own_token_is_no_alarm() -> None:
    """A 401 for the caller's own token is the caller's to mend; the shop's key, refused, is an alarm."""
    own = replace(ORDER, customer=None, customer_token="pncus_old")
    before = alarms()
    async with upstream(answering(UNAUTHORIZED)) as server, paynow(server.url, STOREFRONT) as provider:
        with pytest.raises(UpstreamRejectedError):
            await provider.create(own)
        without = alarms()
        with pytest.raises(UpstreamCredentialsError):
            await provider.create(ORDER)

    assert (before, before + 1) == (without, alarms())


def slow(seconds: float) -> Handler:
    """Answers well, but late."""

    async def handler(request: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        writer.write(KNOWN if "customers" in request.line else SESSION)

    return handler


async def test_all_calls_share_one_deadline() -> None:
    """A look-up that takes most of the time leaves the rest alone to the call that makes the session."""
    timeouts = Timeouts(connect=0.5, read=0.5, total=0.5)
    async with upstream(slow(0.3)) as server, paynow(server.url, timeouts=timeouts) as provider:
        began = asyncio.get_running_loop().time()
        with pytest.raises(UpstreamTimeoutError):
            await provider.create(ORDER)
        took = asyncio.get_running_loop().time() - began

    assert 2 == len(server.requests)
    assert 0.45 < took < 0.6 + 1


@pytest.mark.parametrize("lie", ["missing_id", "number_id", "too_large_id", "hostile_id", "wrong_types", "wrong_store"])
async def test_lie_about_a_customer_is_seen_through(sandbox: Sandbox, lie: str) -> None:
    """An answer to the look-up that is wrong in one member leads to no session, and is not remembered."""
    async with paynow(sandbox.url) as provider:
        await provider.create(ORDER)
    async with paynow(sandbox.url) as provider:
        sandbox.put_fault(lie, times=1)
        with pytest.raises(ProviderError):
            await provider.create(ORDER)
        session = await provider.create(ORDER)

    assert session.token


async def test_customers_are_remembered_over_a_reload(sandbox: Sandbox) -> None:
    """Another adapter on the same account, as every reload makes one, knows the customers of the one before."""
    async with client_of(sandbox.url, authorizations=("APIKey sandbox",)) as client:
        await PayNow(CHECKOUT, client, lambda: NOW).create(ORDER)
        await PayNow(replace(CHECKOUT, max_items=3), client, lambda: NOW).create(ORDER)

    assert [1, 1, 2] == [calls(sandbox).count(one) for one in (LOOKUP, MAKE, MANAGED)]


async def test_a_customer_of_another_name_is_nobody() -> None:
    """Where a name was asked for, a customer of another name is not taken for the buyer."""
    order = replace(ORDER, customer=None, pseudonym="a1b2")
    other = json_response(200, {"id": CUSTOMER, "store_id": STORE, "name": "someone-else"})
    async with upstream(answering(other)) as server, paynow(server.url) as provider:
        with pytest.raises(UpstreamInvalidError):
            await provider.create(order)

    assert [LOOKUP] == paths(server.requests)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_token_of_a_caller_rings_no_alarm(status: int) -> None:
    """A customer's own token that is not accepted is about the buyer, not about the shop's credentials."""
    order = replace(ORDER, customer=None, customer_token="pncus_banned")
    before = REGISTRY.get_sample_value("checkout_credentials_refused_total", {"upstream": "acme"})
    handler = answering(json_response(status, {"status": status, "code": "no", "message": "No"}))
    async with upstream(handler) as server, paynow(server.url, STOREFRONT) as provider:
        with pytest.raises(UpstreamRejectedError) as refused:
            await provider.create(order)

    assert ["customerToken"] == [error.field for error in refused.value.errors]
    assert before == REGISTRY.get_sample_value("checkout_credentials_refused_total", {"upstream": "acme"})
