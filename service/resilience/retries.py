"""A budget for retries: they stay a small part of all requests, so that they never make an outage worse."""

import time

from service.resilience.window import MonotonicClock, Window

_SECONDS = 10.0
_SHARE = 0.1
_ALWAYS_EVERY_SECONDS = 1.0


class RetryBudget:
    """A tenth of the requests of the last ten seconds, and one a second in any case."""

    def __init__(self, clock: MonotonicClock = time.monotonic) -> None:
        self._clock = clock
        self._requests = Window(_SECONDS, clock)
        self._retries = Window(_SECONDS, clock)
        self._last_retry_at = float("-inf")

    def note_request(self) -> None:
        """A request is made, its retries not counted."""
        self._requests.add()

    def take(self) -> bool:
        """Whether there may be one more retry now."""
        now = self._clock()
        within = self._retries.total() + 1 <= _SHARE * self._requests.total()
        if not within and now - self._last_retry_at < _ALWAYS_EVERY_SECONDS:
            return False
        self._retries.add()
        self._last_retry_at = now
        return True
