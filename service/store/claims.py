"""Whose turn it is to make what stands under a key: a lease that its holder renews, and that ends soon after it died.

A claim stands beside what is there, under a key of its own: until something new is kept, nothing is lost.

A holder that stood still for longer than the lease has lost it without knowing. So it keeps others from working at the
same time, no more, and what it writes is written only where its claim still stands.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TypeVar

from service.checkout.ports import Turn
from service.store import claim_key
from service.store.commands import Commands
from service.store.question import STORE_ERRORS

T = TypeVar("T")
_MARK = b"\x00"  # how a claim begins; nothing else that is stored does
_TOKEN_BYTES = 16
_LEASE_MS = 2000
_RENEW_EVERY_SECONDS = 0.5
# Who repeats a question because its connection broke finds its own claim.
_TAKE = """
local claimed = redis.call('GET', KEYS[2])
if claimed and claimed ~= ARGV[1] then
  return claimed
end
local there = redis.call('GET', KEYS[1])
if there and there ~= ARGV[2] then
  return there
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3])
return false
"""
_RENEW = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
"""
_DROP = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
"""


def new_claim(note: bytes = b"") -> bytes:
    """A claim that nobody else has; whoever finds it can read the note."""
    return _MARK + os.urandom(_TOKEN_BYTES) + note


def is_claim(held: bytes) -> bool:
    """Whether what stands under a key is a claim."""
    return held.startswith(_MARK)


def note_of(claim: bytes) -> bytes:
    """What the holder of a claim says of its work."""
    return claim[len(_MARK) + _TOKEN_BYTES :]


class Claims:
    """Claims in one store. Each method raises what `Commands.ask` does, unless it says otherwise."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    async def take(self, key: str, claim: bytes, *, instead_of: bytes = b"") -> bytes | None:
        """Somebody's claim, what stands there, or None: it is our turn, with what is there `instead_of` or nothing."""
        met = await self._commands.run(_TAKE, key, claim_key(key), values=(claim, instead_of, _LEASE_MS))
        return met if isinstance(met, bytes) else None

    async def turn(
        self, key: str, opened: Callable[[bytes], T | None], *, instead_of: bytes = b"", note: bytes = b""
    ) -> Turn[T]:
        """What stands there as `opened`, the turn, or a wait; the turn too when the store is down. Raises nothing."""
        claim = new_claim(note)
        try:
            met = await self.take(key, claim, instead_of=instead_of)
        except STORE_ERRORS as error:
            self._commands.report(error)
            return Turn(claim=claim, is_shared=False)
        if met is None:
            return Turn(claim=claim)
        if is_claim(met):
            return Turn(note=note_of(met))
        return Turn(found=opened(met), mark=met)

    def holding(self, key: str, claim: bytes) -> "Lease":
        """Renew the claim until the work is done, and drop it then."""
        return Lease(self._commands, claim_key(key), claim, is_kept=False)

    def making(self, key: str, claim: bytes) -> "Lease":
        """Renew the claim until the work is done; whoever keeps what was made ends it, so a failure alone drops it."""
        return Lease(self._commands, claim_key(key), claim, is_kept=True)


class Lease:
    """Renews a claim from time to time inside, and raises nothing of its own."""

    def __init__(self, commands: Commands, key: str, claim: bytes, *, is_kept: bool) -> None:
        self._commands = commands
        self._key = key
        self._claim = claim
        self._is_kept = is_kept
        self._renewing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        """Most work is done before the first renewal, so that a timer is all that it costs."""
        self._timer = asyncio.get_running_loop().call_later(_RENEW_EVERY_SECONDS, self._renew_regularly)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._renewing is not None:
            self._renewing.cancel()
        if kind is not None or not self._is_kept:
            with suppress(*STORE_ERRORS):  # it ends by itself
                await self._commands.run(_DROP, self._key, values=(self._claim,))

    def _renew_regularly(self) -> None:
        self._renewing = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        while True:
            with suppress(*STORE_ERRORS):  # there is time for further tries
                await self._commands.run(_RENEW, self._key, values=(self._claim, _LEASE_MS))
            await asyncio.sleep(_RENEW_EVERY_SECONDS)
