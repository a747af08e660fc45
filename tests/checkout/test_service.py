"""The use case: what makes a session, what is handed out again, and what is kept."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from service.checkout.errors import (
    CartNotAllowedError,
    InvalidQuoteError,
    ProviderError,
    StoreRequiredError,
    UnknownCheckoutError,
    UnsupportedFieldError,
    UpstreamMismatchError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from service.checkout.models import Identity, Item
from service.checkout.session import TimelineEntry
from tests.support.orders import CHECKOUT, NOW, REQUEST
from tests.support.world import BUYER, World

MARGIN = timedelta(seconds=CHECKOUT.expiry_margin_seconds)
LIFE = timedelta(hours=24)


async def test_same_buyer_and_request_get_the_same_session() -> None:
    """The second identical request makes no call, and says that its session is re-used."""
    world = World()

    first = await world.service.create(REQUEST, BUYER)
    second = await world.service.create(REQUEST, BUYER)

    assert (False, True) == (first.reused, second.reused)
    assert first.session.session_id == second.session.session_id
    assert 1 == len(world.provider.orders)


async def test_another_address_is_the_same_request() -> None:
    """A buyer who moves to another network, or has none that is known, keeps the session."""
    world = World()

    first = await world.ask()

    assert first == await world.ask(buyer=replace(BUYER, address="9.9.9.9"))
    assert first == await world.ask(buyer=replace(BUYER, address=None))
    assert first == await world.ask(replace(REQUEST, buyer_ip="1.1.1.1"))


@pytest.mark.parametrize(
    ("request_changes", "buyer_changes"),
    [
        pytest.param({}, {"key": "c" * 24}, id="buyer"),
        pytest.param({"items": (Item(product="pro-license"),)}, {}, id="cart"),
        pytest.param({"country": "AT"}, {}, id="country"),
        pytest.param({"live": True}, {}, id="mode"),
        pytest.param({"checkout": "other"}, {}, id="checkout"),
        pytest.param({"order_tags": {"desk": "7"}}, {}, id="tags"),
        pytest.param({"fresh": True}, {}, id="fresh"),
        pytest.param({}, {"key": None}, id="no-buyer-key"),
    ],
)
async def test_anything_else_makes_a_session_of_its_own(
    request_changes: dict[str, object], buyer_changes: dict[str, object]
) -> None:
    """Another buyer, cart, country, mode, checkout, a wish for a fresh one, or no buyer key: a new session."""
    world = World()

    first = await world.ask()
    other = await world.ask(replace(REQUEST, **request_changes), replace(BUYER, **buyer_changes))

    assert first != other
    assert 2 == len(world.provider.orders)


async def test_fresh_session_takes_the_place_of_the_present_one() -> None:
    """After `fresh`, the new session is the one that is handed out again."""
    world = World()
    await world.ask()

    fresh = await world.ask(replace(REQUEST, fresh=True))

    assert fresh == await world.ask()


async def test_nobody_without_a_key_shares() -> None:
    """Two buyers without a buyer key never get one session."""
    world = World()
    nobody = replace(BUYER, key=None)

    assert await world.ask(buyer=nobody) != await world.ask(buyer=nobody)
    assert {(None, None)} == {(one.buyer, one.fingerprint) for one in world.sessions.by_reference.values()}


@pytest.mark.parametrize(
    ("reuse_seconds", "last"),
    [(None, LIFE - MARGIN), (600, timedelta(seconds=600)), (10**6, LIFE - MARGIN)],
)
async def test_reuse_ends_before_expiry_or_at_the_set_limit(reuse_seconds: int | None, last: timedelta) -> None:
    """A session is handed out until its expiry minus the margin, never longer than `reuse_seconds`."""
    world = World(replace(CHECKOUT, reuse_seconds=reuse_seconds))
    first = await world.ask()

    world.clock.now = NOW + last - timedelta(milliseconds=1)
    assert first == await world.ask()
    assert [last] == world.sessions.reusable_for

    world.clock.now = NOW + last
    assert first != await world.ask()


async def test_reuse_of_zero_seconds_is_never() -> None:
    """`reuse_seconds = 0` hands nothing out again, but to those who waited for it, on whichever replica."""
    settings = replace(CHECKOUT, reuse_seconds=0)
    world = World(settings)

    assert await world.ask() != await world.ask()
    replicas = [world.service, world.replica(settings)]
    at_once = await asyncio.gather(*(replicas[index % 2].create(REQUEST, BUYER) for index in range(10)))
    assert {"OS3"} == {outcome.session.session_id for outcome in at_once}
    assert "OS4" == await world.ask()


async def test_session_with_less_life_than_the_margin_is_not_handed_out() -> None:
    """A session that would end within the margin is not even given to the buyer who asked for it."""
    world = World()
    world.provider.changes = {"expires_at": NOW + MARGIN}

    with pytest.raises(UpstreamMismatchError):
        await world.ask()
    assert {} == world.sessions.by_reference


async def test_buyer_goes_back_to_the_page_they_come_from() -> None:
    """The same session asked for from another page has that page's addresses, in the record too."""
    world = World(replace(CHECKOUT, return_urls=("https://shop.example/*",)))
    await world.ask(replace(REQUEST, return_url="https://shop.example/one"))

    second = await world.service.create(replace(REQUEST, cancel_url="https://shop.example/two"), BUYER)

    assert second.reused
    assert (None, "https://shop.example/two") == (second.session.return_url, second.session.cancel_url)
    assert second.session == await world.found.find(second.session.reference)
    assert [LIFE - MARGIN] == world.sessions.reusable_for


