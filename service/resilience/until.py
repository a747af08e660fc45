"""The end of a wait, for the hot path: what `asyncio.timeout_at` does, at less than half of its cost."""

import asyncio
from types import TracebackType
from typing import cast


class Until:
    """Waits inside end with a TimeoutError at `deadline` (the loop's time); a cancellation from elsewhere stays one."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._is_over = False

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        self._task = cast("asyncio.Task[object]", asyncio.current_task(loop))
        self._cancels_before = self._task.cancelling()
        self._timer = loop.call_later(self._deadline - loop.time(), self._end)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._timer.cancel()
        if self._is_over and self._task.uncancel() <= self._cancels_before and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _end(self) -> None:
        self._is_over = True
        self._task.cancel()
