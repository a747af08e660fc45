"""Sessions in Redis: found by fingerprint for re-use, by reference for everything else."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

from service.checkout.ports import Turn
from service.checkout.session import Session
from service.store import claim_key, latest_key, reuse_key, session_key, writer_key
from service.store.claims import Claims, new_claim
from service.store.commands import Commands
from service.store.question import STORE_ERRORS, Value
from service.store.sealing import SealedStructs

_LOOK_EVERY_SECONDS = 0.05
_SHORTEST = timedelta(milliseconds=1)
_REFERENCE_BYTES = len("cs_") + 26  # a link is a reference and a sealed copy of the record

# KEYS: record, link, its claim, latest. ARGV: record, its ms, claim or '', link, its ms, reference.
# Who repeats it because the connection broke finds the link as it was written, and the former beside the latest.
_KEEP = """
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if not KEYS[2] then
  return ''
end
local link, claim = redis.call('GET', KEYS[2]) or '', redis.call('GET', KEYS[3]) or ''
local latest = redis.call('GET', KEYS[4]) or ''
if claim == ARGV[3] and (claim ~= '' or link == '') then
  latest = ARGV[6] .. string.sub(latest, 1, #ARGV[6])
  redis.call('SET', KEYS[2], ARGV[4], 'PX', ARGV[5])
  redis.call('DEL', KEYS[3])
  redis.call('SET', KEYS[4], latest, 'PX', ARGV[2])
elseif link ~= ARGV[4] then
  return ''
end
return string.sub(latest, #ARGV[6] + 1)
"""
# KEYS: record, link. ARGV: record before, record after, reference, link after or '', ms that it lives at least.
_SWAP = """
local held = redis.call('GET', KEYS[1])
if held ~= ARGV[1] then
  return held == ARGV[2] and 1 or 0
end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
local link = KEYS[2] and redis.call('GET', KEYS[2])
if link and string.sub(link, 1, #ARGV[3]) == ARGV[3] then
  if ARGV[4] == '' then
    redis.call('DEL', KEYS[2])
  else
    local left = math.max(redis.call('PTTL', KEYS[2]), tonumber(ARGV[5]), 1)
    redis.call('SET', KEYS[2], ARGV[4], 'PX', left)
  end
end
return 1
"""
# KEYS: link, latest. ARGV: reference.
_UNLINK = """
for _, key in ipairs(KEYS) do
  local value = redis.call('GET', key)
  if value and string.sub(value, 1, #ARGV[1]) == ARGV[1] then
    redis.call('DEL', key)
  end
end
"""
Change = Callable[[Session], Awaitable[Session]]


class RedisSessionStore:
    """While the store is down nothing is re-used and no record is kept: a repeat may make a second session."""

    def __init__(
        self, commands: Commands, sealed: SealedStructs[Session], *, prefix: str, keep_records_for: timedelta
    ) -> None:
        self._commands = commands
        self._claims = Claims(commands)
        self._sealed = sealed
        self._prefix = prefix
        self._keep_records_ms = _milliseconds(keep_records_for)

    async def find(self, reference: str) -> Session | None:
        """The record of a reference.

        Raises:
            StoreRequiredError: the store is down.
        """
        key = session_key(self._prefix, reference)
        with self._commands.required("Sessions cannot be looked up at the moment."):
            held = await self._commands.ask("GET", key)
        return self._sealed.open(held, key) if isinstance(held, bytes) else None

    async def take(self, key: str, *, instead_of: bytes = b"", note: bytes = b"") -> Turn[Session]:
        """The session of a fingerprint, the turn to make it, or a wait; the turn too when the store is down."""
        link = reuse_key(self._prefix, key)

        def opened(held: bytes) -> Session | None:
            return self._sealed.open(held[_REFERENCE_BYTES:], link)

        return await self._claims.turn(link, opened, instead_of=instead_of, note=note)

    def hold(self, key: str, claim: bytes) -> AbstractAsyncContextManager[None]:
        """Renew the claim until the session is saved, or its making failed."""
        return self._claims.making(reuse_key(self._prefix, key), claim)

    async def save(self, session: Session, *, reusable_for: timedelta, claim: bytes | None = None) -> str | None:
        """Keep the record, and the way to it where the turn is still ours; does nothing while the store is down.

        In the same step, unless that is lost, the session becomes its buyer's latest; the one before is returned.
        """
        record = session_key(self._prefix, session.reference)
        keys, reference, values = [record], session.reference, list[Value]()
        if session.fingerprint and session.buyer and reusable_for >= _SHORTEST:
            link = reuse_key(self._prefix, session.fingerprint)
            keys += [link, claim_key(link), latest_key(self._prefix, reference, session.checkout, session.buyer)]
            sealed, copy = self._sealed.seal_copies(session, record, link)
            values = [claim or b"", reference.encode() + copy, _milliseconds(reusable_for), reference]
        else:
            sealed = self._sealed.seal(session, record)
        try:
            former = await self._commands.run(_KEEP, *keys, values=(sealed, self._keep_records_ms, *values))
        except STORE_ERRORS as error:
            self._commands.report(error)
            return None
        return former.decode() if isinstance(former, bytes) and former else None

    async def update(self, reference: str, change: Change) -> Session | None:
        """Write what `change` makes of the record, unless somebody else wrote meanwhile: then it is asked again.

        In the same step whatever leads to the session is written anew, or taken away where it is neither open nor
        pending any more. What is pending is led to until it expires, whatever `reusable_for` was.

        Raises:
            StoreRequiredError: the store is down.
        """
        record = session_key(self._prefix, reference)
        with self._commands.required("Sessions cannot be changed at the moment."):
            while isinstance(held := await self._commands.ask("GET", record), bytes):
                session = self._sealed.open(held, record)
                if session is None:
                    return None
                changed = await change(session)
                if changed == session or await self._swap(held, changed):
                    return changed
        return None

    async def _swap(self, held: bytes, changed: Session) -> bool:
        record = session_key(self._prefix, changed.reference)
        keys, link = [record], b""
        pending_ms = 0
        if changed.fingerprint:
            keys.append(reuse_key(self._prefix, changed.fingerprint))
            if changed.is_linked:
                link = self._link(changed, keys[1])
        if changed.state == "pending":
            now = max(changed.timeline[-1].at, changed.verified_at or changed.created_at)
            pending_ms = max(0, _milliseconds(changed.expires_at - now))
        values = (held, self._sealed.seal(changed, record), changed.reference, link, pending_ms)
        return bool(await self._commands.run(_SWAP, *keys, values=values))

    async def unlink(self, session: Session) -> None:
        """Hand the session out no more, and let no other session of its buyer retire it.

        Raises:
            StoreRequiredError: the store is down.
        """
        if session.fingerprint and session.buyer:
            link = reuse_key(self._prefix, session.fingerprint)
            latest = latest_key(self._prefix, session.reference, session.checkout, session.buyer)
            with self._commands.required("Sessions cannot be changed at the moment."):
                await self._commands.run(_UNLINK, link, latest, values=(session.reference,))

    @asynccontextmanager
    async def writer(self, reference: str, *, wait_seconds: float) -> AsyncGenerator[bool]:
        """Change a session as the only one; yields False when others did so all the time.

        Raises:
            StoreRequiredError: the store is down.
        """
        key, claim = writer_key(self._prefix, reference), new_claim()
        if not await self._is_free(key, claim, wait_seconds):
            yield False
            return
        async with self._claims.holding(key, claim):
            yield True

    async def _is_free(self, key: str, claim: bytes, wait_seconds: float) -> bool:
        ends_at = asyncio.get_running_loop().time() + wait_seconds
        with self._commands.required("Sessions cannot be changed at the moment."):
            while await self._claims.take(key, claim) is not None:
                if asyncio.get_running_loop().time() >= ends_at:
                    return False
                await asyncio.sleep(_LOOK_EVERY_SECONDS)
        return True

    def _link(self, session: Session, key: str) -> bytes:
        return session.reference.encode() + self._sealed.seal(session, key)


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
