"""The windows of all limits: exact over any time by the store's own clock, and in this process while it is down."""

from collections.abc import Sequence
from typing import cast

from service.checkout.limits import Limit
from service.resilience.windows import LocalWindows
from service.store import limit_key
from service.store.commands import Commands
from service.store.question import STORE_ERRORS

# Of each key the times of the latest that were granted, newest first: where the one that is `most` ago is over, there
# is room. A key's three values are how many, the window in ms, and whether nothing is taken where it is full.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local waits, held = {}, false
for i, key in ipairs(KEYS) do
  local window = tonumber(ARGV[3 * i - 1])
  local oldest = redis.call('LINDEX', key, ARGV[3 * i - 2] - 1)
  waits[i] = oldest and math.max(0, math.min(window, window - (now - oldest))) or 0
  held = held or (waits[i] > 0 and ARGV[3 * i] == '1')
end
if not held then
  for i, key in ipairs(KEYS) do
    redis.call('LPUSH', key, string.format('%.0f', now))
    redis.call('LTRIM', key, 0, ARGV[3 * i - 2] - 1)
    redis.call('PEXPIRE', key, ARGV[3 * i - 1])
  end
end
return waits
"""


class RedisLimitStore:
    """Windows that all replicas share; while the store is down, each process has its share of the limit.

    So all processes of one host together grant no more than the limit then; where there are several hosts, each does.
    What the store granted to other processes is not known here: in the minute in which it goes, they may add their
    shares to it.
    """

    def __init__(self, commands: Commands, local: LocalWindows, *, prefix: str, workers: int) -> None:
        self._commands = commands
        self._local = local
        self._prefix = prefix
        self._workers = workers

    async def take(self, limits: Sequence[Limit]) -> Sequence[float]:
        """One from each, or nothing from any; of each the seconds until it has room, 0 where it had."""
        keys = [limit_key(self._prefix, limit.kind, limit.key) for limit in limits]
        values = [value for limit in limits for value in (limit.most, limit.seconds * 1000, int(limit.holds))]
        try:
            waits_ms = await self._commands.run(_TAKE, *keys, values=tuple(values))
        except STORE_ERRORS as error:
            self._commands.report(error)
            return self._take_here(limits)
        return self._noted(limits, [wait_ms / 1000 for wait_ms in cast("list[int]", waits_ms)])

    def _take_here(self, limits: Sequence[Limit]) -> Sequence[float]:
        waits = [self._local.wait(limit.key, self._share(limit), limit.seconds) for limit in limits]
        return self._noted(limits, waits)

    def _noted(self, limits: Sequence[Limit], waits: Sequence[float]) -> Sequence[float]:
        """What was granted counts here too, so that a store which comes and goes does not grant it twice."""
        if any(waits) and any(wait > 0 and limit.holds for limit, wait in zip(limits, waits, strict=True)):
            return waits
        for limit in limits:
            self._local.add(limit.key, self._share(limit), limit.seconds)
        return waits

    def _share(self, limit: Limit) -> int:
        return max(1, limit.most // self._workers)
