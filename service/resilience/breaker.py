"""A breaker: after many failures nobody is sent into the next one, but for one probe now and then."""

import random
import time
from collections.abc import Callable
from typing import Self

from service.resilience.health import BreakerSettings, Health, Outcome
from service.resilience.window import MonotonicClock

_BETWEEN_PROBES_SECONDS = 1.0


class BreakerOpenError(Exception):
    """Nobody is let through; `wait_seconds` until the next probe may be."""

    def __init__(self, wait_seconds: float) -> None:
        super().__init__(f"open for {wait_seconds:.1f} s more")
        self.wait_seconds = wait_seconds


class Breaker:
    """A call that was let through before it opened or closed has no say any more."""

    def __init__(
        self, settings: BreakerSettings, on_change: Callable[[bool], None], clock: MonotonicClock = time.monotonic
    ) -> None:
        self.is_open = False
        self._settings = settings
        self._on_change = on_change
        self._clock = clock
        self._open_seconds = settings.open_seconds
        self._probe_at = 0.0
        self._probing = False
        self._health = Health(settings, clock)

    def check(self) -> None:
        """Pass where a call would be let through now.

        Raises:
            BreakerOpenError: it would not.
        """
        if not self.is_open:
            return
        wait_seconds = self._probe_at - self._clock()
        if self._probing or wait_seconds > 0:
            raise BreakerOpenError(max(wait_seconds, 0.0))

    def call(self) -> "Call":
        """Make a call inside; while the breaker is open it is a probe, and the only one.

        Raises:
            BreakerOpenError: not now.
        """
        return Call(self)

    def begin(self) -> Health | None:
        """What `call` does first. A call is judged by the health that it began with, a probe by itself."""
        self.check()
        if not self.is_open:
            return self._health
        self._probing, self._probe_at = True, self._clock() + _BETWEEN_PROBES_SECONDS
        return None

    def end(self, began_with: Health | None, outcome: Outcome) -> None:
        """What `call` does last."""
        if began_with is None:
            self._probing = False
            self._judge_probe(outcome)
        elif began_with is self._health:
            began_with.add(outcome)
            if began_with.is_bad():
                self._open()

    def _judge_probe(self, outcome: Outcome) -> None:
        if outcome is Outcome.FAILED:
            self._open()
        elif outcome is not Outcome.UNKNOWN:
            self._open_seconds = self._settings.open_seconds
            self._change(is_open=False)

    def _open(self) -> None:
        # Jitter, so that replicas do not probe at the same moment.
        self._probe_at = self._clock() + self._open_seconds * random.uniform(1.0, 1.1)  # noqa: S311  # no secret
        self._open_seconds = min(self._open_seconds * 2, self._settings.longest_open_seconds)
        self._change(is_open=True)

    def _change(self, *, is_open: bool) -> None:
        self._health = Health(self._settings, self._clock)
        if is_open != self.is_open:
            self.is_open = is_open
            self._on_change(is_open)


class Call:
    """A call that was let through; whoever makes it says what came of it."""

    def __init__(self, breaker: Breaker) -> None:
        self.outcome = Outcome.UNKNOWN
        self._breaker = breaker

    def __enter__(self) -> Self:
        self._began_with = self._breaker.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self._breaker.end(self._began_with, self.outcome)
