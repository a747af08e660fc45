"""One connection to a server of the store: questions go out together, and the answers come in their order (RESP2)."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import cast

import hiredis
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    InvalidResponse,
    MasterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as StoreConnectionError

from service.store.question import Command, Question

# By the server's own word, or by the whole where that is ERR.
_ERRORS: dict[str, type[RedisError]] = {
    "CLUSTERDOWN": ClusterDownError,
    "LOADING": BusyLoadingError,
    "MASTERDOWN": MasterDownError,
    "NOAUTH": AuthenticationError,
    "NOPERM": NoPermissionError,
    "OOM": OutOfMemoryError,
    "READONLY": ReadOnlyError,
    "WRONGPASS": AuthenticationError,
    "ERR max number of clients reached": StoreConnectionError,
}
# Its type hints know commands of one word alone.
_pack = cast("Callable[[Command], bytes]", hiredis.pack_command)
_PRIMARY_FOR_SECONDS = 1.0
OnLost = Callable[["Wire", Sequence[Question]], None]


class Wire(asyncio.Protocol):
    """Never waits for anything: who asks has a time-out, and who leaves breaks off nothing."""

    def __init__(self, on_lost: OnLost) -> None:
        self._on_lost = on_lost
        self._parser = hiredis.Reader(protocolError=InvalidResponse, replyError=_error_of)
        self._unanswered: deque[Question] = deque()

    @property
    def is_open(self) -> bool:
        """Whether anything may be sent."""
        return not self._transport.is_closing()

    @property
    def backlog(self) -> int:
        """How many answers have yet to come."""
        return len(self._unanswered)

    def send(self, questions: Sequence[Question]) -> None:
        """Write in one piece."""
        packed = b"".join([_pack(question.command) for question in questions])
        self._unanswered.extend(questions)  # nobody waits for an answer to what cannot be packed
        self._transport.write(packed)

    async def greet(self, commands: Sequence[Command]) -> None:
        """Ask what has to be asked before anything else.

        Raises:
            RedisError: the server says no, or nothing.
        """
        loop = asyncio.get_running_loop()
        questions = [Question(command, loop.create_future()) for command in commands]
        for question in questions:
            question.was_repeated = True  # another connection has a greeting of its own
        self.send(questions)
        await asyncio.gather(*(question.answer for question in questions))

    def abort(self) -> None:
        """Close at once; what was not answered will not be."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        self._transport = cast("asyncio.Transport", transport)
        self._opened_at = asyncio.get_running_loop().time()

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        try:
            self._parser.feed(data)
            while (answer := self._parser.gets()) is not False:
                question = self._unanswered.popleft()
                if isinstance(answer, ReadOnlyError) and self._may_be_another(question):
                    self._unanswered.appendleft(question)
                    self.abort()
                    return
                question.give(answer)
        except (InvalidResponse, IndexError):
            self.abort()

    def _may_be_another(self, question: Question) -> bool:
        """Whether another server may be the primary now; this one was just found to be it, where the wire is new."""
        age_seconds = asyncio.get_running_loop().time() - self._opened_at
        return not question.was_repeated and age_seconds > _PRIMARY_FOR_SECONDS

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # whatever it was, it is gone
        """Called by the loop."""
        self._on_lost(self, self._unanswered)


def _error_of(message: str) -> RedisError:
    kind = _ERRORS.get(message.partition(" ")[0]) or _ERRORS.get(message, ResponseError)
    return kind(message)


def connection_error(cause: BaseException | None = None) -> StoreConnectionError:
    """What is said of a server that cannot be reached, or has gone."""
    error = StoreConnectionError("The store cannot be reached.")
    error.__cause__ = cause
    return error
