"""How many retries there may be."""

from service.resilience.retries import RetryBudget
from tests.support.clock import MovedClock


def granted(budget: RetryBudget, clock: MovedClock, *, per_second: int, seconds: int) -> int:
    """Retries that are granted when every request asks for one."""
    count = 0
    for _ in range(per_second * seconds):
        budget.note_request()
        count += budget.take()
        clock.move(1 / per_second)
    return count


def test_a_tenth_of_the_requests() -> None:
    """Of a load at which every request wants a retry, a tenth gets one, and the share is used."""
    clock = MovedClock()

    assert 380 <= granted(RetryBudget(clock), clock, per_second=200, seconds=20) <= 400


def test_one_a_second_in_any_case() -> None:
    """Of few requests, each may have its retry as long as that is at most one a second."""
    clock = MovedClock()
    budget = RetryBudget(clock)

    assert 10 == granted(budget, clock, per_second=1, seconds=10)
    assert 9 <= granted(budget, clock, per_second=5, seconds=10) <= 11


def test_old_requests_grant_nothing() -> None:
    """Requests of more than ten seconds ago do not count."""
    clock = MovedClock()
    budget = RetryBudget(clock)
    for _ in range(1000):
        budget.note_request()
    clock.move(11)

    assert [True, False] == [budget.take(), budget.take()]
