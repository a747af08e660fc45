"""Sessions that were made: found by whom they concern, and retired."""

from typing import get_args

import pytest
from msgspec.structs import replace

from service.checkout.errors import StoreRequiredError, UnknownSessionError
from service.checkout.session import State, TimelineEntry
from tests.support.changing import BUYER, LATER, ChangingWorld
from tests.support.orders import REQUEST

NO_SESSION = "cs_01kb2w8z4e6m3q9r7t5v1x0y2a"


async def test_found_by_its_reference() -> None:
    """The record is found by its reference, and what is none leads nowhere."""
    world = ChangingWorld()
    session = await world.made()

    assert session == await world.found.find(session.reference)
    world.sessions.by_reference["../secret"] = session
    for reference in (NO_SESSION, "../secret", ""):
        with pytest.raises(UnknownSessionError):
            await world.found.find(reference)


async def test_browser_finds_its_own_alone() -> None:
    """A browser finds the session that it made, by its key; with another key, or of nobody's making, there is none."""
    world = ChangingWorld()
    session = await world.made()
    keyless = (await world.service.create(REQUEST, replace(BUYER, key=None))).session

    assert session == await world.found.find_for_browser(session.reference, str(BUYER.key))
    for reference, key in ((session.reference, "c" * 24), (session.reference, ""), (keyless.reference, str(BUYER.key))):
        with pytest.raises(UnknownSessionError):
            await world.found.find_for_browser(reference, key)


async def test_retired_session_is_handed_out_no_more() -> None:
    """The state, the timeline and the buyer's next request all say so; a browser sees it as expired."""
    world = ChangingWorld()
    session = await world.made()
    assert await world.is_linked(session)
    before = world.record(session)

    await world.found.retire(session)

    record = world.record(session)
    assert record == replace(
        before, state="retired", timeline=(*before.timeline, TimelineEntry(at=LATER, event="retired"))
    )
    assert "expired" == record.browser_state_at(LATER)
    assert not await world.is_linked(session)


async def test_retiring_twice_is_retiring_once() -> None:
    """The second time changes nothing."""
    world = ChangingWorld()
    session = await world.made()
    await world.found.retire(session)
    once = world.record(session)

    await world.found.retire(session)

    assert once == world.record(session)


@pytest.mark.parametrize("state", sorted(set(get_args(State)) - {"open", "pending"}))
async def test_what_is_not_open_stays_what_it_is(state: State) -> None:
    """A payment, or an end, is not undone by retiring; the link goes all the same."""
    world = ChangingWorld()
    session = await world.made()
    world.sessions.by_reference[session.reference] = replace(session, state=state)

    await world.found.retire(session)

    assert replace(session, state=state) == world.record(session)
    assert not await world.is_linked(session)


async def test_payment_under_way_goes_on() -> None:
    """A session that is being paid stays pending, retired once, and is not handed out again should the payment fail."""
    world = ChangingWorld()
    session = await world.made()
    pending = replace(session, state="pending")
    world.sessions.by_reference[session.reference] = pending

    for _ in range(2):
        await world.found.retire(pending)

    assert pending.after("retired", LATER) == world.record(session)
    assert not await world.is_linked(session)
    assert not replace(world.record(session), state="open").is_linked


async def test_session_that_expired_by_the_clock_stays_open_on_paper() -> None:
    """One that is over by the clock is told as expired, not as retired."""
    world = ChangingWorld()
    session = await world.made()
    world.clock.now = session.expires_at

    await world.found.retire(session)

    assert "expired" == world.record(session).state_at(world.clock.now)


async def test_retiring_needs_the_store() -> None:
    """Without the store nobody can promise that a session is handed out no more."""
    world = ChangingWorld()
    session = await world.made()
    world.sessions.failure = StoreRequiredError("down")

    with pytest.raises(StoreRequiredError):
        await world.found.retire(session)
