"""A bulkhead: so many calls at a time, as many waiting for a moment, and everybody else is told at once."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

_WAIT_SECONDS = 0.25


class BulkheadFullError(Exception):
    """No slot became free in time, or too many wait for one already."""


class Bulkhead:
    """`size` slots, and a queue of the same length."""

    def __init__(self, size: int, *, wait_seconds: float = _WAIT_SECONDS) -> None:
        self._size = size
        self._wait_seconds = wait_seconds
        self._slots = asyncio.Semaphore(size)
        self._waiting = 0

    @asynccontextmanager
    async def slot(self, deadline: float) -> AsyncGenerator[None]:
        """Hold a slot inside; `deadline` is in the loop's time.

        Raises:
            BulkheadFullError: there is none.
        """
        await self._acquire(deadline)
        try:
            yield
        finally:
            self._slots.release()

    async def _acquire(self, deadline: float) -> None:
        if not self._slots.locked():
            await self._slots.acquire()  # at once
            return
        if self._waiting >= self._size:
            raise BulkheadFullError
        self._waiting += 1
        try:
            latest = asyncio.get_running_loop().time() + self._wait_seconds
            async with asyncio.timeout_at(min(deadline, latest)):
                await self._slots.acquire()
        except TimeoutError as error:
            raise BulkheadFullError from error
        finally:
            self._waiting -= 1
