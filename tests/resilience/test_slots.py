"""Slots, and the queue for them."""

import asyncio

import pytest

from service.resilience.slots import Slots


def in_seconds(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def test_who_waits_is_served_in_turn() -> None:
    """A slot that is given back goes to the first who waits, and to nobody who comes at that moment."""
    slots, served = Slots(1), []
    assert [True, False] == [slots.take(), slots.take()]

    async def wait(name: str) -> None:
        await slots.wait(in_seconds(5))
        served.append(name)

    waiting = [asyncio.create_task(wait(name)) for name in "abc"]
    await asyncio.sleep(0)
    for _ in waiting:
        slots.give_back()
        assert not slots.take()
    await asyncio.gather(*waiting)

    assert ["a", "b", "c"] == served
    slots.give_back()
    assert [True, False] == [slots.take(), slots.take()]


@pytest.mark.parametrize("late", [False, True])
async def test_who_leaves_takes_no_slot_along(late: bool) -> None:  # noqa: FBT001  # a table's column
    """Whoever is cancelled, at the very moment that the slot comes as well, leaves it to the next."""
    slots = Slots(1)
    slots.take()
    leaving, staying = (asyncio.create_task(slots.wait(in_seconds(5))) for _ in range(2))
    await asyncio.sleep(0)
    if late:
        slots.give_back()
    leaving.cancel()
    if not late:
        slots.give_back()
    await staying

    assert leaving.cancelled()
    assert not slots.take()


async def test_wait_is_bounded() -> None:
    """Who waits in vain is told at the latest moment, and is not served afterwards."""
    slots = Slots(1)
    slots.take()
    with pytest.raises(TimeoutError):
        await slots.wait(in_seconds(0.05))
    slots.give_back()

    assert [True, False] == [slots.take(), slots.take()]
