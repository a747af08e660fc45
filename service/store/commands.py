"""Asks the store: the questions of one moment travel together, and a store that is slow or gone is left alone."""

import asyncio
import re
import time
from collections.abc import Generator
from contextlib import contextmanager
from itertools import chain
from typing import NamedTuple

import structlog
from redis.exceptions import ConnectionError as StoreConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as StoreTimeoutError

from service.checkout.errors import StoreRequiredError
from service.observability import metrics
from service.store.connection import STORE_ERRORS, Client, close_client

_TICK_SECONDS = 0.05
_LATE_SECONDS = 0.02
_LONGEST_TICKS = 6  # 0.3 s: a request waits no longer for the store
_SLOW_TICKS = 2  # 0.1 s: what a request asks in a row, three questions without an idempotency key, fits into 0.3 s
_WRITES_NOTHING = "return 1"  # but may, to a store that makes writers alone wait
_PROBE_EVERY_SECONDS = 0.5
_LOG_EVERY_SECONDS = 1.0
_BATCHES_AT_ONCE = 4
_CODE = re.compile(r"(BUSY|CLUSTERDOWN|MASTERDOWN|MISCONF|NOPERM|NOREPLICAS|WRONGTYPE)\b")
# What comes out of uvloop, and out of redis-py's cluster client, where a connection was closed before they wrote to it.
_BROKEN_CONNECTION = (RuntimeError, AttributeError)
Value = str | bytes | int | float
Command = tuple[Value, ...]
Exchange = asyncio.Task[list[object]]
log = structlog.get_logger()


class StoreLeftAloneError(RedisError):
    """The store was slow or gone a moment ago, and has not answered a probe since."""


class _Question(NamedTuple):
    command: Command
    answer: asyncio.Future[object]


