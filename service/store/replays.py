"""What was answered to an idempotency key, in Redis, for whoever repeats the request."""

from contextlib import AbstractAsyncContextManager
from datetime import timedelta

from service.checkout.outcome import Replay
from service.checkout.ports import Turn
from service.store import claim_key, replay_key
from service.store.claims import Claims
from service.store.commands import Commands
from service.store.question import STORE_ERRORS
from service.store.sealing import SealedStructs

_SETTLE = """
if redis.call('GET', KEYS[2]) == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  redis.call('DEL', KEYS[2])
end
"""


class RedisReplayStore:
    """While the store is down nothing is remembered: a repeat is another first time."""

    def __init__(self, commands: Commands, sealed: SealedStructs[Replay], *, prefix: str) -> None:
        self._commands = commands
        self._claims = Claims(commands)
        self._sealed = sealed
        self._prefix = prefix

    async def take(self, key: str, *, instead_of: bytes = b"", note: bytes = b"") -> Turn[Replay]:
        """The answer that is there, the turn, or a wait; the turn too when the store is down."""
        place = replay_key(self._prefix, key)

        def opened(held: bytes) -> Replay | None:
            return self._sealed.open(held, place)

        return await self._claims.turn(place, opened, instead_of=instead_of, note=note)

    def hold(self, key: str, claim: bytes) -> AbstractAsyncContextManager[None]:
        """Renew the claim until the answer is kept, or its making failed."""
        return self._claims.making(replay_key(self._prefix, key), claim)

    async def keep(self, key: str, replay: Replay, claim: bytes, *, replayable_for: timedelta) -> None:
        """Keep an answer where the turn is still ours; does nothing while the store is down."""
        milliseconds = max(1, replayable_for // timedelta(milliseconds=1))
        place = replay_key(self._prefix, key)
        values = claim, self._sealed.seal(replay, place), milliseconds
        try:
            await self._commands.run(_SETTLE, place, claim_key(place), values=values)
        except STORE_ERRORS as error:
            self._commands.report(error)
