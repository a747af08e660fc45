"""A store that is a cluster, through redis-py's client, which knows the way to each key."""

import asyncio
from collections.abc import Sequence
from copy import copy

from redis.asyncio import RedisCluster
from redis.exceptions import ConnectionError as StoreConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as StoreTimeoutError

from service.store.question import STORE_ERRORS, Question

_BATCHES_AT_ONCE = 4
# What comes out of uvloop, and out of redis-py, where a connection was closed before they wrote to it.
_BROKEN_CONNECTION = (RuntimeError, AttributeError)


class Cluster:
    """What is asked while four batches are under way goes together in the next."""

    def __init__(self, client: RedisCluster) -> None:
        self._client = client
        self._waiting: list[Question] = []
        self._running: dict[asyncio.Task[None], int] = {}  # how many questions each asks

    @property
    def backlog(self) -> int:
        """What has yet to be answered; see `Client`."""
        return len(self._waiting) + sum(self._running.values())

    def send(self, questions: Sequence[Question]) -> None:
        """Ask; see `Client`."""
        self._waiting += questions
        self._begin()

    def drop(self) -> None:
        """Break off what is under way; redis-py closes its connections then."""
        waiting, self._waiting = self._waiting, []
        for question in waiting:
            question.give(StoreTimeoutError())
        for task in self._running:
            task.cancel()

    async def close(self) -> None:
        """Close every connection."""
        self.drop()
        if self._running:
            await asyncio.wait(self._running)
        await self._client.aclose()

    def _begin(self) -> None:
        if self._waiting and len(self._running) < _BATCHES_AT_ONCE:
            questions, self._waiting = self._waiting, []
            task = asyncio.create_task(self._exchange(questions))
            self._running[task] = len(questions)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self._begin()

    async def _exchange(self, questions: Sequence[Question]) -> None:
        answers: Sequence[object]
        try:
            answers = await self._answers(questions)
        except STORE_ERRORS as error:
            answers = [copy(error) for _ in questions]
        except _BROKEN_CONNECTION:
            answers = [StoreConnectionError() for _ in questions]
        except asyncio.CancelledError:
            for question in questions:
                question.give(StoreTimeoutError())
            raise
        for question, answer in zip(questions, answers, strict=True):
            question.give(answer)

    async def _answers(self, questions: Sequence[Question]) -> Sequence[object]:
        if len(questions) == 1:
            try:
                return [await self._client.execute_command(*questions[0].command)]
            except ResponseError as error:  # an answer, if only a no
                return [error]
        pipeline = self._client.pipeline(transaction=False)
        for question in questions:
            pipeline.execute_command(*question.command)
        answers: list[object] = await pipeline.execute(raise_on_error=False)
        return answers
