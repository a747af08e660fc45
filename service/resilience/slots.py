"""So many at a time, the others in turn: nobody overtakes, and whoever leaves the queue takes no slot along."""

import asyncio
from collections import deque


class Slots:
    """A slot that becomes free goes to whoever waits for the longest, so none is free while somebody waits."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self) -> bool:
        """Take a slot if one is free."""
        if not self._free:
            return False
        self._free -= 1
        return True

    async def wait(self, latest: float) -> None:
        """Take a slot that somebody gives back; `latest` is in the loop's time.

        Raises:
            TimeoutError: it was nobody's turn to do so.
        """
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout_at(latest):
                await turn
        except (TimeoutError, asyncio.CancelledError):
            if not turn.cancelled():  # the slot came at the same moment
                self.give_back()
            raise

    def give_back(self) -> None:
        """Pass a slot on."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # else its owner has left
                turn.set_result(None)
                return
        self._free += 1
