"""`Idempotency-Key`, every row of its table."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from service.checkout.buyer import Buyer
from service.checkout.errors import (
    IdempotencyInProgressError,
    IdempotencyMismatchError,
    SessionCompletingError,
    SessionEndedError,
    UpstreamUnavailableError,
)
from tests.support.orders import CHECKOUT, NOW, REQUEST
from tests.support.world import BUYER, World

CALLER = Buyer(caller="backoffice")
OTHER_CART = replace(REQUEST, items=(replace(REQUEST.items[0], quantity=7),))
FRESH = replace(REQUEST, fresh=True)
ASKERS = [pytest.param(BUYER, id="browser"), pytest.param(CALLER, id="caller")]


@pytest.mark.parametrize("buyer", ASKERS)
async def test_repeat_gets_the_first_answer(buyer: Buyer) -> None:
    """The second time the first answer is given again, as it was, and says so."""
    world = World()
    first = await world.service.create(REQUEST, buyer, "k1")
    again = await world.service.create(REQUEST, buyer, "k1")

    assert (False, False) == (first.reused, first.replayed)
    assert replace(first, replayed=True) == again
    assert 1 == len(world.provider.orders)


@pytest.mark.parametrize("buyer", ASKERS)
async def test_other_request_with_the_key_is_refused(buyer: Buyer) -> None:
    """The key of another request is refused, and the request behind it stays what it was."""
    world = World()
    first = await world.ask(REQUEST, buyer, "k1")
    with pytest.raises(IdempotencyMismatchError):
        await world.ask(OTHER_CART, buyer, "k1")

    assert first == await world.ask(REQUEST, buyer, "k1")
    assert 1 == len(world.provider.orders)


async def test_keys_are_their_askers_own() -> None:
    """The same key of another buyer, caller or checkout, and another key of a caller, are first times."""
    world = World()
    sessions = [
        await world.ask(REQUEST, BUYER, "k1"),
        await world.ask(REQUEST, replace(BUYER, key="c" * 24), "k1"),
        await world.ask(replace(REQUEST, checkout="other"), BUYER, "k1"),
        await world.ask(REQUEST, CALLER, "k1"),
        await world.ask(REQUEST, replace(CALLER, caller="b" * 24), "k1"),
        await world.ask(REQUEST, CALLER, "k2"),
    ]

    assert 6 == len(set(sessions))


async def test_caller_s_key_belongs_to_one_buyer() -> None:
    """A caller that repeats its key for another buyer is refused rather than given the first buyer's session."""
    world = World()
    await world.ask(REQUEST, replace(CALLER, key="a" * 24), "k1")

    with pytest.raises(IdempotencyMismatchError):
        await world.ask(REQUEST, replace(CALLER, key="b" * 24), "k1")


async def test_first_time_may_be_a_reuse() -> None:
    """A new key on a session that is there gets that session, and its repeats the same answer."""
    world = World()
    await world.ask()
    first = await world.service.create(REQUEST, BUYER, "k1")
    again = await world.service.create(REQUEST, BUYER, "k1")

    assert (True, False) == (first.reused, first.replayed)
    assert replace(first, replayed=True) == again


@pytest.mark.parametrize("buyer", ASKERS)
async def test_repeats_at_once_share_one_run(buyer: Buyer) -> None:
    """Fifty at the same moment on two replicas: one call, one first answer, and all others are its repeats."""
    world = World()
    replicas = [world.service, world.replica()]
    answers = await asyncio.gather(*(replicas[index % 2].create(REQUEST, buyer, "k1") for index in range(50)))

    assert 1 == len(world.provider.orders)
    assert 49 == sum(answer.replayed for answer in answers)
    assert 1 == len({answer.session.reference for answer in answers})


@pytest.mark.parametrize("is_elsewhere", [False, True])
async def test_other_request_at_once_is_refused(*, is_elsewhere: bool) -> None:
    """While the first request runs, another one with its key is refused at once, here and on another replica."""
    world = World()
    elsewhere = world.replica() if is_elsewhere else world.service
    [first, other] = await asyncio.gather(
        world.service.create(REQUEST, CALLER, "k1"),
        elsewhere.create(OTHER_CART, CALLER, "k1"),
        return_exceptions=True,
    )

    assert not isinstance(first, BaseException)
    assert isinstance(other, IdempotencyMismatchError)


