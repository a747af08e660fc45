"""Sessions in Redis: found by fingerprint for re-use, by reference for everything else."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from typing import TypeVar, cast

import msgspec
import structlog
from redis.exceptions import ConnectionError, RedisError, TimeoutError  # noqa: A004  # redis-py's own names

from service.checkout.errors import StoreRequiredError
from service.checkout.ports import Turn
from service.checkout.session import Session
from service.observability import metrics
from service.resilience.breaker import Breaker, BreakerOpenError
from service.resilience.health import BreakerSettings, Outcome
from service.store import reuse_key, session_key, writer_key
from service.store.connection import STORE_ERRORS, Client, close_client
from service.store.leases import lease
from service.store.sealing import Sealer, UnreadableValueError

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Session).decode
_LOG_EVERY_SECONDS = 1.0
_SHORTEST = timedelta(milliseconds=1)
_SWAP = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
  return 1
end
return 0
"""
_CLAIM = b"\x00"  # how a claim begins; a sealed value begins otherwise
_LEASE_MS = 2000
_RENEW_EVERY_SECONDS = 0.5
_TAKE = """
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[2] then
  return held
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return false
"""
_RENEW = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
"""
_SETTLE = """
local held = redis.call('GET', KEYS[1])
if (held or '') == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
"""
_DROP = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
"""
_SILENCE = (ConnectionError, TimeoutError)  # what answers, if only with an error, costs no time
_ONE_SILENCE = BreakerSettings(in_a_row=1, open_seconds=1.0, longest_open_seconds=1.0)
T = TypeVar("T")
Change = Callable[[Session], Awaitable[Session]]
log = structlog.get_logger()


class StoreLeftAloneError(RedisError):
    """The store was silent a moment ago, so it is not asked."""


