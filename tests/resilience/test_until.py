"""The end of a wait."""

import asyncio

import pytest

from service.resilience.until import Until


def in_seconds(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


@pytest.mark.parametrize("seconds", [0.05, 0.0, -1.0])
async def test_wait_ends_at_the_deadline(seconds: float) -> None:
    """What waits longer ends with a TimeoutError, at once where the deadline is over; the task goes on."""
    with pytest.raises(TimeoutError), Until(in_seconds(seconds)):
        await asyncio.sleep(10)

    await asyncio.sleep(0.01)
    task = asyncio.current_task()
    assert task is not None
    assert 0 == task.cancelling()


async def test_wait_that_ends_earlier_is_left_alone() -> None:
    """Nothing comes after the end, neither of a wait that brought something nor of one that failed."""
    with Until(in_seconds(0.05)):
        await asyncio.sleep(0.01)
    with pytest.raises(KeyError), Until(in_seconds(0.05)):
        raise KeyError
    await asyncio.sleep(0.1)


async def test_cancellation_stays_one() -> None:
    """Whoever is cancelled from outside is cancelled, before the deadline and at the same moment."""

    async def wait(seconds: float) -> None:
        with Until(in_seconds(seconds)):
            await asyncio.Event().wait()

    for seconds in (10.0, 0.0):
        task = asyncio.create_task(wait(seconds))
        await asyncio.sleep(0)
        if seconds:
            task.cancel()
        else:
            asyncio.get_running_loop().call_soon(task.cancel)
        [outcome] = await asyncio.gather(task, return_exceptions=True)
        assert asyncio.CancelledError is type(outcome)