async def test_buyer_who_comes_back_goes_back() -> None:
    """From the first page, the second, and the first again: the record has the last one's address, or none."""
    world = World(replace(CHECKOUT, return_urls=("https://shop.example/*",)))
    one, two = (replace(REQUEST, return_url=f"https://shop.example/{page}") for page in ("one", "two"))

    for request in (one, two, one, REQUEST, two, REQUEST):
        session = (await world.service.create(request, BUYER)).session
        assert request.return_url == (await world.found.find(session.reference)).return_url


async def test_way_back_is_not_worth_a_failure() -> None:
    """A store that cannot keep the other page's address does not end the checkout."""
    world = World(replace(CHECKOUT, return_urls=("https://shop.example/*",)))
    await world.ask()
    world.sessions.failure = StoreRequiredError("down")

    second = await world.service.create(replace(REQUEST, return_url="https://shop.example/two"), BUYER)

    assert (True, "https://shop.example/two") == (second.reused, second.session.return_url)


async def test_swapped_values_are_never_handed_out() -> None:
    """A store that mixes two buyers' sessions up hands neither of them to the other."""
    world = World()
    other = replace(BUYER, key="c" * 24)
    ids = {await world.ask(), await world.ask(buyer=other)}

    one, two = world.sessions.there
    values = world.sessions.there
    values[one], values[two] = values[two], values[one]

    assert ids.isdisjoint({await world.ask(), await world.ask(buyer=other)})


async def test_record_says_what_was_made() -> None:
    """The record has the checkout, the provider's answer in our words, tags, asker, times, and the event."""
    world = World(replace(CHECKOUT, order_tags={"channel": "web"}))
    request = replace(REQUEST, return_url=None, cancel_url=None)

    outcome = await world.service.create(request, replace(BUYER, caller="backoffice"))

    session = outcome.session
    assert session == await world.found.find(session.reference)
    assert ("default", "acme", "echo", "open") == (session.checkout, session.upstream, session.provider, session.state)
    assert {"channel": "web", "broker_ref": session.reference} == session.tags
    assert (NOW, NOW + LIFE, "backoffice") == (session.created_at, session.expires_at, session.caller)
    assert (TimelineEntry(at=NOW, event="minted"),) == session.timeline
    assert [("pro-license", 2)] == [(item.product, item.quantity) for item in session.items]


async def test_record_of_a_provider_without_carts_has_the_order_s_lines() -> None:
    """Where the provider does not tell the cart, the record has what was ordered."""
    world = World()
    world.provider.changes = {"items": None}

    session = (await world.service.create(REQUEST, BUYER)).session

    assert [("pro-license", 2, None)] == [(item.product, item.quantity, item.locked) for item in session.items]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"checkout": "none"}, UnknownCheckoutError),
        ({"quote": "a.b.c"}, InvalidQuoteError),
        ({"items": (Item(product="pro-license", quantity=1000),)}, CartNotAllowedError),
        (
            {"items": (Item(product="pro-license", gift_to=Identity(platform="steam", id="1")),)},
            UnsupportedFieldError,
        ),
    ],
)
async def test_refused_request_never_reaches_the_provider(changes: dict[str, object], kind: type[Exception]) -> None:
    """An unknown checkout, a quote, a broken rule or a field without a word: no call, nothing kept."""
    world = World()

    for buyer in (BUYER, replace(BUYER, key=None)):
        with pytest.raises(kind):
            await world.ask(replace(REQUEST, **changes), buyer)

    assert [] == world.provider.orders
    assert {} == world.sessions.by_reference


