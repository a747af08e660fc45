"""Requests of one process that want the same at the same time share one making of it."""

import asyncio
import copy
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Generic, TypeVar

from service.checkout.errors import CheckoutError, forget_frames

T = TypeVar("T")


class Flights(Generic[T]):
    """What is being made now, by what it is made for."""

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[T]] = {}

    async def join(self, key: str, make: Callable[[], Coroutine[Any, Any, T]]) -> tuple[T, bool]:
        """What `make` gives, and whether it was made for this very asker.

        The making goes on when whoever began it leaves, as others may wait for it, and it must not be done twice.

        Raises:
            CheckoutError: the making failed; each asker gets an error of its own, as it is filled in for each.
        """
        task = self._running.get(key)
        is_first = task is None
        if task is None:
            task = self._running[key] = asyncio.create_task(make())
            task.add_done_callback(partial(self._landed, key))
        try:
            return await asyncio.shield(task), is_first
        except CheckoutError as error:
            raise copy.copy(error) from error.__cause__
        finally:
            del task  # its error leads to this frame, which would lead back to it

    def _landed(self, key: str, task: asyncio.Task[T]) -> None:
        del self._running[key]
        error = None if task.cancelled() else task.exception()  # known, also where every asker has left
        if error:
            forget_frames(error)
