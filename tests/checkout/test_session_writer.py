"""One change of a session at a time, and a record of what the provider has after it."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from service.checkout.errors import (
    CheckoutError,
    OverloadedError,
    ProviderError,
    SessionCompletingError,
    SessionEndedError,
    UnknownSessionError,
    UpstreamMismatchError,
)
from service.checkout.models import Customer, Item, Money, SessionItem, UpstreamWarning
from service.checkout.session import Session, State, TimelineEntry
from tests.support.changing import HANDBOOK, LATER, ChangingWorld
from tests.support.orders import REQUEST

CHANGED = [("pro-license", 2), ("handbook", 3)]


def cart(session: Session) -> list[tuple[str, int]]:
    return [(line.product, line.quantity) for line in session.items]


def unsent(error: ProviderError) -> ProviderError:
    error.sent = False
    return error


async def test_record_is_what_the_provider_has_after_the_change() -> None:
    """Cart, total and warnings are read again, at once and within one deadline; the timeline says so."""
    world = ChangingWorld()
    session = await world.made()
    warning = UpstreamWarning(code="INVALID_LOCALE", field="language")
    world.editor.spoiled = {"warnings": (warning,), "expires_at": LATER + timedelta(hours=2), "country": "AT"}
    world.checkouts["default"] = replace(
        world.checkouts["default"],
        expectations=replace(world.checkouts["default"].expectations, accept_warnings=("INVALID_LOCALE",)),
    )

    changed = await world.changes.add_item(session, HANDBOOK)

    assert changed == world.record(session)
    assert CHANGED == cart(changed)
    assert Money(amount="50.00", currency="EUR", display="50,00 €") == changed.total
    assert ((warning,), "AT", LATER + timedelta(hours=2)) == (changed.warnings, changed.country, changed.expires_at)
    assert TimelineEntry(at=LATER, event="changed") == changed.timeline[-1]
    assert ["for_one_change", "add_item", "read"] == world.asked()


async def test_changed_session_is_handed_out_no_more() -> None:
    """Nothing leads to it from a fingerprint, although it is open: it is another request now."""
    world = ChangingWorld()
    session = await world.made()
    assert await world.is_linked(session)

    await world.changes.replace_customer(session, Customer(email="ada@example.org"))

    assert not await world.is_linked(session)
    assert "open" == world.record(session).state


async def test_fresh_successor_stays_linked() -> None:
    """The change of an older session leaves the link to the newer one alone."""
    world = ChangingWorld()
    session = await world.made()
    fresh = await world.made(replace(REQUEST, fresh=True))
    world.sessions.by_reference[session.reference] = session  # as if the store had failed when it was to be retired

    await world.changes.add_item(session, HANDBOOK)

    assert await world.is_linked(fresh)


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("pending", SessionCompletingError),
        *((state, SessionEndedError) for state in "completed refunded charged_back abandoned retired expired".split()),
    ],
)
async def test_only_open_sessions_change(state: State, kind: type[CheckoutError]) -> None:
    """A session that is being paid, or over, is refused before anything is called, by the record as it is now."""
    world = ChangingWorld()
    session = await world.made()
    world.sessions.by_reference[session.reference] = replace(session, state=state)

    with pytest.raises(kind):
        await world.changes.add_item(session, HANDBOOK)
    assert [] == world.asked()


async def test_session_that_expired_by_the_clock_does_not_change() -> None:
    """An open record whose time is over is over."""
    world = ChangingWorld()
    session = await world.made()
    world.clock.now = session.expires_at

    with pytest.raises(SessionEndedError):
        await world.changes.add_item(session, HANDBOOK)
    assert [] == world.asked()


@pytest.mark.parametrize(
    ("spoiled", "fields"),
    [
        ({"live": True}, ["live"]),
        ({"payable": False}, ["state"]),
        ({"tags": {}}, ["orderTags.broker_ref"]),
        ({"checkout_url": "https://evil.example/"}, ["checkoutUrl"]),
        ({"expires_at": LATER}, ["expiresAt"]),
        ({"items": (SessionItem(product="pro-license", quantity=2),)}, ["items[1].product", "items"]),
        (
            {"items": (SessionItem(product="handbook", quantity=4),)},
            ["items", "items[0].product", "items[1].quantity"],
        ),
        ({"items": ()}, ["items", "items[0].product", "items[1].product"]),
        ({"warnings": (UpstreamWarning(code="INVALID_COUNTRY", field="country"),)}, ["country"]),
    ],
)
async def test_what_was_not_asked_for_is_told_and_kept(spoiled: dict[str, object], fields: list[str]) -> None:
    """The record has what the provider has, with a mismatch in its timeline; the caller learns what differs."""
    world = ChangingWorld()
    session = await world.made()
    world.editor.spoiled = spoiled

    with pytest.raises(UpstreamMismatchError) as caught:
        await world.changes.add_item(session, HANDBOOK)

    record = world.record(session)
    assert (sorted(fields), "acme") == (sorted(one.field for one in caught.value.errors), caught.value.upstream)
    assert "mismatch" == record.timeline[-1].event
    assert spoiled.get("items", record.items) == record.items
    assert (False, session.tags) == (record.live, record.tags)


async def test_cart_of_a_provider_that_tells_none_is_the_one_that_was_asked_for() -> None:
    """Where the provider does not tell the cart, the record has the lines it had, and the change."""
    world = ChangingWorld()
    session = await world.made()
    world.editor.spoiled = {"items": None}

    assert CHANGED == cart(await world.changes.add_item(session, HANDBOOK))


async def test_what_happens_to_the_record_meanwhile_is_kept() -> None:
    """What another writer made of the record between reading and writing stays, and the provider is asked again."""
    world = ChangingWorld()
    session = await world.made()

    async def retire_once() -> None:
        world.editor.meanwhile.clear()
        await world.found.retire(session)

    world.editor.meanwhile["read"] = retire_once
    changed = await world.changes.add_item(session, HANDBOOK)

    assert ["minted", "retired", "changed"] == [entry.event for entry in changed.timeline]
    assert ("retired", CHANGED) == (changed.state, cart(changed))
    assert ["for_one_change", "add_item", "read", "read"] == world.asked()


async def test_changes_of_one_session_come_after_each_other() -> None:
    """The second of two that come at once is planned on the cart that the first one made."""
    world = ChangingWorld()
    session = await world.made()

    async def pause() -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    world.editor.meanwhile = {"add_item": pause, "read": pause}
    await asyncio.gather(
        world.changes.add_item(session, HANDBOOK),
        world.changes.add_item(session, Item(product="team-license")),
    )

    assert [*CHANGED, ("team-license", 1)] == cart(world.record(session))
    assert ["for_one_change", "add_item", "read"] * 2 == world.asked()


async def test_whoever_waits_too_long_may_come_again() -> None:
    """While somebody else changes the session the answer is a 503 that says when to try again; the link stays."""
    world = ChangingWorld()
    session = await world.made()
    async with world.sessions.writer(session.reference, wait_seconds=1) as is_ours:
        assert is_ours
        with pytest.raises(OverloadedError) as caught:
            await world.changes.add_item(session, HANDBOOK)

    assert 1 == caught.value.retry_after_seconds
    assert [] == world.asked()
    assert await world.is_linked(session)


@pytest.mark.parametrize("when", ["before", "add_item", "read"])
async def test_record_that_is_gone_is_unknown(when: str) -> None:
    """A record whose time ended in the midst of a change is no error of ours."""
    world = ChangingWorld()
    session = await world.made()

    async def forget() -> None:
        world.sessions.by_reference.clear()

    if when == "before":
        await forget()
    world.editor.meanwhile[when] = forget

    with pytest.raises(UnknownSessionError):
        await world.changes.add_item(session, HANDBOOK)
