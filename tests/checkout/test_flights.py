"""Requests of one process that want the same at the same time."""

import asyncio

import pytest

from service.checkout.errors import UpstreamTimeoutError
from service.checkout.flights import Flights


class Making:
    """Something that takes as long as a test says."""

    def __init__(self) -> None:
        self.begun = 0
        self.may_end = asyncio.Event()
        self.failure: Exception | None = None

    async def __call__(self) -> int:
        self.begun += 1
        await self.may_end.wait()
        if self.failure:
            raise self.failure
        return self.begun


async def test_one_makes_for_all() -> None:
    """A hundred who ask while it is made share it; whoever asks afterwards begins anew."""
    flights, making = Flights[int](), Making()
    askers = [asyncio.create_task(flights.join("a", making)) for _ in range(100)]
    await asyncio.sleep(0)
    making.may_end.set()

    assert [(1, True)] + [(1, False)] * 99 == await asyncio.gather(*askers)
    assert (2, True) == await flights.join("a", making)


async def test_other_wishes_are_made_apart() -> None:
    """Another key is another making."""
    flights, making = Flights[int](), Making()
    making.may_end.set()

    assert {1, 2} == {(await flights.join("a", making))[0], (await flights.join("b", making))[0]}


async def test_leaving_harms_nobody() -> None:
    """Who began it may leave: the others get what is made, by the one call."""
    flights, making = Flights[int](), Making()
    first = asyncio.create_task(flights.join("a", making))
    await asyncio.sleep(0)
    others = [asyncio.create_task(flights.join("a", making)) for _ in range(10)]
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    making.may_end.set()

    assert [(1, False)] * 10 == await asyncio.gather(*others)


async def test_failure_is_each_asker_s_own() -> None:
    """A failure is shared and not kept: each gets an error of its own, and the next asker another try."""
    flights, making = Flights[int](), Making()
    making.failure = UpstreamTimeoutError("late")
    askers = [asyncio.create_task(flights.join("a", making)) for _ in range(3)]
    await asyncio.sleep(0)
    making.may_end.set()
    errors = await asyncio.gather(*askers, return_exceptions=True)
    making.failure = None

    assert [UpstreamTimeoutError] * 3 == [type(error) for error in errors]
    assert 3 == len({id(error) for error in errors})
    assert (2, True) == await flights.join("a", making)


async def test_failure_that_nobody_waits_for() -> None:
    """A making that fails after all have left is no noise."""
    flights, making = Flights[int](), Making()
    making.failure = UpstreamTimeoutError("late")
    asker = asyncio.create_task(flights.join("a", making))
    await asyncio.sleep(0)
    asker.cancel()
    making.may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await asker
    making.failure = None
    for _ in range(3):  # until the failed one has landed
        await asyncio.sleep(0)

    assert (2, True) == await flights.join("a", making)
