"""What is asked of a store, and who may be asked."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from redis.exceptions import RedisClusterException, RedisError

Value = str | bytes | int | float
Command = tuple[Value, ...]
STORE_ERRORS = (RedisError, RedisClusterException)
"""All that is raised while the store cannot be used; that of redis-py's cluster client has no common base."""


class Question:
    """A command, and whoever waits for its answer; they may have left. Its time begins with the tick `counts_from`."""

    __slots__ = ("answer", "command", "counts_from", "was_repeated")

    def __init__(self, command: Command, answer: asyncio.Future[object]) -> None:
        self.command = command
        self.answer = answer
        self.counts_from = 0.0
        self.was_repeated = False

    @property
    def key(self) -> str:
        """The first of its keys."""
        return str(self.command[3] if self.command[0] == "EVAL" else self.command[1])

    def give(self, answer: object) -> None:
        """Answer it, with an error too: one of its own, as whoever gets it adds to where it came from."""
        if self.answer.done():
            return
        if isinstance(answer, Exception):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(answer)


class Client(Protocol):
    """Connections to a store, which are opened when they are needed."""

    @property
    def backlog(self) -> int:
        """How many questions the store has yet to answer, those of askers who left included."""
        ...

    def send(self, questions: Sequence[Question]) -> None:
        """Ask together. Each gets what the store says, a `ResponseError` too, or what kept it from saying anything."""
        ...

    def drop(self) -> None:
        """Give up what was sent, as nobody waits for it any more, and the connections that did not answer."""
        ...

    async def close(self) -> None:
        """Drop everything, for good."""
        ...
