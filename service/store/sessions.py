"""Sessions in Redis: found by fingerprint for re-use, by reference for everything else."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import cast

import msgspec
import structlog

from service.checkout.errors import StoreRequiredError
from service.checkout.session import Session
from service.observability import metrics
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
_DROP = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
"""
Change = Callable[[Session], Awaitable[Session]]
log = structlog.get_logger()


class RedisSessionStore:
    """While the store is down nothing is re-used and no record is kept: a repeat may make a second session."""

    def __init__(self, client: Client, sealer: Sealer, *, prefix: str, keep_records_for: timedelta) -> None:
        self._client = client
        self._sealer = sealer
        self._prefix = prefix
        self._keep_records_for = keep_records_for
        self._logged_at = 0.0

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

    async def save(self, session: Session, *, reusable_for: timedelta) -> None:
        """Keep the record, and the way to it from its fingerprint; does nothing while the store is down."""
        value = _encode(session)
        record = session_key(self._prefix, session.reference)
        try:
            pipeline = self._client.pipeline(transaction=False)
            pipeline.set(record, self._sealer.seal(value, record), ex=self._keep_records_for)
            if session.fingerprint and reusable_for >= _SHORTEST:
                reuse = reuse_key(self._prefix, session.fingerprint)
                pipeline.set(reuse, self._sealer.seal(value, reuse), px=reusable_for)
            await pipeline.execute()
        except STORE_ERRORS as error:
            self._report(error)

    async def update(self, reference: str, change: Change) -> Session | None:
        """Write what `change` makes of the record, unless somebody else wrote meanwhile: then it is asked again.

        Raises:
            StoreRequiredError: the store is down.
        """
        key = session_key(self._prefix, reference)
        with self._required("Sessions cannot be changed at the moment."):
            while isinstance(sealed := await self._client.get(key), bytes) and (session := self._open(sealed, key)):
                changed = await change(session)
                if changed == session:
                    return session
                value = self._sealer.seal(_encode(changed), key)
                if await cast("Awaitable[int]", self._client.eval(_SWAP, 1, key, sealed, value)):
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
            sealed = await self._client.get(key)
            if not isinstance(sealed, bytes) or not (linked := self._open(sealed, key)):
                return
            if linked.reference == session.reference:  # a fresh one may have taken its place
                await cast("Awaitable[None]", self._client.eval(_DROP, 1, key, sealed))

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
        sealed = await self._client.get(key)
        return self._open(sealed, key) if isinstance(sealed, bytes) else None

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
