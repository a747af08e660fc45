"""The fault dial: which of the faults that were set, if any, befalls a request."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from msgspec import Struct


class Match(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    method: str | None = None
    path_pattern: str = "*"

    def holds_for(self, method: str, path: str) -> bool:
        return self.method in (None, method) and fnmatchcase(path, self.path_pattern)


class Fault(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """`processed`: the request is carried out, its answer lost. The last block is for some kinds only."""

    kind: str
    match: Match = Match()
    times: int | None = None
    probability: float = 1.0
    processed: bool = False

    seconds: float = 5.0
    retry_after: int | str | None = None
    mebibytes: int = 16
    location: str = "http://169.254.169.254/"
    code: str = "INVALID_COUNTRY"
    shape: str = ""


@dataclass
class ArmedFault:
    fault: Fault
    used: int = 0

    def is_due(self, method: str, path: str, roll: float) -> bool:
        times = self.fault.times
        left = times is None or self.used < times
        return left and self.fault.match.holds_for(method, path) and roll < self.fault.probability


class FaultDial:
    """The first fault that is due wins; `dice` answers a number from 0 up to, not including, 1."""

    def __init__(self, dice: Callable[[], float]) -> None:
        self._dice = dice
        self.armed: list[ArmedFault] = []

    def set(self, faults: Sequence[Fault]) -> None:
        self.armed = [ArmedFault(fault) for fault in faults]

    def choose(self, method: str, path: str) -> Fault | None:
        for armed in self.armed:
            if armed.is_due(method, path, self._dice()):
                armed.used += 1
                return armed.fault
        return None
