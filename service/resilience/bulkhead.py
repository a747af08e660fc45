"""A bulkhead: so many calls at a time, as many waiting for a moment, and everybody else is told at once."""

import asyncio

from service.resilience.slots import Slots

_WAIT_SECONDS = 0.25


class BulkheadFullError(Exception):
    """No slot became free in time, or too many wait for one already."""


class Bulkhead:
    """`size` slots, and a queue of the same length."""

    def __init__(self, size: int, *, wait_seconds: float = _WAIT_SECONDS) -> None:
        self._size = size
        self._wait_seconds = wait_seconds
        self.slots = Slots(size)
        self._waiting = 0

    def slot(self, deadline: float) -> "_Slot":
        """Hold a slot inside; `deadline` is in the loop's time.

        Raises:
            BulkheadFullError: there is none.
        """
        return _Slot(self, deadline)

    async def queue(self, deadline: float) -> None:
        """Wait for a slot."""
        if self._waiting >= self._size:
            raise BulkheadFullError
        self._waiting += 1
        try:
            latest = asyncio.get_running_loop().time() + self._wait_seconds
            await self.slots.wait(min(deadline, latest))
        except TimeoutError as error:
            raise BulkheadFullError from error
        finally:
            self._waiting -= 1


class _Slot:
    def __init__(self, bulkhead: Bulkhead, deadline: float) -> None:
        self._bulkhead = bulkhead
        self._deadline = deadline

    async def __aenter__(self) -> None:
        if not self._bulkhead.slots.take():
            await self._bulkhead.queue(self._deadline)

    async def __aexit__(self, *_: object) -> None:
        self._bulkhead.slots.give_back()
