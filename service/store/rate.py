"""A rate budget that all replicas share: exact over any minute by the store's own clock, and local while it is down.

Nobody gets more than a tenth of it, so that one address does not stop the checkouts of all others.
"""

from typing import cast

from service.checkout.payer import current_payer
from service.resilience.rate import WINDOW_SECONDS, LocalRate, ShareSpentError
from service.resilience.windows import LocalWindows
from service.store import payer_key, rate_key
from service.store.commands import Commands
from service.store.question import STORE_ERRORS

# The times of the latest grants, newest first: where the one that is `limit` grants ago is over, there is room. The
# payer's own come under the second key, where there is a payer; a negative answer says that those are used up.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window = tonumber(ARGV[1])
for i = #KEYS, 1, -1 do
  local oldest = redis.call('LINDEX', KEYS[i], ARGV[i + 1] - 1)
  if oldest and now - oldest < window then
    local wait = math.min(window, window - (now - oldest))
    return i == 1 and wait or -wait
  end
end
for i, key in ipairs(KEYS) do
  redis.call('LPUSH', key, string.format('%.0f', now))
  redis.call('LTRIM', key, 0, ARGV[i + 1] - 1)
  redis.call('PEXPIRE', key, window)
end
return 0
"""
_WINDOW_MS = int(WINDOW_SECONDS * 1000)
_PAYERS = 10


class SharedRate:
    """`per_minute` in all processes together; while the store is down, this one's share of the processes here."""

    def __init__(self, commands: Commands, prefix: str, upstream: str, per_minute: int, *, workers: int) -> None:
        self._commands = commands
        self._prefix = prefix
        self._upstream = upstream
        self._per_minute = per_minute
        self._here = max(1, per_minute // workers)
        self._local = LocalRate(self._here)
        self._payers = LocalWindows()

    async def take(self) -> float:
        """0 when it is granted; else the seconds until another would be.

        Raises:
            ShareSpentError: the payer has had a tenth of it.
        """
        payer, keys = current_payer(), [rate_key(self._prefix, self._upstream)]
        if payer is not None:
            keys.append(payer_key(self._prefix, self._upstream, payer))
        values = (_WINDOW_MS, self._per_minute, _share(self._per_minute))
        try:
            wait_ms = cast("int", await self._commands.run(_TAKE, *keys, values=values))
        except STORE_ERRORS as error:
            self._commands.report(error)
            return await self._take_here(payer)
        if wait_ms < 0:
            raise ShareSpentError(-wait_ms / 1000)
        return wait_ms / 1000

    async def _take_here(self, payer: str | None) -> float:
        share = _share(self._here)
        if payer is not None and (own_wait := self._payers.wait(payer, share, WINDOW_SECONDS)):
            raise ShareSpentError(own_wait)
        wait = await self._local.take()
        if payer is not None and not wait:
            self._payers.add(payer, share, WINDOW_SECONDS)
        return wait


def _share(per_minute: int) -> int:
    return max(1, per_minute // _PAYERS)
