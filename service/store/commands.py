"""Asks the store: the questions of one moment travel together, and a store that is slow or gone is left alone."""

import asyncio
import re
import time
from collections.abc import Generator
from contextlib import contextmanager
from itertools import chain
from typing import NamedTuple

import structlog
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as StoreTimeoutError

from service.checkout.errors import StoreRequiredError
from service.observability import metrics
from service.store import probe_key
from service.store.connection import STORE_ERRORS, Client, close_client

_TICK_SECONDS = 0.05
_LATE_SECONDS = 0.02
_LONGEST_TICKS = 6  # 0.3 s that a request waits for the store, all in all: then the store is left alone
_SLOW_TICKS = 3
_PROBE_EVERY_SECONDS = 0.5
_LOG_EVERY_SECONDS = 1.0
_BATCHES_AT_ONCE = 4
_CODE = re.compile(r"(BUSY|CLUSTERDOWN|MASTERDOWN|MISCONF|NOPERM|NOREPLICAS|WRONGTYPE)\b")
Value = str | bytes | int | float
Exchange = asyncio.Task[list[object]]
log = structlog.get_logger()


class StoreLeftAloneError(RedisError):
    """The store was slow or gone a moment ago, and has not answered a probe since."""


class _Question(NamedTuple):
    command: tuple[Value, ...]
    answer: asyncio.Future[object]


class Commands:
    """Asks one store. An asker who leaves breaks off nothing.

    A store that is silent or slow costs the requests of that moment 0.3 s, the next ones nothing: it is left alone
    until a probe is answered in time. The loop's own lag, under a burst of requests, is no slowness of the store.
    """

    def __init__(self, client: Client, prefix: str) -> None:
        self._client = client
        self._probe_key = probe_key(prefix)
        self._questions: list[_Question] = []
        self._running: dict[Exchange, list[_Question]] = {}
        self._is_left_alone = False
        self._watching: asyncio.Task[None] | None = None
        self._logged_at = 0.0

    async def close(self) -> None:
        """Close every connection."""
        if self._watching:
            self._watching.cancel()
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
            task = self._exchange_within([question.command for question in batch], _LONGEST_TICKS)
            self._running[task] = batch
            task.add_done_callback(self._answered)

    def _answered(self, task: Exchange) -> None:
        batch = self._running.pop(task)
        failure = StoreTimeoutError() if task.cancelled() else task.exception()
        answers = [failure] * len(batch) if failure else task.result()
        for question, answer in zip(batch, answers, strict=True):
            _give(question, answer)
        if isinstance(failure, STORE_ERRORS):
            self._leave_alone()
        self._send_all()

    def _exchange_within(self, commands: list[tuple[Value, ...]], ticks: int) -> Exchange:
        """Ask, until so many ticks of the loop have passed; each answer may be an error of its own."""
        task = asyncio.create_task(self._exchange(commands))
        loop = asyncio.get_running_loop()
        tick = loop.call_later(_TICK_SECONDS, self._tick, task, loop.time() + _TICK_SECONDS, ticks)
        task.add_done_callback(lambda _: tick.cancel())
        task.add_done_callback(_known)
        return task

    def _tick(self, task: Exchange, due: float, ticks_left: int) -> None:
        """A tick that comes late does not count: while this process gets no time, the store may not get any either."""
        if task.done():
            return
        loop = asyncio.get_running_loop()
        if loop.time() - due < _LATE_SECONDS:
            ticks_left -= 1
        if ticks_left == _SLOW_TICKS:
            self._watch()
        if not ticks_left:
            task.cancel()
        else:
            loop.call_later(_TICK_SECONDS, self._tick, task, loop.time() + _TICK_SECONDS, ticks_left)

    async def _exchange(self, commands: list[tuple[Value, ...]]) -> list[object]:
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

    def _leave_alone(self) -> None:
        if self._is_left_alone:
            return
        self._is_left_alone = True
        log.warning("store.left_alone", until="it answers")
        waiting, self._questions = self._questions, []
        for question in waiting:
            _give(question, StoreLeftAloneError())
        for question in chain(*self._running.values()):
            _give(question, StoreTimeoutError())
        self._watch()

    def _watch(self) -> None:
        if self._watching is None:
            self._watching = asyncio.create_task(self._probe())

    async def _probe(self) -> None:
        """Leave a store alone that does not answer in time, until it does."""
        while not await self._answers_in_time():
            self._leave_alone()
            await asyncio.sleep(_PROBE_EVERY_SECONDS)
        self._watching = None
        if self._is_left_alone:
            self._is_left_alone = False
            log.warning("store.asked_again")

    async def _answers_in_time(self) -> bool:
        # Not PING, for which a cluster would ask all of its nodes.
        asking = self._exchange_within([("GET", self._probe_key)], _SLOW_TICKS)
        try:
            await asyncio.wait({asking})
        finally:
            asking.cancel()
        return not asking.cancelled() and not asking.exception()


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
