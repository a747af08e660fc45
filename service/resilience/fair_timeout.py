"""A time-out for others that our own lag is not counted in."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

_PARTS = 20


@asynccontextmanager
async def fair_timeout(seconds: float) -> AsyncGenerator[None]:
    """Like `asyncio.timeout`, but a turn of the loop that takes long counts as a twentieth of the time, however long.

    What others said in a long turn is read only after it, and what needs several turns needs them all: by the clock,
    a burst of our own work would look like their silence.

    Raises:
        TimeoutError: the time is over.
    """
    async with asyncio.timeout(None) as limit:
        countdown = _Countdown(limit, seconds)
        try:
            yield
        finally:
            countdown.cancel()


class _Countdown:
    def __init__(self, limit: asyncio.Timeout, seconds: float) -> None:
        self._limit = limit
        self._part_seconds = seconds / _PARTS
        self._parts_left = _PARTS
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(self._part_seconds, self._tick)

    def cancel(self) -> None:
        self._timer.cancel()  # which also lets go of us, so that nothing is left in a cycle

    def _tick(self) -> None:
        self._parts_left -= 1
        if self._parts_left:
            self._timer = self._loop.call_later(self._part_seconds, self._tick)
        else:
            self._limit.reschedule(self._loop.time())
