"""A rate budget: so many calls in any minute."""

import time
from collections import deque
from typing import Protocol

from service.resilience.window import MonotonicClock

WINDOW_SECONDS = 60.0


class RateSpentError(Exception):
    """The budget is spent; `wait_seconds` until there is room for one more."""

    def __init__(self, wait_seconds: float) -> None:
        super().__init__(f"spent for {wait_seconds:.1f} s more")
        self.wait_seconds = wait_seconds


class ShareSpentError(RateSpentError):
    """One payer's share of the budget is spent; there may be room for others."""


class RateBudget(Protocol):
    """Whoever makes a call takes it from here first."""

    async def take(self) -> float:
        """0 when it is granted; else the seconds until another would be, and nothing was taken.

        Raises:
            ShareSpentError: there may be room, but not for whoever this is for.
        """
        ...


class LocalRate:
    """The budget of this process alone, exact over any minute."""

    def __init__(self, per_minute: int, clock: MonotonicClock = time.monotonic) -> None:
        self._clock = clock
        self._granted: deque[float] = deque(maxlen=per_minute)

    async def take(self) -> float:
        """0 when it is granted; else the seconds until another would be."""
        now = self._clock()
        if len(self._granted) == self._granted.maxlen and (wait := self._granted[0] + WINDOW_SECONDS - now) > 0:
            return wait
        self._granted.append(now)  # pushes out the oldest, which is over
        return 0.0
