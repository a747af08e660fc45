"""What was looked up, remembered for an hour in this process; each key is looked up by one at a time."""

import asyncio
import copy
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, NamedTuple

from service.checkout.errors import ProviderError

_MOST = 10_000
_KEPT_SECONDS = 3600.0


class Found(NamedTuple):
    """A value; `remembered` is whether it was known before, and so may be out of date."""

    value: str
    remembered: bool


class Remembered:
    """Values by key, at most `most` of them: the oldest is forgotten first."""

    def __init__(self, *, most: int = _MOST, kept_seconds: float = _KEPT_SECONDS) -> None:
        self._most = most
        self._kept_seconds = kept_seconds
        self._known: dict[str, tuple[str, float]] = {}
        self._running: dict[str, asyncio.Task[str]] = {}

    async def get(self, key: str, look_up: Callable[[], Coroutine[Any, Any, str]]) -> Found:
        """The value of a key; who asks for it while it is looked up waits for that, and shares its end.

        The look-up goes on when who began it leaves, as others may wait, and what it makes must not be made twice.

        Raises:
            ProviderError: the look-up failed.
        """
        value, until = self._known.get(key, ("", 0.0))
        if asyncio.get_running_loop().time() < until:
            return Found(value, remembered=True)
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(look_up())
            task.add_done_callback(partial(self._keep, key))
        try:
            return Found(await asyncio.shield(task), remembered=False)
        except ProviderError as error:
            raise copy.copy(error) from error.__cause__  # each asker's own, as it is filled in for each

    def forget(self, key: str, value: str) -> None:
        """Drop a value that turned out wrong, unless a newer one took its place."""
        if self._known.get(key, ("", 0.0))[0] == value:
            del self._known[key]

    def _keep(self, key: str, task: asyncio.Task[str]) -> None:
        del self._running[key]
        if task.cancelled() or task.exception():
            return
        self._known.pop(key, None)
        self._known[key] = (task.result(), task.get_loop().time() + self._kept_seconds)
        if len(self._known) > self._most:
            del self._known[next(iter(self._known))]
