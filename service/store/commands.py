"""Asks the store: the questions of one moment travel together, and a store that is slow or gone is left alone."""

import asyncio
import re
import time
from collections import deque
from collections.abc import Awaitable, Generator
from contextlib import contextmanager
from itertools import chain

import structlog
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as StoreTimeoutError

from service.checkout.errors import StoreRequiredError
from service.observability import metrics
from service.resilience.fair_timeout import fair_timeout
from service.store.question import STORE_ERRORS, Client, Question, Value

_TICK_SECONDS = 0.05
_LATE_SECONDS = 0.02
_LATE_TICK = 1 / 3  # so many turns of the loop as a new connection with TLS and a login needs are still in time
_LONGEST_TICKS = 6  # 0.3 s: a request waits no longer for the store, unless the loop is late or many wait before it
_QUESTIONS_IN_A_TICK = 500  # are answered at least: 10,000 a second, by a store with hardly any time to itself
_SLOW_TICKS = 2  # 0.1 s: what a request asks in a row, three questions without an idempotency key, fits into 0.3 s
_WRITES_NOTHING = "return 1"  # but may, to a store that makes writers alone wait
_PROBE_EVERY_SECONDS = 0.5
_LOG_EVERY_SECONDS = 1.0
_CODE = re.compile(r"(BUSY|MISCONF|NOREPLICAS|WRONGTYPE)\b")
log = structlog.get_logger()


class StoreLeftAloneError(RedisError):
    """The store was slow or gone a moment ago, and has not answered a probe since."""


class Commands:
    """Asks one store. An asker who leaves breaks off nothing.

    A store that is silent or slow costs the requests of that moment 0.3 s, the next ones nothing: it is left alone
    until a probe is answered in time. The loop's own lag, under a burst of requests, is no slowness of the store: time
    is counted in ticks, and one that comes late counts as a third, however late. What is asked in a long turn of the
    loop leaves only at its end, and what came meanwhile is read only then. Nor is a burst of our questions: each has
    as many ticks more as those before it may take.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._questions: list[Question] = []
        self._unanswered: deque[Question] = deque()  # the oldest first; answered ones among them
        self._ticks = 0.0
        self._ticking: asyncio.TimerHandle | None = None
        self._is_left_alone = False
        self._is_closed = False
        self._watching: asyncio.Task[None] | None = None
        self._logged_at = 0.0

    async def close(self) -> None:
        """Close every connection."""
        self._is_closed = True
        if self._ticking is not None:
            self._ticking.cancel()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])
        await self._client.close()

    def run(self, script: str, *keys: str, values: tuple[Value, ...]) -> Awaitable[object]:
        """One step over keys that share a hash tag, so that a cluster can take it; raises like `ask`."""
        return self.ask("EVAL", script, len(keys), *keys, *values)

    async def ask(self, *command: Value) -> object:
        """What the store answers.

        Raises:
            RedisError, RedisClusterException: it does not, or was left alone; `STORE_ERRORS` catches all.
        """
        if self._is_left_alone:
            raise StoreLeftAloneError
        loop = asyncio.get_running_loop()
        question = Question(command, loop.create_future())
        if not self._questions:
            loop.call_soon(self._send_all)
        self._questions.append(question)
        try:
            return await question.answer
        except ResponseError:  # an answer, if only a no
            raise
        except STORE_ERRORS:
            self._leave_alone(question.key)
            raise

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
        questions, self._questions = self._questions, []
        if questions:
            for place, question in enumerate(questions, self._client.backlog):
                question.counts_from = self._ticks + place // _QUESTIONS_IN_A_TICK
            self._unanswered.extend(questions)
            if self._ticking is None and not self._is_closed:
                self._tick_later()
            self._client.send(questions)

    def _tick_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._ticking = loop.call_later(_TICK_SECONDS, self._tick, loop.time() + _TICK_SECONDS)

    def _tick(self, due: float) -> None:
        self._ticking = None
        is_late = asyncio.get_running_loop().time() - due >= _LATE_SECONDS
        self._ticks += _LATE_TICK if is_late else 1
        while self._unanswered and self._unanswered[0].answer.done():
            self._unanswered.popleft()
        if not self._unanswered:
            return
        oldest = self._unanswered[0]
        waited = self._ticks - oldest.counts_from
        if waited >= _LONGEST_TICKS:
            self._leave_alone(oldest.key)
            return
        if waited >= _SLOW_TICKS:
            self._watch(oldest.key)
        self._tick_later()

    def _leave_alone(self, key: str) -> None:
        if self._is_left_alone:
            return
        self._is_left_alone = True
        log.warning("store.left_alone", until="it answers")
        for question in chain(self._questions, self._unanswered):
            question.give(StoreTimeoutError())
        self._questions.clear()
        self._unanswered.clear()
        self._client.drop()
        self._watch(key)

    def _watch(self, key: str) -> None:
        if self._watching is None and not self._is_closed:
            self._watching = asyncio.create_task(self._probe(key))

    async def _probe(self, key: str) -> None:
        """Leave a store alone until it answers in time; in a cluster, where the key is of what it did not answer."""
        try:
            while not await self._answers_in_time(key):
                self._leave_alone(key)
                self._client.drop()
                await asyncio.sleep(_PROBE_EVERY_SECONDS)
        finally:
            self._watching = None
        if self._is_left_alone:
            self._is_left_alone = False
            log.warning("store.asked_again")

    async def _answers_in_time(self, key: str) -> bool:
        ticks = _SLOW_TICKS + self._client.backlog // _QUESTIONS_IN_A_TICK
        probe = Question(("EVAL", _WRITES_NOTHING, 1, key), asyncio.get_running_loop().create_future())
        self._client.send([probe])
        try:
            async with fair_timeout(ticks * _TICK_SECONDS):
                await probe.answer
        except (TimeoutError, *STORE_ERRORS):
            return False
        return True


def _kind(error: Exception) -> str:
    """By class, or by the server's own word where redis-py has no class for it."""
    code = _CODE.match(str(error))
    return code[1] if code else type(error).__name__
