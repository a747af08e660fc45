"""From `[store]` to a session store, the key of our hashes, and budgets that replicas share."""

from datetime import timedelta
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from service.checkout.outcome import Replay
from service.checkout.session import Session
from service.resilience.windows import LocalWindows
from service.store.commands import Commands
from service.store.connection import create_client
from service.store.embedded import keys_of, socket_of
from service.store.limits import RedisLimitStore
from service.store.paid import RedisPaidStore
from service.store.quotes import RedisQuoteStore
from service.store.rate import SharedRate
from service.store.replays import RedisReplayStore
from service.store.sealing import SealedStructs, Sealer
from service.store.sessions import RedisSessionStore
from service.store.settings import StoreSettings, decode_key


class OpenStore(Struct, frozen=True, kw_only=True):
    """What is kept in one store, and the key of our hashes that belongs to it."""

    sessions: RedisSessionStore
    replays: RedisReplayStore
    quotes: RedisQuoteStore
    paid: RedisPaidStore
    windows: LocalWindows
    hash_key: bytes
    commands: Commands
    prefix: str

    def rate(self, upstream: str, per_minute: int, *, workers: int) -> SharedRate:
        """The budget of an upstream's calls, the same for every replica with this store."""
        return SharedRate(self.commands, self.prefix, upstream, per_minute, workers=workers)

    def limits(self, *, workers: int) -> RedisLimitStore:
        """The windows of all limits; what was counted outlives a change of the settings, here as well."""
        return RedisLimitStore(self.commands, self.windows, prefix=self.prefix, workers=workers)

    async def close(self) -> None:
        """Close every connection."""
        await self.commands.close()


def open_store(settings: StoreSettings, embedded: Path | None) -> OpenStore:
    """The store of these settings. `embedded` is the directory of a running bundled store, when that is used."""
    if embedded is not None:
        settings = replace(settings, url=f"unix://{socket_of(embedded)}")
    seal_keys, hash_key = _keys(settings, embedded)
    commands, prefix = Commands(create_client(settings)), settings.key_prefix
    sealer = Sealer(seal_keys)
    return OpenStore(
        sessions=RedisSessionStore(
            commands,
            SealedStructs(sealer, Session),
            prefix=prefix,
            keep_records_for=timedelta(days=settings.ledger_days),
        ),
        replays=RedisReplayStore(commands, SealedStructs(sealer, Replay), prefix=prefix),
        quotes=RedisQuoteStore(commands, prefix=prefix),
        paid=RedisPaidStore(commands, prefix=prefix),
        windows=LocalWindows(),
        hash_key=hash_key,
        commands=commands,
        prefix=prefix,
    )


def _keys(settings: StoreSettings, embedded: Path | None) -> tuple[tuple[bytes, ...], bytes]:
    if embedded is not None and settings.hash_key is None:
        seal_key, made_hash_key = keys_of(embedded)
        return (seal_key,), made_hash_key
    seal_keys = tuple(key for secret in settings.seal_keys if (key := decode_key(secret)))
    hash_key = decode_key(settings.hash_key) if settings.hash_key else None
    if not seal_keys or hash_key is None:  # the settings' own rules refuse this before
        raise ValueError("store.seal_keys and store.hash_key are required")
    return seal_keys, hash_key
