"""Others get their time, whatever ours is spent on."""

import asyncio
import gc
import time
import weakref
from contextlib import suppress

import pytest

from service.resilience.fair_timeout import fair_timeout


async def test_silence_ends_with_the_time() -> None:
    """Who says nothing is given up once the time is over, not before."""
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        async with fair_timeout(0.2):
            await asyncio.Event().wait()

    assert 0.19 <= time.monotonic() - began < 10


async def test_silence_ends_behind_a_busy_loop() -> None:
    """Long turns of the loop count, as a twentieth each."""
    asked = asyncio.create_task(_wait_for(asyncio.Event(), 0.1))
    turns = 0
    while not asked.done():
        time.sleep(0.02)  # noqa: ASYNC251  # the fault
        await asyncio.sleep(0)
        turns += 1

    assert isinstance(asked.exception(), TimeoutError)
    assert 20 <= turns < 50


async def test_what_comes_in_a_few_turns_is_in_time() -> None:
    """What needs five turns is there in time, though each takes longer than all of it should."""
    came = asyncio.Event()
    asked = asyncio.create_task(_wait_for(came, 0.05))
    for _ in range(5):
        time.sleep(0.1)  # noqa: ASYNC251  # the fault
        await asyncio.sleep(0)
    came.set()

    await asked


async def test_who_leaves_is_not_timed_out() -> None:
    """A cancellation from outside stays one."""
    asked = asyncio.create_task(_wait_for(asyncio.Event(), 60))
    await asyncio.sleep(0)
    asked.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asked


@pytest.mark.parametrize("seconds", [60.0, 0.01], ids=["in-time", "too-late"])
async def test_nothing_is_left(seconds: float) -> None:
    """Neither a timer nor a cycle, which would keep whoever waited until a collection."""
    came = asyncio.Event()

    async def ask() -> None:
        with suppress(TimeoutError):
            await _wait_for(came, seconds)

    gc.collect()
    gc.disable()
    try:
        asked = asyncio.create_task(ask())
        await asyncio.sleep(0 if seconds > 1 else 0.1)
        came.set()
        await asyncio.wait([asked])
        seen = weakref.ref(asked)
        del asked
        await asyncio.sleep(0)
        assert None is seen()
    finally:
        gc.enable()


async def _wait_for(event: asyncio.Event, seconds: float) -> None:
    async with fair_timeout(seconds):
        await event.wait()
