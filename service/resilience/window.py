"""How often something happened lately, in steps, so that memory does not grow with load."""

from collections import deque
from collections.abc import Callable

MonotonicClock = Callable[[], float]
_STEPS = 20


class Window:
    """Counts over the last `seconds`, right to a twentieth of them."""

    def __init__(self, seconds: float, clock: MonotonicClock) -> None:
        self._step_seconds = seconds / _STEPS
        self._clock = clock
        self._steps: deque[list[int]] = deque()  # [step, count]
        self._total = 0

    def add(self) -> None:
        """It happened once more."""
        step = int(self._clock() / self._step_seconds)
        if not self._steps or self._steps[-1][0] != step:
            self._forget_before(step)
            self._steps.append([step, 0])
        self._steps[-1][1] += 1
        self._total += 1

    def total(self) -> int:
        """How often it happened."""
        if self._total:
            self._forget_before(int(self._clock() / self._step_seconds))
        return self._total

    def _forget_before(self, now: int) -> None:
        while self._steps and self._steps[0][0] <= now - _STEPS:
            self._total -= self._steps.popleft()[1]
