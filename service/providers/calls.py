"""The policy around every call to a provider: who is let through, and which few failures are worth another attempt."""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Protocol, TypeVar

import structlog
from msgspec import Struct

from service.checkout.errors import (
    CheckoutError,
    OverloadedError,
    ProviderError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from service.checkout.limit_errors import RateLimitedError
from service.observability import metrics
from service.resilience.breaker import Breaker, BreakerOpenError, Call
from service.resilience.bulkhead import Bulkhead, BulkheadFullError
from service.resilience.health import BreakerSettings, Outcome
from service.resilience.rate import RateBudget, RateSpentError, ShareSpentError
from service.resilience.retries import RetryBudget

_FOR_THE_CALL_SECONDS = 1.0
_JITTER_SECONDS = (0.05, 0.25)
_ASKS_FOR_LATER = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_FIRST_REDIRECT, _FIRST_FAILURE = 300, 500  # the members of HTTPStatus are slow to look up and to compare with
log = structlog.get_logger()


class Answer(Protocol):
    """What is looked at of an answer."""

    @property
    def status(self) -> int: ...

    @property
    def retry_after_seconds(self) -> int | None: ...


A = TypeVar("A", bound=Answer)


class Limits(Struct, frozen=True, kw_only=True):
    """Of one upstream, in this process; `read_timeout` in seconds."""

    max_attempts: int = 2
    read_timeout: float = 5.0
    max_concurrency: int = 64
    breaker: BreakerSettings = BreakerSettings()


class Calls:
    """The calls to one upstream."""

    def __init__(
        self,
        upstream: str,
        limits: Limits | None = None,
        rate: RateBudget | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        limits = limits or Limits()
        self.upstream = upstream
        self._max_attempts = limits.max_attempts
        self._read_timeout = limits.read_timeout
        self._breaker = breaker or create_breaker(upstream, limits.breaker)
        self._bulkhead = Bulkhead(limits.max_concurrency)
        self._rate = rate
        self._in_flight = metrics.UPSTREAM_IN_FLIGHT.labels(upstream)
        self._retries = RetryBudget()

    async def make(self, exchange: Callable[[], Awaitable[A]], deadline: float) -> A:
        """One exchange, or more where the first was never sent or asked for a later try; all until `deadline`.

        Raises:
            ProviderError: of the last exchange, or it was not let through. `sent` says whether anything ever left.
            RateLimitedError: whoever this is for has had a share of the calls.
        """
        self._retries.note_request()
        attempt, sent = 1, False
        while True:
            try:
                outcome = await self._attempt(exchange, deadline)
            except ProviderError as refusal:
                refusal.sent = sent
                raise
            sent = sent or not isinstance(outcome, ProviderError) or outcome.sent
            pause_seconds = self._pause_seconds(outcome, deadline) if attempt < self._max_attempts else None
            if pause_seconds is None:
                break
            metrics.UPSTREAM_RETRIES.labels(self.upstream).inc()
            await asyncio.sleep(pause_seconds)
            attempt += 1
        if isinstance(outcome, ProviderError):
            outcome.sent = sent
            raise outcome
        return outcome

    def _pause_seconds(self, outcome: Answer | ProviderError, deadline: float) -> float | None:
        """How long to wait for another attempt; None where there is to be none."""
        if isinstance(outcome, ProviderError):
            asked = None if outcome.sent else 0
        else:
            asked = outcome.retry_after_seconds if outcome.status in _ASKS_FOR_LATER else None
        if asked is None:
            return None
        pause_seconds = asked + random.uniform(*_JITTER_SECONDS)  # noqa: S311  # spreads retries, no secret
        fits = asyncio.get_running_loop().time() + pause_seconds + _FOR_THE_CALL_SECONDS <= deadline
        return pause_seconds if fits and self._retries.take() else None

    async def _attempt(self, exchange: Callable[[], Awaitable[A]], deadline: float) -> A | ProviderError:
        """What came of an exchange.

        Raises:
            ProviderError, RateLimitedError: it was not let through.
        """
        try:
            self._breaker.check()  # before the queue as well: it must cost nothing while the provider is down
            async with self._bulkhead.slot(deadline):
                with self._breaker.call() as call:
                    return await self._observed(exchange, call, await self._take_rate(deadline))
        except (BreakerOpenError, BulkheadFullError, RateSpentError, TimeoutError) as reason:
            refusal, why = _refusal(reason)
            metrics.UPSTREAM_REFUSED.labels(self.upstream, why).inc()
            raise refusal from reason

    async def _take_rate(self, deadline: float) -> float:
        """The seconds that are left."""
        wait_seconds = 0.0
        if self._rate is not None:
            async with asyncio.timeout_at(deadline):
                wait_seconds = await self._rate.take()
        left_seconds = deadline - asyncio.get_running_loop().time()
        if left_seconds <= 0:
            raise TimeoutError
        if wait_seconds > 0:
            raise RateSpentError(wait_seconds)
        return left_seconds

    async def _observed(
        self, exchange: Callable[[], Awaitable[A]], call: Call, left_seconds: float
    ) -> A | ProviderError:
        self._in_flight.inc()
        try:
            answer = await exchange()
        except ProviderError as failure:
            # Half of the silence that the provider is granted says nothing of it.
            too_soon = left_seconds < self._read_timeout / 2 and isinstance(failure, UpstreamTimeoutError)
            call.outcome = Outcome.UNKNOWN if too_soon else Outcome.FAILED
            return failure
        finally:
            self._in_flight.dec()
        call.outcome = _outcome(answer.status)
        return answer


def create_breaker(upstream: str, settings: BreakerSettings | None = None) -> Breaker:
    """A breaker whose changes are counted and logged."""

    def changed(is_open: bool) -> None:  # noqa: FBT001  # the breaker's own words
        metrics.BREAKERS_OPEN.labels(upstream).inc(1 if is_open else -1)
        log.warning("upstream.breaker", upstream=upstream, open=is_open)

    return Breaker(settings or BreakerSettings(), changed)


def forget_breaker(upstream: str, breaker: Breaker) -> None:
    """Count it no longer as open."""
    if breaker.is_open:
        metrics.BREAKERS_OPEN.labels(upstream).dec()


def _outcome(status: int) -> Outcome:
    """A 4xx says that somebody is there, and nothing more: it may be the request's own fault."""
    if status < _FIRST_REDIRECT:
        return Outcome.SUCCEEDED
    return Outcome.FAILED if status >= _FIRST_FAILURE else Outcome.ANSWERED


def _refusal(reason: Exception) -> tuple[CheckoutError, str]:
    """Why a call was not made: as an error, and in a word."""
    refusal: CheckoutError
    match reason:
        case BreakerOpenError():
            wait, why = _whole_seconds(reason.wait_seconds + random.random()), "breaker"  # noqa: S311  # no secret
            detail = "The provider failed again and again, so it is left alone for a moment."
            refusal = UpstreamUnavailableError(detail, retry_after_seconds=wait)
        case BulkheadFullError():
            wait, why = random.randint(1, 3), "bulkhead"  # noqa: S311  # no secret
            refusal = OverloadedError("Too many calls to the provider are under way.", retry_after_seconds=wait)
        case ShareSpentError():
            wait, why = _whole_seconds(reason.wait_seconds), "share"
            refusal = RateLimitedError("Too much was asked for from this network.", retry_after_seconds=wait)
        case RateSpentError():
            wait, why = _whole_seconds(reason.wait_seconds), "rate"
            detail = "This shop's calls to the provider are used up for the moment."
            refusal = UpstreamThrottledError(detail, retry_after_seconds=wait)
        case _:
            why = "deadline"
            refusal = UpstreamTimeoutError("There was no time left to ask the provider.")
    return refusal, why


def _whole_seconds(seconds: float) -> int:
    return max(1, math.ceil(seconds))
