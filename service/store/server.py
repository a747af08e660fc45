"""A store that is one server: all questions go over one connection, which is opened when there is something to ask."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from copy import copy

from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as StoreTimeoutError

from service.store.question import Question
from service.store.wire import OnLost, Wire, connection_error

# Out of the system, the server's greeting, names that are none, and uvloop.
_CANNOT_CONNECT = (OSError, RedisError, UnicodeError, RuntimeError)
Connect = Callable[[OnLost], Awaitable[Wire]]


class Server:
    """What was under way when a connection was lost is asked once more, as the server may have closed an idle one."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._wire: Wire | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._waiting: list[Question] = []  # for the connection
        self._is_closed = False

    @property
    def backlog(self) -> int:
        """What has yet to be answered; see `Client`."""
        return len(self._waiting) + (self._wire.backlog if self._wire else 0)

    def send(self, questions: Sequence[Question]) -> None:
        """Ask; see `Client`."""
        if self._wire is not None and self._wire.is_open:
            self._wire.send(questions)
            return
        self._waiting += questions
        if self._is_closed:
            self._give_all(connection_error())
        elif self._connecting is None:
            self._connecting = asyncio.create_task(self._open())

    def drop(self) -> None:
        """Close the connection, also one that is being opened."""
        if self._connecting is not None:
            self._connecting.cancel()
            self._connecting = None
        self._give_all(StoreTimeoutError())
        if self._wire is not None:
            self._wire.abort()
            self._wire = None

    async def close(self) -> None:
        """Open no more."""
        self._is_closed, connecting = True, self._connecting
        self.drop()
        await asyncio.wait([connecting or asyncio.create_task(asyncio.sleep(0))])  # it is the loop that closes

    async def _open(self) -> None:
        try:
            wire = await self._connect(self._lost)
        except _CANNOT_CONNECT as error:
            self._connecting = None
            self._give_all(error if isinstance(error, RedisError) else connection_error(error))
            return
        self._connecting, self._wire = None, wire
        questions, self._waiting = self._waiting, []
        self.send(questions)

    def _lost(self, wire: Wire, unanswered: Sequence[Question]) -> None:
        if self._wire is wire:
            self._wire = None
        again: list[Question] = []
        for question in unanswered:
            if question.was_repeated:
                question.give(connection_error())
            elif not question.answer.done():
                question.was_repeated = True
                again.append(question)
        if again:
            self.send(again)

    def _give_all(self, error: RedisError) -> None:
        questions, self._waiting = self._waiting, []
        for question in questions:
            question.give(copy(error))
