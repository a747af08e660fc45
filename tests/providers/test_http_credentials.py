"""Credential generations: what a 401 leads to."""

import asyncio
import re

import pytest
from prometheus_client import REGISTRY

from service.checkout.errors import UpstreamCredentialsError, UpstreamRejectedError, UpstreamTimeoutError
from service.checkout.ports import UpstreamRequest
from service.providers import http
from service.providers.http import Timeouts
from tests.support.upstream import Handler, Received, client_of, response, upstream

REQUEST = UpstreamRequest(method="POST", segments=("v2", "sessions"), body=b"{}")
GENERATIONS = ("Basic newest", "Basic middle", "Basic oldest")


def accepting(good: set[str]) -> Handler:
    """Takes the credentials that are in `good` at the time."""

    async def handler(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(response(201 if request.header("authorization") in good else 401))
        await writer.drain()

    return handler


def alarms() -> float:
    return REGISTRY.get_sample_value("checkout_credentials_refused_total", {"upstream": "acme"}) or 0.0


async def test_next_generation_is_tried_and_kept() -> None:
    """A 401 leads to the next generation, at once, and the one that works is used from then on."""
    async with (
        upstream(accepting({"Basic oldest"})) as server,
        client_of(server.url, authorizations=GENERATIONS) as client,
    ):
        statuses = [(await client.send(REQUEST)).status for _ in range(2)]

    assert [201, 201] == statuses
    assert [*GENERATIONS, "Basic oldest"] == [one.header("authorization") for one in server.requests]


async def test_rotation_at_the_provider_fails_no_request() -> None:
    """Credentials that worked a moment ago and were then revoked give way to the next ones within the same call."""
    good = {"Basic newest"}
    async with upstream(accepting(good)) as server, client_of(server.url, authorizations=GENERATIONS) as client:
        statuses = []
        for generation in ("Basic newest", "Basic oldest", "Basic middle", "Basic newest"):
            good.clear()
            good.add(generation)
            statuses.append((await client.send(REQUEST)).status)

    assert [201] * 4 == statuses


async def test_rotation_under_concurrent_calls_fails_none() -> None:
    """Many calls that meet a revoked generation at once all find the good one."""
    good = {"Basic newest"}
    async with upstream(accepting(good)) as server, client_of(server.url, authorizations=GENERATIONS[:2]) as client:
        await client.send(REQUEST)
        good.clear()
        good.add("Basic middle")
        answers = await asyncio.gather(*(client.send(REQUEST) for _ in range(9)))

    assert [201] * 9 == [answer.status for answer in answers]


async def test_generations_share_one_deadline() -> None:
    """However many generations are refused slowly, the call ends at its total timeout."""

    async def slowly_refusing(request: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        await accepting(set())(request, writer)

    timeouts = Timeouts(connect=1.0, read=1.0, total=0.3)
    async with (
        upstream(slowly_refusing) as server,
        client_of(server.url, authorizations=GENERATIONS, timeouts=timeouts) as client,
    ):
        with pytest.raises(UpstreamTimeoutError):
            await client.send(REQUEST)

    assert ["Basic newest", "Basic middle"] == [one.header("authorization") for one in server.requests]


async def test_no_generation_accepted_is_an_alarm() -> None:
    """Where no credentials work, each is tried once, and the alarm counts."""
    before = alarms()
    async with upstream(accepting(set())) as server, client_of(server.url, authorizations=GENERATIONS) as client:
        with pytest.raises(UpstreamCredentialsError):
            await client.send(REQUEST)

    assert list(GENERATIONS) == [one.header("authorization") for one in server.requests]
    assert 1 == alarms() - before


async def test_401_although_the_credentials_work_is_this_requests_own() -> None:
    """Credentials that worked within the last minute are not at fault: the provider refuses this request."""
    good = {"Basic newest"}
    before = alarms()
    async with upstream(accepting(good)) as server, client_of(server.url, authorizations=GENERATIONS) as client:
        await client.send(REQUEST)
        good.clear()
        with pytest.raises(UpstreamRejectedError):
            await client.send(REQUEST)
        good.add("Basic newest")
        await client.send(REQUEST)

    assert 0 == alarms() - before
    assert "Basic newest" == server.requests[-1].header("authorization")


async def test_a_minute_later_it_is_the_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """What worked longer ago than the limit proves nothing any more."""
    good = {"Basic newest"}
    monkeypatch.setattr(http, "_CREDENTIALS_GOOD_FOR_SECONDS", 0.0)
    async with upstream(accepting(good)) as server, client_of(server.url, authorizations=GENERATIONS[:1]) as client:
        await client.send(REQUEST)
        good.clear()
        with pytest.raises(UpstreamCredentialsError):
            await client.send(REQUEST)


async def test_403_is_an_alarm_too() -> None:
    """Credentials that may not do this are the operator's to mend, and count."""
    before = alarms()

    async def forbidding(_request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(response(403))
        await writer.drain()

    async with upstream(forbidding) as server, client_of(server.url, authorizations=GENERATIONS) as client:
        error = client.refusal(REQUEST, await client.send(REQUEST))

    assert UpstreamCredentialsError is type(error)
    assert 1 == len(server.requests)
    assert 1 == alarms() - before


async def test_credentials_are_in_no_error() -> None:
    """No text of an error holds any of the credentials."""
    async with upstream(accepting(set())) as server, client_of(server.url, authorizations=GENERATIONS) as client:
        with pytest.raises(UpstreamCredentialsError) as error:
            await client.send(REQUEST)

    assert not re.search("newest|middle|oldest", repr(error.value) + error.value.detail)
