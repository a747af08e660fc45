"""A breaker: after many failures nobody is sent into the next one, but for one probe now and then."""

import random
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from service.resilience.health import BreakerSettings, Health, Outcome
from service.resilience.window import MonotonicClock

_BETWEEN_PROBES_SECONDS = 1.0


class BreakerOpenError(Exception):
    """Nobody is let through; `wait_seconds` until the next probe may be."""

    def __init__(self, wait_seconds: float) -> None:
        super().__init__(f"open for {wait_seconds:.1f} s more")
        self.wait_seconds = wait_seconds


class Call:
    """A call that was let through; whoever makes it says what came of it."""

    outcome = Outcome.UNKNOWN


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
        wait_seconds = self._probe_at - self._clock()
        if self.is_open and (self._probing or wait_seconds > 0):
            raise BreakerOpenError(max(wait_seconds, 0.0))

    @contextmanager
    def call(self) -> Generator[Call]:
        """Make a call inside; while the breaker is open it is a probe, and the only one.

        Raises:
            BreakerOpenError: not now.
        """
        self.check()
        call, health, is_probe = Call(), self._health, self.is_open
        if is_probe:
            self._probing, self._probe_at = True, self._clock() + _BETWEEN_PROBES_SECONDS
        try:
            yield call
        finally:
            if is_probe:
                self._probing = False
                self._judge_probe(call.outcome)
            elif health is self._health:
                health.add(call.outcome)
                if health.is_bad():
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
