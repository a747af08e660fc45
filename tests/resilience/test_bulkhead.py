"""So many at a time, as many waiting for a moment."""

import asyncio
import random
import time

import pytest

from service.resilience.bulkhead import Bulkhead, BulkheadFullError


def in_seconds(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


class Users:
    """Those who hold a slot until they are told to go."""

    def __init__(self, bulkhead: Bulkhead) -> None:
        self._bulkhead = bulkhead
        self.inside = 0
        self.most = 0
        self.leave = asyncio.Event()

    async def use(self, seconds: float = 10.0) -> None:
        async with self._bulkhead.slot(in_seconds(seconds)):
            self.inside += 1
            self.most = max(self.most, self.inside)
            try:
                await self.leave.wait()
            finally:
                self.inside -= 1


async def test_admits_its_size_and_queues_as_many() -> None:
    """Of 30 at once on 10, ten are in, ten wait, and the others are refused without waiting; then the ten come in."""
    users = Users(Bulkhead(10))
    started = time.monotonic()
    tasks = [asyncio.create_task(users.use()) for _ in range(30)]
    refused, _ = await asyncio.wait(tasks, timeout=0.05)
    assert 10 == users.inside
    assert [BulkheadFullError] * 10 == [type(task.exception()) for task in refused]
    users.leave.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert 20 == results.count(None)
    assert 10 == users.most
    assert time.monotonic() - started < 0.25


async def test_nobody_waits_for_long() -> None:
    """Where no slot becomes free, those who wait are refused after a quarter second."""
    users = Users(Bulkhead(1))
    holding = asyncio.create_task(users.use())
    await asyncio.sleep(0)
    started = time.monotonic()
    with pytest.raises(BulkheadFullError):
        await users.use()

    assert 0.25 <= time.monotonic() - started < 1.0
    users.leave.set()
    await holding


async def test_deadline_is_kept_in_the_queue() -> None:
    """Who has less time than that waits no longer than the time left."""
    users = Users(Bulkhead(1, wait_seconds=5.0))
    holding = asyncio.create_task(users.use())
    await asyncio.sleep(0)
    started = time.monotonic()
    with pytest.raises(BulkheadFullError):
        await users.use(0.05)

    assert time.monotonic() - started < 1.0
    users.leave.set()
    await holding


async def test_no_slot_is_lost() -> None:
    """After thousands of users that were cancelled or timed out at random moments, every slot is there."""
    dice = random.Random(1)  # noqa: S311  # not for secrets
    bulkhead = Bulkhead(5, wait_seconds=0.002)
    outcomes: set[str] = set()

    async def use() -> None:
        async with bulkhead.slot(in_seconds(1.0)):
            await asyncio.sleep(dice.choice((0, 0.001, 0.002, 0.004)))

    async def user() -> None:
        for _ in range(100):
            task = asyncio.create_task(use())
            await asyncio.wait({task}, timeout=dice.choice((0, 0.001, 0.002, 0.01)))
            task.cancel()
            [outcome] = await asyncio.gather(task, return_exceptions=True)
            outcomes.add(type(outcome).__name__)

    await asyncio.gather(*(user() for _ in range(20)))
    assert {"NoneType", "CancelledError", "BulkheadFullError"} == outcomes

    users = Users(bulkhead)
    tasks = [asyncio.create_task(users.use()) for _ in range(5)]
    await asyncio.sleep(0)
    assert 5 == users.inside
    users.leave.set()
    await asyncio.gather(*tasks)
