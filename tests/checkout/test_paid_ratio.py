"""What follows from the share of sessions that are paid."""

import pytest
from msgspec.structs import replace

from service.checkout.fingerprint import Hasher
from service.checkout.paid_ratio import AS_USUAL, ASKING, SLOWER, SLOWEST, Hour, PaidRatio, Step, step_at
from service.checkout.session import State
from tests.support.limits import OFF, MemoryPaid, limits_of
from tests.support.orders import CHECKOUT
from tests.support.world import World


@pytest.mark.parametrize(
    ("minted", "paid", "step"),
    [
        (100, 40, AS_USUAL),
        (100, 39, SLOWER),
        (100, 20, SLOWER),
        (100, 19, ASKING),
        (100, 10, ASKING),
        (100, 9, SLOWEST),
        (100, 0, SLOWEST),
        (50, 0, SLOWEST),
        (49, 0, AS_USUAL),
        (0, 0, AS_USUAL),
    ],
)
def test_steps(minted: int, paid: int, step: Step) -> None:
    """A floor of 0.4 tightens below it, below a half and a quarter of it, and with fifty sessions or more."""
    assert step == step_at(0.4, Hour(minted, paid, ever_paid=True))


def test_nothing_before_a_payment_was_seen() -> None:
    """Where no payment was ever told of, nothing is concluded from there being none."""
    assert AS_USUAL == step_at(1.0, Hour(1000, 0, ever_paid=False))


async def test_checkouts_have_their_own() -> None:
    """What happens in one checkout tells nothing of another."""
    store = MemoryPaid()
    ratio = PaidRatio(0.5, store, Hasher(b"k" * 32))
    await ratio.note("default", "paid")
    for _ in range(60):
        await ratio.note("default", "minted")

    assert (SLOWEST, AS_USUAL) == (await ratio.step("default"), await ratio.step("other"))


async def test_without_a_floor_nothing_is_counted() -> None:
    """A floor of 0 costs nothing."""
    store = MemoryPaid()
    ratio = PaidRatio(0.0, store, Hasher(b"k" * 32))
    await ratio.note("default", "minted")

    assert (AS_USUAL, {}) == (await ratio.step("default"), store.hours)


@pytest.mark.parametrize(("state", "paid"), [("completed", 1), ("abandoned", 0), ("refunded", 0)])
async def test_payments_that_a_provider_tells_of_are_counted(state: State, paid: int) -> None:
    """Each session that is made counts once, and so does one that turns out to be paid, however often that is asked."""
    store = MemoryPaid()
    limits = limits_of(replace(OFF, paid_ratio_floor=0.1), paid=store)
    world = World(replace(CHECKOUT, verify_after_seconds=0), verified=True, limits=limits)
    world.verifier.states[await world.ask()] = state

    assert ["OS2"] * 3 == [await world.ask() for _ in range(3)]
    assert [{"minted": 2, "paid": paid}] == [{"paid": 0, **hour} for hour in store.hours.values()]