@pytest.mark.parametrize(
    ("failure", "fallback"),
    [
        (UpstreamUnavailableError("The provider failed."), "https://acme.example/pro-license"),
        (UpstreamRejectedError("The provider refuses this request."), None),
    ],
)
async def test_failure_offers_the_fallback_where_a_way_around_helps(
    failure: ProviderError, fallback: str | None
) -> None:
    """A provider's failure names the fallback of the first product; its no to this request does not."""
    world = World(replace(CHECKOUT, fallback_url="https://acme.example/{product}"))
    world.provider.failure = failure

    with pytest.raises(type(failure)) as error:
        await world.ask()

    assert (fallback, "acme") == (error.value.fallback_url, error.value.upstream)
    assert {} == world.sessions.by_reference


async def test_mismatch_is_not_kept_and_not_handed_out() -> None:
    """An answer that is not what was asked for leaves nothing behind; the next request tries again."""
    world = World(replace(CHECKOUT, fallback_url="https://acme.example/{product}"))
    world.provider.changes = {"live": True}

    with pytest.raises(UpstreamMismatchError) as error:
        await world.ask()

    assert "https://acme.example/pro-license" == error.value.fallback_url
    assert {} == world.sessions.there
    world.provider.changes = {}
    assert "OS2" == await world.ask()


@pytest.mark.parametrize("after_a_reuse", [False, True])
async def test_session_that_is_retired_in_this_moment_is_not_handed_out(*, after_a_reuse: bool) -> None:
    """Where the record is read, what it says counts, not what led to it a moment ago."""
    world = World(replace(CHECKOUT, return_urls=("https://shop.example/*",)))
    first = (await world.service.create(REQUEST, BUYER)).session
    if after_a_reuse:
        await world.ask()
    world.sessions.meanwhile = lambda: world.found.retire(first)

    assert first.session_id != await world.ask(replace(REQUEST, return_url="https://shop.example/two"))


async def test_no_expiry_is_believed_for_ever() -> None:
    """A session that a provider calls valid for thousands of years is handed out for a month."""
    world = World()
    world.provider.changes = {"expires_at": NOW.replace(year=9999)}
    await world.ask()

    assert [timedelta(days=31) - MARGIN] == world.sessions.reusable_for


async def test_identical_requests_at_once_make_one_session() -> None:
    """Fifty at the same moment: one call, one session for all, and only the first did not get it handed out again."""
    world = World()
    outcomes = await asyncio.gather(*(world.service.create(REQUEST, BUYER) for _ in range(50)))

    assert 1 == len(world.provider.orders)
    assert 1 == len({outcome.session.session_id for outcome in outcomes})
    assert 49 == sum(outcome.reused for outcome in outcomes)


async def test_wishes_for_a_fresh_one_at_once_make_one() -> None:
    """A double click on `fresh` is one wish too."""
    world = World()
    await world.ask()
    fresh = replace(REQUEST, fresh=True)
    outcomes = await asyncio.gather(*(world.service.create(fresh, BUYER) for _ in range(10)))

    assert 2 == len(world.provider.orders)
    assert {"OS2"} == {outcome.session.session_id for outcome in outcomes}


async def test_failure_at_once_is_one_failure() -> None:
    """When the provider fails, those who asked together share that, with the fallback of each, and nothing is kept."""
    world = World(replace(CHECKOUT, fallback_url="https://acme.onfastspring.com/{product}"))
    world.provider.failure = UpstreamUnavailableError("down")
    errors = await asyncio.gather(*(world.service.create(REQUEST, BUYER) for _ in range(5)), return_exceptions=True)
    world.provider.failure = None

    assert 1 == len(world.provider.orders)
    assert {"https://acme.onfastspring.com/pro-license"} == {
        error.fallback_url for error in errors if isinstance(error, ProviderError)
    }
    assert "OS2" == await world.ask()


async def test_another_replica_s_session_is_taken() -> None:
    """Whoever finds another replica at work waits, and gets what that one made."""
    world = World()
    made = (await world.service.create(REQUEST, BUYER)).session
    fingerprint = str(made.fingerprint)
    del world.sessions.there[fingerprint]
    world.sessions.claims[fingerprint] = b"another replica", b""
    waiting = asyncio.create_task(world.service.create(REQUEST, BUYER))
    await asyncio.sleep(0.15)
    assert not waiting.done()
    world.sessions.put(fingerprint, made)
    del world.sessions.claims[fingerprint]
    outcome = await waiting

    assert (made.session_id, True) == (outcome.session.session_id, outcome.reused)
    assert 1 == len(world.provider.orders)


async def test_waiting_for_another_replica_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for longer than a browser does."""
    monkeypatch.setattr("service.checkout.asked.PATIENCE_SECONDS", 1.7)
    world = World()
    made = (await world.service.create(REQUEST, BUYER)).session
    del world.sessions.there[str(made.fingerprint)]
    world.sessions.claims[str(made.fingerprint)] = b"another replica", b""

    with pytest.raises(UpstreamTimeoutError):
        await world.service.create(REQUEST, BUYER)
