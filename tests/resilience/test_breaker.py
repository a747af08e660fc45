"""When a breaker opens, what it lets through then, and when it closes."""

import asyncio
from contextlib import ExitStack

import pytest

from service.resilience.breaker import Breaker, BreakerOpenError
from service.resilience.health import BreakerSettings, Outcome
from tests.support.clock import MovedClock

FAILED, SUCCEEDED, ANSWERED, UNKNOWN = Outcome.FAILED, Outcome.SUCCEEDED, Outcome.ANSWERED, Outcome.UNKNOWN


class Watched:
    """A breaker with the clock that it reads and the changes that it told."""

    def __init__(self, settings: BreakerSettings | None = None) -> None:
        self.clock = MovedClock()
        self.changes: list[bool] = []
        self.breaker = Breaker(settings or BreakerSettings(), self.changes.append, self.clock)

    def call(self, *outcomes: Outcome) -> None:
        """Calls that end so."""
        for outcome in outcomes:
            with self.breaker.call() as call:
                call.outcome = outcome

    def wait_seconds(self) -> float:
        """How long it says to wait."""
        with pytest.raises(BreakerOpenError) as refused:
            self.breaker.check()
        return refused.value.wait_seconds


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_opens_at_five_in_a_row(watched: Watched) -> None:
    """Four failures do nothing, the fifth opens it, and then nobody is let through."""
    watched.call(*[FAILED] * 4)
    watched.breaker.check()
    watched.call(FAILED)

    assert 5.0 <= watched.wait_seconds() <= 5.5
    with pytest.raises(BreakerOpenError):
        watched.call(SUCCEEDED)


def test_success_ends_a_row(watched: Watched) -> None:
    """Failures with a success between them are no row."""
    watched.call(*[FAILED] * 4, SUCCEEDED, *[FAILED] * 4)

    assert not watched.breaker.is_open


@pytest.mark.parametrize("outcome", [ANSWERED, UNKNOWN])
def test_other_outcomes_do_not_count(watched: Watched, outcome: Outcome) -> None:
    """A refusal or a cancelled call is neither a failure nor a success: it opens nothing and ends no row."""
    watched.call(*[outcome] * 100, *[FAILED] * 4, *[outcome] * 100)
    watched.breaker.check()
    watched.call(FAILED)

    assert watched.breaker.is_open


@pytest.mark.parametrize(("calls", "failures", "is_open"), [(19, 10, False), (20, 10, True), (40, 19, False)])
def test_opens_at_half_of_enough_calls(watched: Watched, calls: int, failures: int, is_open: bool) -> None:  # noqa: FBT001  # a table's column
    """Half of twenty calls opens it; half of fewer, or less than half, does not."""
    successes = calls - failures
    watched.call(*[SUCCEEDED] * (successes - failures), *[SUCCEEDED, FAILED] * min(successes, failures))
    watched.call(*[FAILED] * max(0, failures - successes))

    assert is_open == watched.breaker.is_open


def test_failures_are_forgotten_after_ten_seconds(watched: Watched) -> None:
    """Failures that are spread out are no burst."""
    for _ in range(30):
        watched.call(FAILED, SUCCEEDED)
        watched.clock.move(1.3)

    assert not watched.breaker.is_open


def test_one_probe_closes_it(watched: Watched) -> None:
    """After its time one call is let through; when that succeeds everybody is, and counting begins anew."""
    watched.call(*[FAILED] * 5)
    watched.clock.move(5.6)
    with watched.breaker.call() as probe:
        watched.wait_seconds()  # nobody else meanwhile
        probe.outcome = SUCCEEDED
    watched.call(*[FAILED] * 4)

    assert not watched.breaker.is_open
    assert [True, False] == watched.changes


def test_refusal_is_life_enough_for_a_probe(watched: Watched) -> None:
    """A provider that refuses a probe is there, so that nobody is told for ever that it is not."""
    watched.call(*[FAILED] * 5)
    watched.clock.move(5.6)
    watched.call(ANSWERED)

    assert not watched.breaker.is_open


def test_failed_probes_double_the_time(watched: Watched) -> None:
    """5 s, 10 s, 20 s and 30 s from then on, each a little longer by chance; a success begins anew."""
    watched.call(*[FAILED] * 5)
    waits = [watched.wait_seconds()]
    for _ in range(2000):  # far beyond what a power of two could hold
        watched.clock.move(waits[-1] + 0.001)
        watched.call(FAILED)
        waits.append(watched.wait_seconds())
    watched.clock.move(waits[-1] + 0.001)
    watched.call(SUCCEEDED, *[FAILED] * 5)

    for least, wait in zip((5, 10, 20, 30, 30, 30), waits, strict=False):
        assert least <= wait <= least * 1.1
    assert max(waits) <= 33
    assert len(set(waits)) > 1000
    assert 5.0 <= watched.wait_seconds() <= 5.5
    assert [True, False, True] == watched.changes


async def test_cancelled_probe_takes_no_place_for_ever(watched: Watched) -> None:
    """A probe that is cancelled says nothing; the next one comes a second after it began, no sooner."""
    watched.call(*[FAILED] * 5)
    watched.clock.move(5.6)

    async def probe() -> None:
        with watched.breaker.call():
            await asyncio.Event().wait()

    probing = asyncio.create_task(probe())
    await asyncio.sleep(0)
    watched.clock.move(0.4)
    assert 0.59 < watched.wait_seconds() < 0.61
    probing.cancel()
    await asyncio.gather(probing, return_exceptions=True)

    assert 0.59 < watched.wait_seconds() < 0.61
    watched.clock.move(0.7)
    watched.call(SUCCEEDED)
    assert not watched.breaker.is_open


def test_probes_are_a_second_apart(watched: Watched) -> None:
    """However short the time it stays open, there is at most one probe a second."""
    watched = Watched(BreakerSettings(in_a_row=1, open_seconds=1.0, longest_open_seconds=1.0))
    watched.call(FAILED)
    probes = 0
    for _ in range(1000):
        watched.clock.move(0.01)
        try:
            watched.call([UNKNOWN, FAILED][probes % 2])
        except BreakerOpenError:
            continue
        probes += 1

    assert 8 <= probes <= 10


def test_call_of_earlier_has_no_say(watched: Watched) -> None:
    """A call that began before the breaker opened neither closes it nor lengthens its time."""
    with watched.breaker.call() as early_success, watched.breaker.call() as early_failure:
        watched.call(*[FAILED] * 5)
        wait = watched.wait_seconds()
        early_success.outcome, early_failure.outcome = SUCCEEDED, FAILED
    assert wait == watched.wait_seconds()
    assert watched.breaker.is_open


def test_call_of_earlier_has_no_say_later(watched: Watched) -> None:
    """Failures of calls that began before the breaker opened and closed again are no row of the time after."""
    with ExitStack() as early:
        calls = [early.enter_context(watched.breaker.call()) for _ in range(5)]
        watched.call(*[FAILED] * 5)
        watched.clock.move(5.6)
        watched.call(SUCCEEDED)
        for call in calls:
            call.outcome = FAILED

    assert not watched.breaker.is_open
