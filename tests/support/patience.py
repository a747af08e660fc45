"""Waiting for a condition, with a deadline; never for a time."""

import time
from collections.abc import Callable

_PATIENCE_SECONDS = 30.0


def wait_until(holds: Callable[[], object], what: str = "what was waited for") -> None:
    """Return as soon as the condition holds.

    Raises:
        TimeoutError: it did not in time.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen")
        time.sleep(0.005)
