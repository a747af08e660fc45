"""How many sessions of a checkout were made and paid within an hour, right to a minute, for all replicas together."""

from service.checkout.paid_ratio import Happening, Hour
from service.store import paid_ever_key, paid_key
from service.store.commands import Commands
from service.store.question import STORE_ERRORS

# A field for each minute and happening; those of an hour ago go when the first of a minute comes.
_NOTE = """
local minute = math.floor(redis.call('TIME')[1] / 60)
if redis.call('HINCRBY', KEYS[1], ARGV[1] .. minute, 1) == 1 then
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if minute - tonumber(string.match(field, '%d+')) >= 60 then redis.call('HDEL', KEYS[1], field) end
  end
end
redis.call('PEXPIRE', KEYS[1], 3600000)
if ARGV[1] == 'paid' then redis.call('SET', KEYS[2], '', 'PX', ARGV[2]) end
"""
_LAST_HOUR = """
local minute = math.floor(redis.call('TIME')[1] / 60)
local fields, sums = redis.call('HGETALL', KEYS[1]), { minted = 0, paid = 0 }
for i = 1, #fields, 2 do
  local happening, at = string.match(fields[i], '(%a+)(%d+)')
  if minute - tonumber(at) < 60 then sums[happening] = sums[happening] + fields[i + 1] end
end
return { sums.minted, sums.paid, redis.call('EXISTS', KEYS[2]) }
"""
_EVER_MS = 31 * 24 * 3_600_000


class RedisPaidStore:
    """While the store is down nothing is counted and nothing is known, so that nobody is treated more strictly."""

    def __init__(self, commands: Commands, *, prefix: str) -> None:
        self._commands = commands
        self._prefix = prefix

    async def note(self, key: str, happening: Happening) -> None:
        """It happened once more."""
        await self._run(_NOTE, key, happening, _EVER_MS)

    async def last_hour(self, key: str) -> Hour:
        """What happened."""
        match await self._run(_LAST_HOUR, key):
            case [int(minted), int(paid), int(ever)]:
                return Hour(minted, paid, ever_paid=bool(ever))
            case _:
                return Hour(0, 0, ever_paid=False)

    async def _run(self, script: str, key: str, *values: str | int) -> object:
        try:
            keys = paid_key(self._prefix, key), paid_ever_key(self._prefix, key)
            return await self._commands.run(script, *keys, values=values)
        except STORE_ERRORS as error:
            self._commands.report(error)
            return None