class Commands:
    """Asks one store. An asker who leaves breaks off nothing.

    A store that is silent or slow costs the requests of that moment 0.3 s, the next ones nothing: it is left alone
    until a probe is answered in time. The loop's own lag, under a burst of requests, is no slowness of the store; so a
    process that gets no time at all waits for a second.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._questions: list[_Question] = []
        self._running: dict[Exchange, list[_Question]] = {}
        self._is_left_alone = False
        self._is_closed = False
        self._watching: asyncio.Task[None] | None = None
        self._logged_at = 0.0

    async def close(self) -> None:
        """Close every connection, those of questions that nobody waits for any more as well."""
        self._is_closed = True
        left = [*self._running, *([self._watching] if self._watching else [])]
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
        await close_client(self._client)

    async def run(self, script: str, *keys: str, values: tuple[Value, ...]) -> object:
        """One step over keys that share a hash tag, so that a cluster can take it; raises like `ask`."""
        return await self.ask("EVAL", script, len(keys), *keys, *values)

    async def ask(self, *command: Value) -> object:
        """What the store answers.

        Raises:
            RedisError, RedisClusterException: it does not, or was left alone; `STORE_ERRORS` catches all.
        """
        if self._is_left_alone:
            raise StoreLeftAloneError
        loop = asyncio.get_running_loop()
        question = _Question(command, loop.create_future())
        if not self._questions and len(self._running) < _BATCHES_AT_ONCE:
            loop.call_soon(self._send_all)
        self._questions.append(question)
        return await question.answer

    def report(self, error: Exception) -> None:
        """Count a failure by its kind, and log one a second."""
        kind = _kind(error)
        metrics.STORE_FAILURES.labels(kind).inc()
        now = time.monotonic()
        if now - self._logged_at >= _LOG_EVERY_SECONDS:
            self._logged_at = now
            log.warning("store.unavailable", kind=kind)

    @contextmanager
    def required(self, detail: str) -> Generator[None]:
        """Say of a failure that what was wanted stands nowhere but in the store."""
        try:
            yield
        except STORE_ERRORS as error:
            self.report(error)
            raise StoreRequiredError(detail) from error

    def _send_all(self) -> None:
        if self._questions:
            batch, self._questions = self._questions, []
            task = self._exchange_within(_LONGEST_TICKS, [question.command for question in batch])
            self._running[task] = batch
            task.add_done_callback(self._answered)

    def _answered(self, task: Exchange) -> None:
        batch = self._running.pop(task)
        failure = StoreTimeoutError() if task.cancelled() else task.exception()
        answers = [failure] * len(batch) if failure else task.result()
        for question, answer in zip(batch, answers, strict=True):
            _give(question, answer)
        if isinstance(failure, STORE_ERRORS):
            self._leave_alone(_key_of(batch[0].command))
        self._send_all()

    def _exchange_within(self, ticks: int, commands: list[Command]) -> Exchange:
        """Ask, until so many ticks of the loop have passed; each answer may be an error of its own."""
        task = asyncio.create_task(self._exchange(commands))
        loop = asyncio.get_running_loop()
        slow = ticks - _SLOW_TICKS, _key_of(commands[0])
        tick = loop.call_later(_TICK_SECONDS, self._tick, task, loop.time() + _TICK_SECONDS, ticks, slow)
        task.add_done_callback(lambda _: tick.cancel())
        task.add_done_callback(_known)
        return task

    def _tick(self, task: Exchange, due: float, ticks_left: int, slow: tuple[int, str]) -> None:
        """A tick that comes late does not count: while this process gets no time, the store may not get any either."""
        if task.done():
            return
        loop = asyncio.get_running_loop()
        if loop.time() - due < _LATE_SECONDS:
            ticks_left -= 1
        if not ticks_left:
            task.cancel()
            return
        if ticks_left == slow[0]:
            self._watch(slow[1])
        loop.call_later(_TICK_SECONDS, self._tick, task, loop.time() + _TICK_SECONDS, ticks_left, slow)

    async def _exchange(self, commands: list[Command]) -> list[object]:
        try:
            return await self._answers(commands)
        except _BROKEN_CONNECTION as error:
            raise StoreConnectionError from error

    async def _answers(self, commands: list[Command]) -> list[object]:
        if len(commands) == 1:
            try:
                return [await self._client.execute_command(*commands[0])]
            except ResponseError as error:  # an answer, if only a no
                return [error]
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        answers: list[object] = await pipeline.execute(raise_on_error=False)
        return answers

    def _leave_alone(self, key: str) -> None:
        if self._is_left_alone:
            return
        self._is_left_alone = True
        log.warning("store.left_alone", until="it answers")
        waiting, self._questions = self._questions, []
        for question in waiting:
            _give(question, StoreLeftAloneError())
        for question in chain(*self._running.values()):
            _give(question, StoreTimeoutError())
        self._watch(key)

    def _watch(self, key: str) -> None:
        if self._watching is None and not self._is_closed:
            self._watching = asyncio.create_task(self._probe(key))

    async def _probe(self, key: str) -> None:
        """Leave a store alone until it answers in time; in a cluster, where the key is of what it did not answer."""
        while not await self._answers_in_time(key):
            self._leave_alone(key)
            await asyncio.sleep(_PROBE_EVERY_SECONDS)
        self._watching = None
        if self._is_left_alone:
            self._is_left_alone = False
            log.warning("store.asked_again")

    async def _answers_in_time(self, key: str) -> bool:
        asking = self._exchange_within(_SLOW_TICKS, [("EVAL", _WRITES_NOTHING, 1, key)])
        try:
            await asyncio.wait({asking})
        finally:
            asking.cancel()
        return not asking.cancelled() and not asking.exception()


def _key_of(command: Command) -> str:
    """The first of its keys."""
    return str(command[3] if command[0] == "EVAL" else command[1])


def _known(task: Exchange) -> None:
    """An exchange may fail when nobody waits for it any more."""
    if not task.cancelled():
        task.exception()


def _give(question: _Question, answer: object) -> None:
    if question.answer.done():  # whoever asked has left
        return
    if isinstance(answer, Exception):
        question.answer.set_exception(answer)
    else:
        question.answer.set_result(answer)


def _kind(error: Exception) -> str:
    """By class, or by the server's own word where redis-py has no class for it."""
    code = _CODE.match(str(error))
    return code[1] if code else type(error).__name__
