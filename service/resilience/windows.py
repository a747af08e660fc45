"""Sliding windows of this process, one for each key, exact; what is over is forgotten."""

import time
from typing import NamedTuple

from service.resilience.window import MonotonicClock

_MOST_KEYS = 100_000
_FEW_KEYS = 1000


class _Window(NamedTuple):
    seconds: float
    times: list[float]


class LocalWindows:
    """How often something was granted lately. Beyond 100,000 keys those that are there for the longest are dropped."""

    def __init__(self, clock: MonotonicClock = time.monotonic) -> None:
        self._clock = clock
        self._windows: dict[str, _Window] = {}
        self._tidy_at = _FEW_KEYS

    def wait(self, key: str, most: int, seconds: float) -> float:
        """The seconds until there is room for one more; 0 when there is."""
        window = self._windows.get(key)
        if window is None or len(window.times) < most:
            return 0.0
        return max(0.0, window.times[-most] + seconds - self._clock())

    def add(self, key: str, most: int, seconds: float) -> None:
        """One more was granted; the latest `most` of them are remembered."""
        window = self._windows.get(key)
        if window is None:
            self._tidy()
            window = self._windows[key] = _Window(seconds, [])
        window.times.append(self._clock())
        del window.times[:-most]

    def __len__(self) -> int:
        return len(self._windows)

    def _tidy(self) -> None:
        """Look through all only after their number has doubled, so that it costs nothing on average."""
        if len(self._windows) < self._tidy_at:
            return
        now = self._clock()
        living = [(key, one) for key, one in self._windows.items() if now - one.times[-1] < one.seconds]
        self._windows = dict(living[-_MOST_KEYS // 2 :])
        self._tidy_at = min(_MOST_KEYS, max(_FEW_KEYS, 2 * len(self._windows)))
