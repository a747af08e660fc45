"""A thousand buyers with one cart, on several processes: each has a session, and nobody ever another one's."""

import asyncio
import secrets
from collections.abc import Callable

import aiohttp
from redis import Redis

from service.store.embedded import socket_of
from tests.faults.provider import created
from tests.support.services import Service
from tests.support.upstream import Received, upstream

StartService = Callable[..., Service]
ORDER = {"items": [{"product": "pro-license"}], "country": "DE", "checkout": "acme"}
BUYERS = [secrets.token_urlsafe(24) for _ in range(1000)]
AT_ONCE = 100  # more of them wait for a free core, not for each other
LIMITS = {
    "rate_limit_per_minute": 0,
    "max_concurrency": 500,
    "connect_timeout": 5.0,
    "read_timeout": 15.0,
    "total_timeout": 20.0,
}
SWAPPED = 50


class Counting:
    """A provider whose every session has an id of its own."""

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self, request: Received, writer: asyncio.StreamWriter) -> None:
        self.calls += 1
        writer.write(created(request, id=f"OS{self.calls}"))
        await writer.drain()


async def given_to(service: Service, buyers: list[str], **headers: str) -> dict[str, str]:
    """Which session each buyer gets, many of them asking at once."""
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE), timeout=timeout) as http:

        async def session_of(buyer: str) -> str:
            async with http.post(
                f"{service.url}/checkout", json=ORDER, headers={"Buyer-Key": buyer, **headers}
            ) as answer:
                document = await answer.json(content_type=None)
                assert answer.status in {200, 201}, document
                session_id: str = document["sessionId"]
                return session_id

        return dict(zip(buyers, await asyncio.gather(*map(session_of, buyers)), strict=True))


def swap(service: Service, pattern: str) -> None:
    """Give what stands under some keys of a kind to each other."""
    [directory] = service.temporary.glob("checkout-*")
    with Redis(unix_socket_path=str(socket_of(directory))) as store:
        keys = list(store.scan_iter(f"checkout:v1:{pattern}", count=1000))[:SWAPPED]
        assert SWAPPED == len(keys)
        values = store.mget(keys)
        for key, value in zip(keys, values[1:] + values[:1], strict=True):
            store.set(key, value or b"", keepttl=True)


async def test_thousand_buyers_with_one_cart(start_service: StartService) -> None:
    """As many sessions as buyers, and each buyer's own whenever it is asked for again, on whichever process.

    On a machine that is too busy for the store to be asked a buyer may get another new one, but nobody else's.
    """
    async with upstream(Counting()) as server:
        service = start_service({"acme": server.url}, workers=2, **LIMITS)
        first = await given_to(service, BUYERS)
        again = await given_to(service, BUYERS)

    others = {again[buyer] for buyer in BUYERS if again[buyer] != first[buyer]}
    assert [1000, 1000] == [len(set(first.values())), len(set(again.values()))]
    assert not others & set(first.values())
    assert len(others) < 100


async def test_swapped_values_are_misses(start_service: StartService) -> None:
    """Who has another buyer's stored session gets a new one; who has another's stored answer gets the own session."""
    some = BUYERS[:200]
    async with upstream(Counting()) as server:
        service = start_service({"acme": server.url}, workers=2, **LIMITS)
        first = await given_to(service, some)
        swap(service, "*:reuse:*")
        again = await given_to(service, some, **{"Idempotency-Key": "k1"})
        swap(service, "*:replay")
        repeated = await given_to(service, some, **{"Idempotency-Key": "k1"})

    changed = {buyer for buyer in some if first[buyer] != again[buyer]}
    assert SWAPPED == len(changed)
    assert not {again[buyer] for buyer in changed} & set(first.values())
    assert 200 == len(set(again.values()))
    assert again == repeated
