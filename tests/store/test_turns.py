"""Whose turn it is to make a session, in a real server: one step, a lease, and no late owner."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from service.checkout.session import Session
from service.store.sessions import RedisSessionStore
from service.store.settings import StoreSettings
from tests.support.ports import free_port

HOUR = timedelta(hours=1)
OpenSessions = Callable[..., RedisSessionStore]


async def test_one_of_many_gets_the_turn(open_sessions: OpenSessions, session: Session) -> None:
    """Of a hundred who ask over ten connections' worth of replicas, one makes it and the others wait."""
    replicas = [open_sessions(prefix="many") for _ in range(10)]
    fingerprint = str(session.fingerprint)
    turns = [
        turn
        for number in range(10)
        for turn in await asyncio.gather(
            *(replica.take_turn(fingerprint, b"%d-%d" % (number, index)) for index, replica in enumerate(replicas))
        )
    ]

    assert 1 == sum(turn.is_ours and turn.is_shared for turn in turns)
    assert 99 == sum(not turn.is_ours and turn.session is None and not turn.mark for turn in turns)


async def test_what_was_made_is_there_for_the_others(open_sessions: OpenSessions, session: Session) -> None:
    """After the maker has kept it, whoever asks gets the session; before, a look-up finds nothing."""
    maker, other = open_sessions(prefix="made"), open_sessions(prefix="made")
    fingerprint = str(session.fingerprint)
    assert (await maker.take_turn(fingerprint, b"maker")).is_ours
    async with maker.turn(fingerprint, b"maker"):
        assert None is await other.find_reusable(fingerprint)
        await maker.save(session, reusable_for=HOUR, claim=b"maker")

    assert session == (await other.take_turn(fingerprint, b"other")).session
    assert session == await other.find_reusable(fingerprint)


async def test_turn_of_who_fails_is_free_at_once(open_sessions: OpenSessions, session: Session) -> None:
    """A maker that fails leaves nothing behind, so the next one need not wait for the lease."""
    store, fingerprint = open_sessions(prefix="failed"), str(session.fingerprint)
    await store.take_turn(fingerprint, b"first")
    with pytest.raises(LookupError):
        async with store.turn(fingerprint, b"first"):
            raise LookupError

    assert (await store.take_turn(fingerprint, b"second")).is_ours


async def test_late_owner_overwrites_nothing(open_sessions: OpenSessions, session: Session, raw: Redis) -> None:
    """Who stood still beyond the lease finds another's turn, or session, and leaves both as they are."""
    store, fingerprint = open_sessions(prefix="late"), str(session.fingerprint)
    newer = replace(session, reference="cs_01kdwx4m000123456789abcdeg")
    await store.take_turn(fingerprint, b"late")
    await raw.delete(f"late:v1:reuse:{fingerprint}")  # as the end of the lease does
    assert (await store.take_turn(fingerprint, b"newer")).is_ours
    await store.save(session, reusable_for=HOUR, claim=b"late")
    assert None is await store.find_reusable(fingerprint)

    await store.save(newer, reusable_for=HOUR, claim=b"newer")
    await store.save(session, reusable_for=HOUR, claim=b"late")
    async with store.turn(fingerprint, b"late"):
        pass

    assert newer == await store.find_reusable(fingerprint)
    assert session == await store.find(session.reference)  # its record is kept all the same


async def test_turn_is_renewed_and_ends(open_sessions: OpenSessions, session: Session, raw: Redis) -> None:
    """A turn outlasts its lease while the work goes on, and is gone within the lease when its holder is."""
    store, fingerprint = open_sessions(prefix="lease"), str(session.fingerprint)
    key = f"lease:v1:reuse:{fingerprint}"
    await store.take_turn(fingerprint, b"long")
    async with store.turn(fingerprint, b"long"):
        await asyncio.sleep(2.3)  # the lease is 2 s
        assert 0 < await raw.pttl(key) <= 2000
        assert not (await store.take_turn(fingerprint, b"other")).is_ours
    assert (await store.take_turn(fingerprint, b"gone")).is_ours  # and nobody renews this one
    async with asyncio.timeout(5):
        while await raw.exists(key):  # noqa: ASYNC110  # the server has no event for it
            await asyncio.sleep(0.05)


async def test_only_what_was_looked_at_is_replaced(open_sessions: OpenSessions, session: Session) -> None:
    """A session that is not wanted gives way to a turn, unless another one has come meanwhile."""
    store, fingerprint = open_sessions(prefix="over"), str(session.fingerprint)
    await store.save(session, reusable_for=HOUR)
    there = await store.take_turn(fingerprint, b"a")

    assert (session, False) == (there.session, there.is_ours)
    assert session == (await store.take_turn(fingerprint, b"a", instead_of=b"something else")).session
    assert (await store.take_turn(fingerprint, b"a", instead_of=there.mark)).is_ours
    assert not (await store.take_turn(fingerprint, b"b", instead_of=there.mark)).is_ours


async def test_everybody_for_themselves_while_the_store_is_down(open_sessions: OpenSessions, session: Session) -> None:
    """Nobody waits for a store that is down: the turn is given, and known to nobody else."""
    store = open_sessions(settings=StoreSettings(url=f"redis://127.0.0.1:{free_port()}"))
    turn = await store.take_turn(str(session.fingerprint), b"alone")

    assert (True, False) == (turn.is_ours, turn.is_shared)
