"""What was looked up once: shared while it is asked for, remembered for an hour, forgotten when it was wrong."""

import asyncio
import gc
from collections.abc import Awaitable, Callable

import pytest

from service.checkout.errors import UpstreamTimeoutError
from service.providers.paynow_gg.remembered import Found, Remembered
from tests.support.upstream import until


class LookUp:
    """A look-up that counts how often it began, and ends when it is told to."""

    def __init__(self, end: Callable[[], Awaitable[str]] | None = None) -> None:
        self.begun = 0
        self.ended = False
        self.gate = asyncio.Event()
        self._end = end

    async def __call__(self) -> str:
        self.begun += 1
        await self.gate.wait()
        self.ended = True
        return await self._end() if self._end else "value"


async def fail() -> str:
    raise UpstreamTimeoutError("The provider did not answer in time.") from TimeoutError()


async def test_one_look_up_serves_all_who_wait() -> None:
    """A hundred who ask at once share one look-up; who comes later is told that it was known."""
    known, look_up = Remembered(), LookUp()
    waiting = [asyncio.create_task(known.get("a", look_up)) for _ in range(100)]
    await until(lambda: look_up.begun == 1)
    look_up.gate.set()

    assert [Found("value", remembered=False)] * 100 == await asyncio.gather(*waiting)
    assert Found("value", remembered=True) == await known.get("a", look_up)
    assert 1 == look_up.begun


async def test_who_leaves_harms_nobody() -> None:
    """The one who began the look-up is cancelled: the others get their answer, by the same look-up."""
    known, look_up = Remembered(), LookUp()
    leader = asyncio.create_task(known.get("a", look_up))
    await until(lambda: look_up.begun == 1)
    followers = [asyncio.create_task(known.get("a", look_up)) for _ in range(3)]
    leader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leader
    look_up.gate.set()

    assert [Found("value", remembered=False)] * 3 == await asyncio.gather(*followers)
    assert 1 == look_up.begun


async def test_failure_is_shared_and_not_remembered() -> None:
    """Each who waited gets the failure as an exception of their own; the next asks anew."""
    known, look_up = Remembered(), LookUp(fail)
    waiting = [asyncio.create_task(known.get("a", look_up)) for _ in range(3)]
    await until(lambda: look_up.begun == 1)
    look_up.gate.set()
    failures = await asyncio.gather(*waiting, return_exceptions=True)

    assert [UpstreamTimeoutError] * 3 == [type(one) for one in failures]
    assert 3 == len({id(one) for one in failures})
    assert all(isinstance(one, BaseException) and isinstance(one.__cause__, TimeoutError) for one in failures)
    with pytest.raises(UpstreamTimeoutError):
        await known.get("a", look_up)
    assert 2 == look_up.begun


async def test_failure_that_nobody_waits_for_is_silent() -> None:
    """When all have left, a failing look-up ends without a word of an exception that nobody took."""
    known, look_up, complaints = Remembered(), LookUp(fail), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    leader = asyncio.create_task(known.get("a", look_up))
    await until(lambda: look_up.begun == 1)
    leader.cancel()
    look_up.gate.set()
    await until(lambda: look_up.ended)
    gc.collect()

    assert leader.cancelled()
    assert [] == complaints


async def test_what_was_forgotten_is_asked_for_again() -> None:
    """A value that turned out wrong is dropped; a newer one in its place is not."""
    known, look_up = Remembered(), LookUp()
    look_up.gate.set()
    await known.get("a", look_up)
    known.forget("a", "another value")

    assert (await known.get("a", look_up)).remembered
    known.forget("a", "value")
    known.forget("a", "value")
    assert not (await known.get("a", look_up)).remembered
    assert 2 == look_up.begun


async def test_memory_is_bounded_in_number() -> None:
    """The oldest goes when there are too many."""
    known, look_up = Remembered(most=2), LookUp()
    look_up.gate.set()
    for key in "abc":
        await known.get(key, look_up)

    assert [True, True, False] == [(await known.get(key, look_up)).remembered for key in "bca"]


async def test_memory_is_bounded_in_time() -> None:
    """Nothing outlives its time."""
    known, look_up = Remembered(kept_seconds=0.0), LookUp()
    look_up.gate.set()
    await known.get("a", look_up)

    assert not (await known.get("a", look_up)).remembered


async def test_keys_do_not_wait_for_one_another() -> None:
    """A look-up that hangs holds up nobody who asks for something else."""
    known, hanging, quick = Remembered(), LookUp(), LookUp()
    stuck = asyncio.create_task(known.get("a", hanging))
    await until(lambda: hanging.begun == 1)
    quick.gate.set()

    assert "value" == (await known.get("b", quick)).value
    hanging.gate.set()
    await stuck
