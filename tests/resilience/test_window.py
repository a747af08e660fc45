"""How often something happened lately."""

from service.resilience.window import Window
from tests.support.clock import MovedClock


def test_counts_and_forgets() -> None:
    """What happened counts for the window's length, and not for longer."""
    clock = MovedClock()
    window = Window(10.0, clock)
    totals = [window.total()]
    for _ in range(4):
        window.add()
        clock.move(3.0)
        totals.append(window.total())

    assert [0, 1, 2, 3, 3] == totals
    clock.move(10.1)
    assert 0 == window.total()


def test_is_right_to_a_twentieth() -> None:
    """An event is counted for at least nineteen twentieths of the window, and never for more than all of it."""
    for offset in range(50):
        clock = MovedClock()
        clock.move(offset / 37)
        window = Window(10.0, clock)
        window.add()
        clock.move(9.5)
        assert 1 == window.total()
        clock.move(0.5)
        assert 0 == window.total()


def test_memory_does_not_grow_with_load() -> None:
    """However much happens, only as many numbers are kept as there are steps."""
    clock = MovedClock()
    window = Window(10.0, clock)
    for _ in range(10_000):
        window.add()
        clock.move(0.01)

    assert 940 <= window.total() <= 1000
    assert len(window._steps) <= 21  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # its size is the claim
