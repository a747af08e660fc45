"""When a session is handed out again: its age, its provider's word, payments, and what its record tells of it."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from service.checkout.errors import (
    ProviderError,
    SessionCompletingError,
    StoreRequiredError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from service.checkout.session import Session, State
from tests.support.orders import CHECKOUT, NOW, REQUEST
from tests.support.world import BUYER, World

OTHER_CART = replace(REQUEST, items=(replace(REQUEST.items[0], quantity=7),))
FRESH = replace(REQUEST, fresh=True)
SECOND = timedelta(seconds=1)


async def test_provider_is_asked_once_the_session_is_old_enough() -> None:
    """Younger than `verify_after_seconds` nobody is asked; then once, and not again for as long."""
    world = World(verified=True)
    await world.ask()
    world.clock.now = NOW + timedelta(seconds=60) - SECOND
    await world.ask()
    assert [] == world.verifier.asked

    world.clock.now = NOW + timedelta(seconds=60)
    assert ["OS1", "OS1"] == [await world.ask() for _ in range(2)]
    assert ["OS1"] == world.verifier.asked

    world.clock.now = NOW + timedelta(seconds=120)
    assert "OS1" == await world.ask()
    assert ["OS1", "OS1"] == world.verifier.asked


async def test_zero_seconds_ask_every_time() -> None:
    """`verify_after_seconds = 0` lets no session pass unasked; one click is one question."""
    world = World(replace(CHECKOUT, verify_after_seconds=0), verified=True)
    await world.ask()
    for _ in range(3):
        await asyncio.gather(*(world.ask() for _ in range(10)))

    assert ["OS1"] * 3 == world.verifier.asked
    assert ["minted", "reused"] == await world.events("OS1")  # which is noted once a minute all the same


@pytest.mark.parametrize("state", ["completed", "refunded", "charged_back", "expired", "abandoned"])
async def test_session_that_is_over_makes_way(state: State) -> None:
    """What the provider calls paid or over is never handed out again; its record says so, and a new one is made."""
    world = World(replace(CHECKOUT, verify_after_seconds=0), verified=True)
    await world.ask()
    world.verifier.states["OS1"] = state

    assert ["OS2", "OS2"] == [await world.ask(), await world.ask()]
    assert ["minted", state] == await world.events("OS1")


async def test_payment_under_way() -> None:
    """A session with a payment under way is neither handed out nor replaced, until it failed or another is wished."""
    world = World(replace(CHECKOUT, verify_after_seconds=0), verified=True)
    await world.ask()
    world.verifier.states["OS1"] = "pending"
    for _ in range(2):
        with pytest.raises(SessionCompletingError):
            await world.ask()
    assert ["minted", "pending"] == await world.events("OS1")

    world.verifier.states["OS1"] = "open"
    assert "OS1" == await world.ask()
    assert ["minted", "pending", "failed", "reused"] == await world.events("OS1")

    world.verifier.states["OS1"] = "pending"
    with pytest.raises(SessionCompletingError):
        await world.ask()
    assert "OS2" == await world.ask(FRESH)
    assert ["minted", "pending", "failed", "reused", "pending"] == await world.events("OS1")  # it is not retired


async def test_payment_under_way_is_known_without_asking() -> None:
    """What the record knows counts also where the provider cannot be asked, and beyond the margin and the limit."""
    world = World(replace(CHECKOUT, reuse_seconds=600))
    await world.ask()
    [(fingerprint, (_, session))] = world.sessions.there.items()
    world.sessions.put(fingerprint, session.after("pending", NOW, state="pending"))
    world.clock.now = NOW + timedelta(hours=23, minutes=59)

    with pytest.raises(SessionCompletingError):
        await world.ask()
    assert 1 == len(world.provider.orders)


async def test_provider_that_does_not_answer_is_no_yes() -> None:
    """A session that has to be asked about is not handed out unasked; the failure has its account and fallback."""
    settings = replace(CHECKOUT, verify_after_seconds=0, fallback_url="https://acme.example/{product}")
    world = World(settings, verified=True)
    await world.ask()
    world.verifier.failure = UpstreamUnavailableError("down")
    with pytest.raises(ProviderError) as error:
        await world.ask()

    assert ("acme", "https://acme.example/pro-license") == (error.value.upstream, error.value.fallback_url)
    world.verifier.failure = None
    assert "OS1" == await world.ask()


async def test_what_was_found_out_counts_without_the_store() -> None:
    """A store that fails after the look-up neither ends the checkout nor hides that the session was paid."""
    world = World(replace(CHECKOUT, verify_after_seconds=0), verified=True)
    await world.ask()
    world.sessions.failure = StoreRequiredError("down")
    assert "OS1" == await world.ask()

    world.verifier.states["OS1"] = "completed"
    assert "OS2" == await world.ask()


@pytest.mark.parametrize("answer", ["open", "pending", "expired"])
async def test_later_news_are_not_overwritten(answer: State) -> None:
    """What the record learned while the provider was asked stays: a payment is not undone by an older answer."""
    world = World(replace(CHECKOUT, verify_after_seconds=0), verified=True)
    await world.ask()
    [reference] = world.sessions.by_reference
    paid = world.sessions.by_reference[reference].after("completed", NOW, state="completed")
    world.sessions.by_reference[reference] = paid
    world.verifier.states["OS1"] = answer

    assert "OS2" == await world.ask()
    assert paid == world.sessions.by_reference[reference]


async def test_reuse_is_noted_once_a_minute() -> None:
    """The timeline says that a session is used again, and a thousand reloads do not fill it."""
    world = World()
    for _ in range(5):
        await world.ask()
    assert ["minted", "reused"] == await world.events("OS1")

    world.clock.now = NOW + timedelta(minutes=1)
    for _ in range(5):
        await world.ask()
    assert ["minted", "reused", "reused"] == await world.events("OS1")


async def test_another_cart_retires_the_session() -> None:
    """A buyer who changes the cart has one live session: going back makes a new one, and the others are retired."""
    world = World()

    assert ["OS1", "OS2", "OS3"] == [await world.ask(), await world.ask(OTHER_CART), await world.ask()]
    assert [["minted", "retired"], ["minted", "retired"], ["minted"]] == [
        await world.events(f"OS{number}") for number in (1, 2, 3)
    ]


async def test_fresh_retires_the_session() -> None:
    """The session whose place a fresh one takes is retired as well."""
    world = World()
    await world.ask()
    await world.ask(FRESH)

    assert ["minted", "retired"] == await world.events("OS1")


async def test_others_keep_their_sessions() -> None:
    """Another buyer, another checkout and a buyer without a key end nobody's session."""
    world = World()
    await world.ask()
    await world.ask(OTHER_CART, replace(BUYER, key="c" * 24))
    await world.ask(replace(OTHER_CART, checkout="other"))
    await world.ask(OTHER_CART, replace(BUYER, key=None))

    assert "OS1" == await world.ask()
    assert 4 == len(world.provider.orders)