async def test_first_one_that_runs_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has waited as long as a browser does is told to come back."""
    monkeypatch.setattr("service.checkout.asked.PATIENCE_SECONDS", 1.7)
    world = World()
    await world.ask(REQUEST, CALLER, "k1")
    [(key, (_, replay))] = world.replays.there.items()
    world.replays.there.clear()
    world.replays.claims[key] = b"another replica", replay.fingerprint.encode()

    with pytest.raises(IdempotencyInProgressError) as error:
        await world.ask(REQUEST, CALLER, "k1")
    assert error.value.retry_after_seconds


async def test_failure_is_not_kept() -> None:
    """After a failure the next try runs again."""
    world = World()
    world.provider.failure = UpstreamUnavailableError("down")
    with pytest.raises(UpstreamUnavailableError):
        await world.ask(REQUEST, CALLER, "k1")
    world.provider.failure = None

    assert "OS2" == await world.ask(REQUEST, CALLER, "k1")
    assert {} == world.replays.claims


@pytest.mark.parametrize(("buyer", "life"), [(BUYER, timedelta(hours=24)), (CALLER, timedelta(days=3))])
async def test_answers_end(buyer: Buyer, life: timedelta) -> None:
    """An answer is kept until its session's expiry minus the margin, and for a day at most."""
    world = World()
    world.provider.changes = {"expires_at": NOW + life}
    await world.ask(REQUEST, buyer, "k1")

    margin = timedelta(seconds=CHECKOUT.expiry_margin_seconds)
    assert [min(life - margin, timedelta(hours=24))] == world.replays.replayable_for


@pytest.mark.parametrize("buyer", ASKERS)
@pytest.mark.parametrize("state", ["completed", "retired", "expired", "abandoned"])
async def test_session_that_is_over_is_not_given_again(buyer: Buyer, state: str) -> None:
    """A dead session is never the answer: it is said to be over, or another is made where one is wished."""
    world = World(replace(CHECKOUT, verify_after_seconds=0), verified=True)
    first = await world.service.create(REQUEST, buyer, "k1")
    record = world.sessions.by_reference[first.session.reference]
    world.sessions.by_reference[record.reference] = replace(record, state=state)
    with pytest.raises(SessionEndedError):
        await world.ask(REQUEST, buyer, "k1")
    assert [] == world.verifier.asked  # it is known

    assert "OS2" == await world.ask(FRESH, buyer, "k1")
    assert "OS2" == await world.ask(REQUEST, buyer, "k1")
    assert "OS2" == await world.ask(FRESH, buyer, "k1")


@pytest.mark.parametrize("buyer", ASKERS)
async def test_repeat_is_no_reuse(buyer: Buyer) -> None:
    """A repeat after a lost answer gets it also where nothing is re-used, or no more."""
    world = World(replace(CHECKOUT, reuse_seconds=0))
    first = await world.ask(REQUEST, buyer, "k1")
    world.clock.now = NOW + timedelta(hours=1)

    assert first == await world.ask(REQUEST, buyer, "k1")


async def test_session_that_a_caller_changed_is_not_given_again() -> None:
    """The first answer is no more what the session is."""
    world = World()
    first = await world.service.create(REQUEST, CALLER, "k1")
    record = world.sessions.by_reference[first.session.reference]
    world.sessions.by_reference[record.reference] = record.after("changed", NOW)

    with pytest.raises(SessionEndedError):
        await world.ask(REQUEST, CALLER, "k1")


async def test_session_whose_time_is_over() -> None:
    """A clock that runs ahead of the store's finds an answer whose session has less than the margin left: over."""
    world = World()
    await world.ask(REQUEST, CALLER, "k1")
    world.clock.now = NOW + timedelta(hours=23, minutes=56)

    with pytest.raises(SessionEndedError):
        await world.ask(REQUEST, CALLER, "k1")


async def test_payment_under_way() -> None:
    """A session with a payment under way is not given again; another one only where it is wished."""
    world = World(replace(CHECKOUT, verify_after_seconds=0), verified=True)
    await world.ask(REQUEST, CALLER, "k1")
    world.verifier.states["OS1"] = "pending"
    with pytest.raises(SessionCompletingError):
        await world.ask(REQUEST, CALLER, "k1")

    assert "OS2" == await world.ask(FRESH, CALLER, "k1")


async def test_session_that_was_retired_while_it_was_paid() -> None:
    """It is not given again when the payment fails after all."""
    world = World(replace(CHECKOUT, verify_after_seconds=0), verified=True)
    first = await world.service.create(REQUEST, BUYER, "k1")
    world.verifier.states["OS1"] = "pending"
    with pytest.raises(SessionCompletingError):
        await world.ask()
    await world.found.retire(first.session)
    world.verifier.states["OS1"] = "open"

    with pytest.raises(SessionEndedError):
        await world.ask(REQUEST, BUYER, "k1")


async def test_record_that_cannot_be_read() -> None:
    """While nobody can tell what became of a session it is not given again: another one is made."""
    world = World()
    await world.ask(REQUEST, CALLER, "k1")
    world.sessions.is_silent = True

    assert "OS2" == await world.ask(REQUEST, CALLER, "k1")


async def test_record_that_was_lost() -> None:
    """Where the record is gone nobody knows what became of the session, so it is not given again."""
    world = World()
    await world.ask(REQUEST, CALLER, "k1")
    world.sessions.by_reference.clear()

    with pytest.raises(SessionEndedError):
        await world.ask(REQUEST, CALLER, "k1")
