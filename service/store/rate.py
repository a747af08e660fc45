"""A rate budget that all replicas share: exact over any minute by the store's own clock, and local while it is down."""

from collections.abc import Awaitable
from typing import cast

import structlog

from service.observability import metrics
from service.resilience.breaker import Breaker, BreakerOpenError, Call
from service.resilience.health import BreakerSettings, Outcome
from service.resilience.rate import WINDOW_SECONDS, LocalRate
from service.store.connection import STORE_ERRORS, Client

# The times of the latest grants, newest first: where the one that is `limit` grants ago is over, there is room.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local oldest = redis.call('LINDEX', KEYS[1], limit - 1)
if oldest and now - oldest < window then
  return math.min(window, window - (now - oldest))
end
redis.call('LPUSH', KEYS[1], string.format('%.0f', now))
redis.call('LTRIM', KEYS[1], 0, limit - 1)
redis.call('PEXPIRE', KEYS[1], window)
return 0
"""
_WINDOW_MS = int(WINDOW_SECONDS * 1000)
_ONE_FAILURE = BreakerSettings(in_a_row=1, open_seconds=1.0, longest_open_seconds=1.0)
log = structlog.get_logger()


class SharedRate:
    """`per_minute` in all processes together; while the store is down, this one's share of the processes here."""

    def __init__(self, client: Client, key: str, per_minute: int, *, workers: int) -> None:
        self._client = client
        self._key = key
        self._per_minute = per_minute
        self._local = LocalRate(max(1, per_minute // workers))
        # After a failure one call a second asks the store again; the others do not wait for it.
        self._breaker = Breaker(_ONE_FAILURE, lambda is_open: log.warning("store.rate_budget", shared=not is_open))

    async def take(self) -> float:
        """0 when it is granted; else the seconds until another would be."""
        try:
            with self._breaker.call() as call:
                return await self._ask(call) / 1000
        except STORE_ERRORS as error:
            metrics.STORE_FAILURES.labels(type(error).__name__).inc()
        except BreakerOpenError:
            pass  # counted when it opened
        return await self._local.take()

    async def _ask(self, call: Call) -> int:
        """Milliseconds to wait. A question that was broken off says nothing of the store."""
        question = self._client.eval(_TAKE, 1, self._key, str(self._per_minute), _WINDOW_MS)
        try:
            wait_ms = await cast("Awaitable[int]", question)
        except STORE_ERRORS:
            call.outcome = Outcome.FAILED
            raise
        call.outcome = Outcome.SUCCEEDED
        return wait_ms