async def test_paid_session_is_not_retired() -> None:
    """A session that was paid stays so when the buyer goes on to another cart."""
    world = World(replace(CHECKOUT, verify_after_seconds=0), verified=True)
    await world.ask()
    world.verifier.states["OS1"] = "completed"
    await world.ask()
    await world.ask(OTHER_CART)

    assert ["minted", "completed"] == await world.events("OS1")


async def test_retiring_is_not_worth_a_failure() -> None:
    """A store that cannot retire the old session does not end the checkout."""
    world = World()
    await world.ask()
    world.sessions.failure = StoreRequiredError("down")

    assert "OS2" == await world.ask(OTHER_CART)


async def test_older_answer_does_not_undo_a_payment() -> None:
    """A payment that is noted while the provider is asked stays under way, whatever the slower answer was."""
    world = World(replace(CHECKOUT, verify_after_seconds=0), verified=True)
    await world.ask()
    [reference] = world.sessions.by_reference
    begun = world.sessions.by_reference[reference].after("pending", NOW, state="pending")

    async def a_payment_begins() -> None:
        world.sessions.by_reference[reference] = begun

    world.sessions.meanwhile = a_payment_begins
    with pytest.raises(SessionCompletingError):
        await world.ask()
    assert "pending" == world.sessions.by_reference[reference].state