class RedisSessionStore:
    """While the store is down nothing is re-used and no record is kept: a repeat may make a second session."""

    def __init__(self, client: Client, sealer: Sealer, *, prefix: str, keep_records_for: timedelta) -> None:
        self._client = client
        self._sealer = sealer
        self._prefix = prefix
        self._keep_records_for = keep_records_for
        self._logged_at = 0.0
        # A store that is silent costs its time-out once; then one question a second finds out whether it is back.
        self._breaker = Breaker(_ONE_SILENCE, lambda is_open: log.warning("store.breaker", open=is_open))

    async def close(self) -> None:
        """Close every connection."""
        await close_client(self._client)

    async def find_reusable(self, fingerprint: str) -> Session | None:
        """The session of a fingerprint; None also when the store is down."""
        try:
            return await self._read(reuse_key(self._prefix, fingerprint))
        except STORE_ERRORS as error:
            self._report(error)
            return None

    async def find(self, reference: str) -> Session | None:
        """The record of a reference.

        Raises:
            StoreRequiredError: the store is down.
        """
        with self._required("Sessions cannot be looked up at the moment."):
            return await self._read(session_key(self._prefix, reference))

    async def take_turn(self, fingerprint: str, claim: bytes, *, instead_of: bytes = b"") -> Turn:
        """The session that is there, the turn, or a wait; the turn too when the store is down."""
        key = reuse_key(self._prefix, fingerprint)
        try:
            held = await self._run(_TAKE, key, _CLAIM + claim, instead_of, _LEASE_MS)
        except STORE_ERRORS as error:
            self._report(error)
            return Turn(is_ours=True, is_shared=False)
        if not isinstance(held, bytes):
            return Turn(is_ours=True)
        if held.startswith(_CLAIM):
            return Turn()
        return Turn(session=self._open(held, key), mark=held)

    @asynccontextmanager
    async def turn(self, fingerprint: str, claim: bytes) -> AsyncGenerator[None]:
        """Renew the claim until the work is done; what is left of it then is dropped."""
        key = reuse_key(self._prefix, fingerprint)
        renewing = asyncio.create_task(self._renew(key, _CLAIM + claim))
        try:
            yield
        finally:
            renewing.cancel()
            with suppress(*STORE_ERRORS):  # it ends by itself
                await self._run(_DROP, key, _CLAIM + claim)

    async def _renew(self, key: str, claim: bytes) -> None:
        while True:
            await asyncio.sleep(_RENEW_EVERY_SECONDS)
            with suppress(*STORE_ERRORS):  # there is time for further tries
                await self._run(_RENEW, key, claim, _LEASE_MS)

    async def save(self, session: Session, *, reusable_for: timedelta, claim: bytes | None = None) -> None:
        """Keep the record, then the way to it where the turn is still ours; does nothing while the store is down."""
        value = _encode(session)
        record = session_key(self._prefix, session.reference)
        try:
            sealed = self._sealer.seal(value, record)
            await self._ask(lambda: self._client.set(record, sealed, ex=self._keep_records_for))
            if session.fingerprint and reusable_for >= _SHORTEST:
                reuse = reuse_key(self._prefix, session.fingerprint)
                mark = b"" if claim is None else _CLAIM + claim
                milliseconds = int(reusable_for / timedelta(milliseconds=1))
                await self._run(_SETTLE, reuse, mark, self._sealer.seal(value, reuse), milliseconds)
        except STORE_ERRORS as error:
            self._report(error)

    async def update(self, reference: str, change: Change) -> Session | None:
        """Write what `change` makes of the record, unless somebody else wrote meanwhile: then it is asked again.

        Raises:
            StoreRequiredError: the store is down.
        """
        key = session_key(self._prefix, reference)
        with self._required("Sessions cannot be changed at the moment."):
            while isinstance(sealed := await self._get(key), bytes) and (session := self._open(sealed, key)):
                changed = await change(session)
                if changed == session:
                    return session
                value = self._sealer.seal(_encode(changed), key)
                if await self._run(_SWAP, key, sealed, value):
                    return changed
        return None

    async def unlink(self, session: Session) -> None:
        """Hand the session out no more.

        Raises:
            StoreRequiredError: the store is down.
        """
        if not session.fingerprint:
            return
        key = reuse_key(self._prefix, session.fingerprint)
        with self._required("Sessions cannot be changed at the moment."):
            sealed = await self._get(key)
            if not isinstance(sealed, bytes) or sealed.startswith(_CLAIM) or not (linked := self._open(sealed, key)):
                return
            if linked.reference == session.reference:  # a fresh one may have taken its place
                await self._run(_DROP, key, sealed)

    @asynccontextmanager
    async def writer(self, reference: str, *, wait_seconds: float) -> AsyncGenerator[bool]:
        """Change a session as the only one; yields False when others did so all the time.

        Raises:
            StoreRequiredError: the store is down.
        """
        with self._required("Sessions cannot be changed at the moment."):
            async with lease(self._client, writer_key(self._prefix, reference), wait_seconds=wait_seconds) as held:
                yield held

    async def _read(self, key: str) -> Session | None:
        sealed = await self._get(key)
        return self._open(sealed, key) if isinstance(sealed, bytes) and not sealed.startswith(_CLAIM) else None

    async def _run(self, script: str, key: str, *values: bytes | int) -> object:
        """One step over one key, so that a cluster can take it."""
        return await self._ask(lambda: cast("Awaitable[object]", self._client.eval(script, 1, key, *values)))

    async def _get(self, key: str) -> object:
        return await self._ask(lambda: self._client.get(key))

    async def _ask(self, command: Callable[[], Awaitable[T]]) -> T:
        """What the store answers.

        Raises:
            RedisError: it does not, or it was silent a moment ago and is left alone.
        """
        try:
            with self._breaker.call() as call:
                try:
                    answer = await command()
                except _SILENCE:
                    call.outcome = Outcome.FAILED
                    raise
                call.outcome = Outcome.SUCCEEDED
                return answer
        except BreakerOpenError as error:
            raise StoreLeftAloneError from error

    def _open(self, sealed: bytes, key: str) -> Session | None:
        try:
            return _decode(self._sealer.open(sealed, key))
        except (UnreadableValueError, msgspec.DecodeError):
            metrics.STORE_FAILURES.labels("unreadable").inc()
            return None

    @contextmanager
    def _required(self, detail: str) -> Generator[None]:
        try:
            yield
        except STORE_ERRORS as error:
            self._report(error)
            raise StoreRequiredError(detail) from error

    def _report(self, error: Exception) -> None:
        kind = type(error).__name__
        metrics.STORE_FAILURES.labels(kind).inc()
        now = time.monotonic()
        if now - self._logged_at >= _LOG_EVERY_SECONDS:
            self._logged_at = now
            log.warning("store.unavailable", kind=kind)
