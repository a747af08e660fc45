"""A rate budget that all replicas share: exact over any minute by the store's own clock, and local while it is down."""

from service.resilience.rate import WINDOW_SECONDS, LocalRate
from service.store.commands import Commands
from service.store.connection import STORE_ERRORS

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


class SharedRate:
    """`per_minute` in all processes together; while the store is down, this one's share of the processes here."""

    def __init__(self, commands: Commands, key: str, per_minute: int, *, workers: int) -> None:
        self._commands = commands
        self._key = key
        self._per_minute = per_minute
        self._local = LocalRate(max(1, per_minute // workers))

    async def take(self) -> float:
        """0 when it is granted; else the seconds until another would be."""
        try:
            wait_ms = await self._commands.run(_TAKE, self._key, values=(self._per_minute, _WINDOW_MS))
        except STORE_ERRORS as error:
            self._commands.report(error)
        else:
            if isinstance(wait_ms, int):
                return wait_ms / 1000
        return await self._local.take()
