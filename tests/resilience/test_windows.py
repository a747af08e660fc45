"""The sliding windows of one process."""

from hypothesis import given
from hypothesis import strategies as st

from service.resilience.windows import LocalWindows
from tests.support.clock import MovedClock

# Steps of a quarter of a second, which floats hold exactly.
STEPS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 30).map(lambda quarters: quarters / 4)), max_size=60)


@given(most=st.integers(1, 5), steps=STEPS)
def test_is_exact_over_any_window(most: int, steps: list[tuple[str, float]]) -> None:
    """Whatever is asked when, it is granted where fewer than the limit were in the last ten seconds, and only there."""
    clock = MovedClock()
    clock.now = 1000.0
    windows = LocalWindows(clock)
    granted: dict[str, list[float]] = {"a": [], "b": []}
    for key, seconds in steps:
        clock.move(seconds)
        inside = [at for at in granted[key] if clock.now - at < 10]
        expected = 0.0 if len(inside) < most else inside[0] + 10 - clock.now

        assert expected == windows.wait(key, most, 10)
        if not expected:
            windows.add(key, most, 10)
            granted[key].append(clock.now)


def test_lower_limit_counts_what_was_granted_before() -> None:
    """Where the limit changes, what was granted under the other one stays counted."""
    clock = MovedClock()
    windows = LocalWindows(clock)
    for _ in range(4):
        windows.add("a", 4, 10)
        clock.move(1)

    assert [0.0, 0.0] == [windows.wait("a", 5, 10), windows.wait("b", 1, 10)]
    assert [6.0, 8.0] == [round(windows.wait("a", most, 10), 6) for most in (4, 2)]


def test_forgets_what_is_over() -> None:
    """A hundred thousand addresses over three hours take no more room than those of the last minutes."""
    clock = MovedClock()
    windows, most_keys = LocalWindows(clock), 0
    for number in range(100_000):
        windows.add(f"{number}", 1, 60)
        clock.move(0.1)
        most_keys = max(most_keys, len(windows))

    assert most_keys < 2000


def test_has_an_end() -> None:
    """A flood of new addresses at one moment drops the oldest, and the newest still count."""
    windows = LocalWindows(MovedClock())
    for number in range(150_001):
        windows.add(f"{number}", 1, 60)

    assert 50_000 <= len(windows) <= 100_000
    assert [0.0, 60.0] == [windows.wait(key, 1, 60) for key in ("0", "150000")]