async def test_fresh_one_that_fails_leaves_the_present_one() -> None:
    """Where a fresh session cannot be made, the present one is still there, and a payment of it still known."""
    world = World(replace(CHECKOUT, verify_after_seconds=0), verified=True)
    await world.ask()
    world.provider.failure = UpstreamUnavailableError("down")
    with pytest.raises(UpstreamUnavailableError):
        await world.ask(FRESH)
    world.provider.failure = None
    assert "OS1" == await world.ask()

    world.verifier.states["OS1"] = "pending"
    world.provider.failure = UpstreamUnavailableError("down")
    with pytest.raises(UpstreamUnavailableError):
        await world.ask(FRESH)
    world.provider.failure = None
    with pytest.raises(SessionCompletingError):
        await world.ask()


async def test_payment_that_begins_as_the_buyer_comes_from_another_page() -> None:
    """Neither is another session made, nor is the way back of the one that is being paid changed."""
    settings = replace(CHECKOUT, return_urls=("https://shop.example/*",))
    world = World(settings)
    await world.ask(replace(REQUEST, return_url="https://shop.example/one"))
    [reference] = world.sessions.by_reference
    await world.ask(replace(REQUEST, return_url="https://shop.example/one"))  # which is noted for a minute

    async def a_payment_begins() -> None:
        async def begun(record: Session) -> Session:
            return record.after("pending", NOW, state="pending")

        await world.sessions.update(reference, begun)

    world.sessions.meanwhile = a_payment_begins
    with pytest.raises(SessionCompletingError):
        await world.ask(replace(REQUEST, return_url="https://shop.example/two"))
    assert "https://shop.example/one" == world.sessions.by_reference[reference].return_url
    assert 1 == len(world.provider.orders)


async def test_who_waited_long_is_answered_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who gets the turn late has what is left of the buyer's patience, not a whole call more."""
    monkeypatch.setattr("service.checkout.asked.PATIENCE_SECONDS", 2.0)
    world = World(replace(CHECKOUT, fallback_url="https://acme.example/{product}"))
    world.provider.takes_seconds = 60.0
    started = asyncio.get_running_loop().time()
    with pytest.raises(UpstreamTimeoutError) as error:
        await world.ask()

    assert asyncio.get_running_loop().time() - started < 4
    assert "https://acme.example/pro-license" == error.value.fallback_url


async def test_timeline_keeps_its_beginning() -> None:
    """However often a session is used again, its record says when it was made."""
    world = World()
    for minute in range(230):
        world.clock.now = NOW + timedelta(minutes=minute)
        await world.ask()

    events = await world.events("OS1")
    assert (200, "minted", "reused") == (len(events), events[0], events[-1])


async def test_clock_that_is_behind_asks_as_well() -> None:
    """A replica asks its provider also where another one, whose clock is ahead, was the last to do so."""
    world = World(replace(CHECKOUT, verify_after_seconds=0), verified=True)
    await world.ask()
    world.verifier.states["OS1"] = "pending"
    world.clock.now = NOW - timedelta(seconds=90)

    with pytest.raises(SessionCompletingError):
        await world.ask()


async def test_payment_that_failed_late() -> None:
    """A session whose payment failed is handed out again only if it has as much time left as any other."""
    world = World(replace(CHECKOUT, verify_after_seconds=0), verified=True)
    await world.ask()
    world.verifier.states["OS1"] = "pending"
    with pytest.raises(SessionCompletingError):
        await world.ask()
    world.verifier.states["OS1"] = "open"
    world.clock.now = NOW + timedelta(hours=24, seconds=-10)

    assert "OS2" == await world.ask()
