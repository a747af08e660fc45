"""What lately came of the calls to a dependency, and whether that is bad enough to leave it alone."""

from enum import Enum, auto

from msgspec import Struct

from service.resilience.window import MonotonicClock, Window


class Outcome(Enum):
    """What a call says of the dependency's health."""

    UNKNOWN = auto()  # cancelled, or not made after all
    ANSWERED = auto()  # it is there: enough for a probe, no evidence otherwise
    SUCCEEDED = auto()
    FAILED = auto()


class BreakerSettings(Struct, frozen=True, kw_only=True):
    """Bad is `in_a_row` failures, or `share` of at least `enough` calls in `seconds`; what follows is the breaker's."""

    in_a_row: int = 5
    share: float = 0.5
    enough: int = 20
    seconds: float = 10.0
    open_seconds: float = 5.0
    longest_open_seconds: float = 30.0


class Health:
    """Counts outcomes."""

    def __init__(self, settings: BreakerSettings, clock: MonotonicClock) -> None:
        self._settings = settings
        self._calls = Window(settings.seconds, clock)
        self._failures = Window(settings.seconds, clock)
        self._in_a_row = 0

    def add(self, outcome: Outcome) -> None:
        """Count what came of a call."""
        if outcome is Outcome.SUCCEEDED:
            self._calls.add()
            self._in_a_row = 0
        elif outcome is Outcome.FAILED:
            self._calls.add()
            self._failures.add()
            self._in_a_row += 1

    def is_bad(self) -> bool:
        """Whether a limit is reached."""
        limits, failures = self._settings, self._failures.total()
        if not failures:
            return False
        calls = self._calls.total()
        return self._in_a_row >= limits.in_a_row or (calls >= limits.enough and failures >= limits.share * calls)
