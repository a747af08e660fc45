"""Others get their time, whatever ours is spent on."""

import asyncio
import time

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
    """A cancellation from outside stays one, and what is in time leaves no timer behind."""
    asked = asyncio.create_task(_wait_for(asyncio.Event(), 60))
    await asyncio.sleep(0)
    asked.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asked


async def _wait_for(event: asyncio.Event, seconds: float) -> None:
    async with fair_timeout(seconds):
        await event.wait()
