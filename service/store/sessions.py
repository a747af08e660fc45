"""Sessions in Redis: found by fingerprint for re-use, by reference for everything else."""

import time
from datetime import timedelta

import msgspec
import structlog

from service.checkout.errors import StoreRequiredError
from service.checkout.session import Session
from service.observability import metrics
from service.store import reuse_key, session_key
from service.store.connection import STORE_ERRORS, Client, close_client
from service.store.sealing import Sealer, UnreadableValueError

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Session).decode
_LOG_EVERY_SECONDS = 1.0
_SHORTEST = timedelta(milliseconds=1)
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
        try:
            return await self._read(session_key(self._prefix, reference))
        except STORE_ERRORS as error:
            self._report(error)
            raise StoreRequiredError("Sessions cannot be looked up at the moment.") from error

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

    async def _read(self, key: str) -> Session | None:
        sealed = await self._client.get(key)
        if not isinstance(sealed, bytes):
            return None
        try:
            return _decode(self._sealer.open(sealed, key))
        except (UnreadableValueError, msgspec.DecodeError):
            metrics.STORE_FAILURES.labels("unreadable").inc()
            return None

    def _report(self, error: Exception) -> None:
        kind = type(error).__name__
        metrics.STORE_FAILURES.labels(kind).inc()
        now = time.monotonic()
        if now - self._logged_at >= _LOG_EVERY_SECONDS:
            self._logged_at = now
            log.warning("store.unavailable", kind=kind)
