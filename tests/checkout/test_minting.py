"""Sessions that are made with a quote: once where it says so, for whoever used it, and given back where none came."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from service.checkout.buyer import Buyer
from service.checkout.errors import (
    CheckoutError,
    InvalidQuoteError,
    StoreRequiredError,
    UpstreamMismatchError,
    UpstreamUnavailableError,
)
from service.checkout.models import OrderRequest, ProviderSession
from tests.support.orders import CHECKOUT, NOW
from tests.support.quotes import ISSUED_AT, claims, token
from tests.support.world import BUYER, World

QUOTED = OrderRequest(quote=token())
MANY_TIMES = OrderRequest(quote=token(claims(once=False)))
OTHER = Buyer(key="o" * 24)
CALLER = Buyer(caller="backoffice")


async def is_refused(world: World, buyer: Buyer, request: OrderRequest = QUOTED, key: str | None = None) -> bool:
    """Whether an asker gets no session for a quote."""
    before = len(world.provider.orders)
    try:
        await world.ask(request, buyer, key)
    except InvalidQuoteError:
        return before == len(world.provider.orders)
    return False


async def test_quote_s_order_is_made() -> None:
    """What the quote says is asked for; the record and the fingerprint know its id."""
    world = World()
    session = (await world.service.create(QUOTED, BUYER)).session
    [order] = world.provider.orders

    assert ({"EUR": "24.50"}, "spring") == (
        order.items[0].pricing and order.items[0].pricing.price,
        (order.order_tags or {})["campaign"],
    )
    assert ("q-1", None) == (session.quote, session.caller)
    assert (
        session.fingerprint
        != (await world.service.create(replace(MANY_TIMES, quote=token(claims(jti="q-2"))), BUYER)).session.fingerprint
    )


async def test_whoever_used_it_gets_the_session_again() -> None:
    """The buyer who used a quote is given its session again, also when asking for a fresh one; anybody else nothing."""
    world = World()
    first = await world.ask(QUOTED, BUYER)
    world.clock.now = NOW + timedelta(minutes=14)

    assert [first] * 2 == [await world.ask(QUOTED, BUYER), await world.ask(replace(QUOTED, fresh=True), BUYER)]
    assert [True] * 3 == [await is_refused(world, buyer) for buyer in (OTHER, Buyer(), CALLER)]
    assert 1 == len(world.provider.orders)


async def test_unknown_buyer_has_one_use() -> None:
    """A browser without a Buyer-Key has the one session, and no way to it a second time."""
    world = World()
    await world.ask(QUOTED, Buyer())

    assert [True, True] == [await is_refused(world, buyer) for buyer in (Buyer(), BUYER)]


async def test_other_request_with_a_used_quote() -> None:
    """A used quote makes no second session for another country, cart or address to return to, nor after the first."""
    world = World()
    await world.ask(QUOTED, BUYER)

    assert await is_refused(world, BUYER, replace(QUOTED, country="AT"))
    await world.found.retire(next(iter(world.sessions.by_reference.values())))
    assert await is_refused(world, BUYER)


async def test_paid_quote_is_used_for_good() -> None:
    """After its session was paid a quote makes no other."""
    world = World(verified=True)
    session = await world.ask(QUOTED, BUYER)
    world.verifier.states[session] = "completed"
    world.clock.now = NOW + timedelta(minutes=10)

    assert await is_refused(world, BUYER)
    assert await is_refused(world, BUYER, replace(QUOTED, fresh=True))


@pytest.mark.parametrize("buyer", [BUYER, Buyer(), CALLER], ids=["buyer", "nobody", "caller"])
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (lambda world: setattr(world.provider, "failure", UpstreamUnavailableError("down")), UpstreamUnavailableError),
        (lambda world: world.provider.changes.update(payable=False), UpstreamMismatchError),
    ],
    ids=["no answer", "another answer"],
)
async def test_given_back_when_no_session_came(
    buyer: Buyer, fault: Callable[[World], object], kind: type[CheckoutError]
) -> None:
    """Where the provider makes no usable session the quote can be used again, by anybody."""
    world = World()
    fault(world)
    with pytest.raises(kind):
        await world.ask(QUOTED, buyer)
    assert {} == world.burned.burned
    world.provider.failure = None
    world.provider.changes.clear()

    assert await world.ask(QUOTED, OTHER)


async def test_given_back_by_who_is_broken_off() -> None:
    """A request that is broken off before its session is there leaves the quote as it was."""
    world = World()
    begun = asyncio.Event()

    async def silent(_: object) -> ProviderSession:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    world.provider.create = silent  # type: ignore[method-assign,assignment]  # a provider that never answers
    asking = asyncio.create_task(world.ask(QUOTED, Buyer()))
    await begun.wait()
    assert world.burned.burned
    asking.cancel()
    await asyncio.wait([asking])

    assert {} == world.burned.burned


async def test_who_lost_the_race_gives_nothing_back() -> None:
    """Whoever was refused leaves the quote used."""
    world = World()
    await world.ask(QUOTED, BUYER)
    held = dict(world.burned.burned)
    assert await is_refused(world, OTHER)

    assert held == world.burned.burned


async def test_at_once_on_replicas() -> None:
    """Fifty buyers with one quote at once on two replicas: one session. Fifty clicks of one buyer: the same one."""
    world = World()
    replicas = [world.service, world.replica()]
    buyers = [Buyer(key=f"{number:024}") for number in range(50)]
    answers = await asyncio.gather(
        *(replicas[number % 2].create(QUOTED, buyer) for number, buyer in enumerate(buyers)), return_exceptions=True
    )
    assert 49 == sum(isinstance(answer, InvalidQuoteError) for answer in answers)
    second = OrderRequest(quote=token(claims(jti="q-2")))
    clicks = await asyncio.gather(*(replicas[number % 2].create(second, BUYER) for number in range(50)))

    assert 1 == len({click.session.session_id for click in clicks})
    assert 2 == len(world.provider.orders)


async def test_replay_needs_no_second_use() -> None:
    """The repeat of a request with its Idempotency-Key gets the first answer; another key the session that is there."""
    world = World()
    first = await world.ask(QUOTED, CALLER, "k1")
    assert first == await world.ask(QUOTED, CALLER, "k1")
    assert await is_refused(world, CALLER, key="k2")
    second = OrderRequest(quote=token(claims(jti="q-2")))

    assert 1 == len({await world.ask(second, BUYER, key) for key in ("k1", "k1", "k2", None)})


async def test_many_times() -> None:
    """A quote that is not for once makes a session for each who brings it, and nothing is noted."""
    world = World()

    assert 4 == len({await world.ask(MANY_TIMES, buyer) for buyer in (BUYER, OTHER, Buyer(), Buyer())})
    assert {} == world.burned.burned


async def test_while_nobody_can_tell() -> None:
    """Without the store a quote for once is not taken, before the provider is called; others go on."""
    world = World()
    world.burned.failure = StoreRequiredError("down")
    for buyer in (BUYER, Buyer()):
        with pytest.raises(StoreRequiredError):
            await world.ask(QUOTED, buyer)
    assert [] == world.provider.orders

    assert await world.ask(MANY_TIMES, BUYER)


async def test_used_for_longer_than_it_holds() -> None:
    """That it was used is remembered past its end, for a replica whose clock is behind."""
    world = World()
    await world.ask(QUOTED, BUYER)

    assert [timedelta(seconds=900 + 120)] == world.burned.lasting


async def test_ids_of_two_issuers() -> None:
    """Two who sign may choose the same id: each quote is one of its own."""
    world = World()
    theirs = token(
        claims(iss="shop"), {"alg": "HS256", "kid": "shop"}, "the shop's a shared secret of the shop, 32 bytes at least"
    )
    await world.ask(QUOTED, BUYER)

    assert await world.ask(OrderRequest(quote=theirs), OTHER)


@pytest.mark.parametrize("given", ["EUR", "USD", None])
async def test_currency(given: str | None) -> None:
    """A session in another currency than the quote's is not handed out; where the provider names none, it is."""
    world = World()
    world.provider.changes = {"currency": given, "total": None}
    request = OrderRequest(quote=token(claims(currency="EUR")))
    if given != "USD":
        assert await world.ask(request)
        return
    with pytest.raises(UpstreamMismatchError) as caught:
        await world.ask(request)

    assert ["currency"] == [one.field for one in caught.value.errors]


async def test_template_and_country() -> None:
    """`{quote}` is the quote's id, and its country outranks where the checkout looks for one."""
    settings = replace(
        CHECKOUT, order_tags={"q": "{quote}-{checkout}"}, country_source=("header",), default_country="US"
    )
    world = World(settings)
    await world.ask(OrderRequest(quote=token(claims(order=claims()["order"] | {"country": "DE"}))))
    await world.ask(replace(MANY_TIMES, country="DE"), OTHER)
    first, second = world.provider.orders

    assert ("q-1-default", "DE") == ((first.order_tags or {})["q"], first.country)
    assert "US" == second.country


async def test_expired_quote_is_over_also_for_who_used_it() -> None:
    """After its end a quote is refused, whoever brings it."""
    world = World()
    await world.ask(QUOTED, BUYER)
    world.clock.now = NOW + timedelta(seconds=900)

    assert await is_refused(world, BUYER)
    assert ISSUED_AT + 900 == int(world.clock.now.timestamp())
