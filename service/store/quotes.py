"""Which single-use quotes were used, in Redis; without it nobody knows, so they are not taken."""

from datetime import timedelta

from service.store import quote_key
from service.store.commands import Commands
from service.store.question import STORE_ERRORS

# Who repeats a question because its connection broke finds its own reference.
_BURN = """
local held = redis.call('GET', KEYS[1])
if held then
  return held == ARGV[1] and 1 or 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
_GIVE_BACK = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
"""


class RedisQuoteStore:
    """Remembers each used quote for as long as it would hold."""

    def __init__(self, commands: Commands, *, prefix: str) -> None:
        self._commands = commands
        self._prefix = prefix

    async def burn(self, key: str, reference: str, *, lasting: timedelta) -> bool:
        """Use a quote for a session; False when it was used for another before.

        Raises:
            StoreRequiredError: the store is down.
        """
        place, milliseconds = quote_key(self._prefix, key), lasting // timedelta(milliseconds=1)
        with self._commands.required("Whether this quote was used before cannot be seen now."):
            return await self._commands.run(_BURN, place, values=(reference, milliseconds)) == 1

    async def give_back(self, key: str, reference: str) -> None:
        """Let a quote be used again; while the store is down it stays used."""
        try:
            await self._commands.run(_GIVE_BACK, quote_key(self._prefix, key), values=(reference,))
        except STORE_ERRORS as error:
            self._commands.report(error)
