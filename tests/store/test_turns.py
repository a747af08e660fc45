"""Whose turn it is to make a session, in a real server: one step, a lease, and no late owner."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from service.checkout.session import Session
from service.store import claim_key, reuse_key
from service.store.sessions import RedisSessionStore
from service.store.settings import StoreSettings
from tests.support.ports import free_port
from tests.support.stored import reusable
from tests.support.stores import FAMILIES

pytestmark = pytest.mark.parametrize("family", FAMILIES, scope="module")
HOUR = timedelta(hours=1)
OpenSessions = Callable[..., RedisSessionStore]


async def test_one_of_many_gets_the_turn(open_sessions: OpenSessions, session: Session) -> None:
    """Of a hundred who ask over ten connections' worth of replicas, one makes it and the others wait."""
    replicas = [open_sessions(prefix="many") for _ in range(10)]
    turns = await asyncio.gather(
        *(replica.take(str(session.fingerprint), note=b"one") for replica in replicas for _ in range(10))
    )

    assert 1 == sum(turn.claim is not None and turn.is_shared for turn in turns)
    assert 99 == sum(turn.claim is None and turn.found is None and not turn.mark for turn in turns)


async def test_what_was_made_is_there_for_the_others(open_sessions: OpenSessions, session: Session) -> None:
    """After the maker has kept it, whoever asks gets the session; before, a look-up finds nothing."""
    maker, other = open_sessions(prefix="made"), open_sessions(prefix="made")
    fingerprint = str(session.fingerprint)
    ours = await maker.take(fingerprint)
    async with maker.hold(fingerprint, ours.claim or b""):
        assert None is await reusable(other, fingerprint)
        assert None is await maker.save(session, reusable_for=HOUR, claim=ours.claim)

    assert session == (await other.take(fingerprint)).found


async def test_turn_of_who_fails_is_free_at_once(open_sessions: OpenSessions, session: Session) -> None:
    """A maker that fails leaves nothing behind, so the next one need not wait for the lease."""
    store, fingerprint = open_sessions(prefix="failed"), str(session.fingerprint)
    first = await store.take(fingerprint)
    with pytest.raises(LookupError):
        async with store.hold(fingerprint, first.claim or b""):
            raise LookupError

    assert (await store.take(fingerprint)).claim


async def test_late_owner_overwrites_nothing(open_sessions: OpenSessions, session: Session, raw: Redis) -> None:
    """Who stood still beyond the lease finds another's turn, or session, and leaves both as they are."""
    store, fingerprint = open_sessions(prefix="late"), str(session.fingerprint)
    newer = replace(session, reference="cs_01kdwx4m000123456789abddef")
    late = await store.take(fingerprint)
    await raw.delete(claim_key(reuse_key("late", fingerprint)))  # as the end of the lease does
    ours = await store.take(fingerprint)
    await store.save(session, reusable_for=HOUR, claim=late.claim)
    assert None is await reusable(store, fingerprint)

    await store.save(newer, reusable_for=HOUR, claim=ours.claim)
    assert None is await store.save(session, reusable_for=HOUR, claim=late.claim)  # nor does it retire the newer one
    with pytest.raises(LookupError):
        async with store.hold(fingerprint, late.claim or b""):
            raise LookupError

    assert newer == await reusable(store, fingerprint)
    assert session == await store.find(session.reference)  # its record is kept all the same


async def test_turn_is_renewed_and_ends(open_sessions: OpenSessions, session: Session, raw: Redis) -> None:
    """A turn outlasts its lease while the work goes on, and is gone within the lease when its holder is."""
    store, fingerprint = open_sessions(prefix="lease"), str(session.fingerprint)
    key = claim_key(reuse_key("lease", fingerprint))
    long = await store.take(fingerprint)
    async with store.hold(fingerprint, long.claim or b""):
        await asyncio.sleep(2.3)  # the lease is 2 s
        assert 0 < await raw.pttl(key) <= 2000
        assert (await store.take(fingerprint)).claim is None
    async with asyncio.timeout(5):
        while await raw.exists(key):  # noqa: ASYNC110  # the server has no event for it
            await asyncio.sleep(0.05)


async def test_only_what_was_looked_at_is_replaced(open_sessions: OpenSessions, session: Session) -> None:
    """A session that is not wanted gives way to a turn, unless another one has come meanwhile."""
    store, fingerprint = open_sessions(prefix="over"), str(session.fingerprint)
    await store.save(session, reusable_for=HOUR)
    there = await store.take(fingerprint)

    assert (session, None) == (there.found, there.claim)
    assert session == (await store.take(fingerprint, instead_of=b"something else")).found
    assert (await store.take(fingerprint, instead_of=there.mark)).claim
    assert (await store.take(fingerprint, instead_of=there.mark)).claim is None


async def test_everybody_for_themselves_while_the_store_is_down(open_sessions: OpenSessions, session: Session) -> None:
    """Nobody waits for a store that is down: the turn is given, and known to nobody else."""
    store = open_sessions(settings=StoreSettings(url=f"redis://127.0.0.1:{free_port()}"))
    turn = await store.take(str(session.fingerprint))

    assert (True, False) == (turn.claim is not None, turn.is_shared)


async def test_turn_takes_nothing_away(open_sessions: OpenSessions, session: Session) -> None:
    """Until something new is kept, a maker that fails or dies leaves what was there, with all that it tells."""
    store, fingerprint = open_sessions(prefix="beside"), str(session.fingerprint)
    await store.save(session, reusable_for=HOUR)
    there = await store.take(fingerprint)
    ours = await store.take(fingerprint, instead_of=there.mark)
    assert (None, b"") == ((waiting := await store.take(fingerprint)).found, waiting.mark)
    with pytest.raises(LookupError):
        async with store.hold(fingerprint, ours.claim or b""):
            raise LookupError

    assert session == (await store.take(fingerprint)).found


async def test_what_was_kept_ends_the_turn(open_sessions: OpenSessions, session: Session, raw: Redis) -> None:
    """Nobody waits for a lease to end after the session is there."""
    store, fingerprint = open_sessions(prefix="ends"), str(session.fingerprint)
    ours = await store.take(fingerprint)
    async with store.hold(fingerprint, ours.claim or b""):
        await store.save(session, reusable_for=HOUR, claim=ours.claim)
        assert 0 == await raw.exists(claim_key(reuse_key("ends", fingerprint)))
        assert session == (await store.take(fingerprint)).found
