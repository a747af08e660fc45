"""How an upstream's calls are shared out, and what costs nothing of any limit: a quote that was used before."""

from msgspec.structs import replace

from service.checkout.buyer import Buyer
from service.checkout.errors import InvalidQuoteError
from service.checkout.limit_errors import ChallengeRequiredError
from service.checkout.limits import LimitsSettings
from service.checkout.models import OrderRequest
from tests.support.limits import OFF, KnownAnswers, MemoryLimits, exceeded, limits_of, refusal
from tests.support.orders import CHECKOUT, REQUEST
from tests.support.quotes import token
from tests.support.world import World

ADA, EVE = Buyer(network="198.51.100.7"), Buyer(network="2001:db8::/64")
CALLER = Buyer(caller="backoffice")


async def test_half_of_an_upstream_s_calls() -> None:
    """Over it browsers are asked for a challenge; what callers ask for, and through other checkouts, counts as well."""
    store, challenge, before = MemoryLimits(), KnownAnswers("good"), exceeded()
    world = World(limits=limits_of(OFF, store, challenge=challenge), calls_per_minute=9)
    await world.ask(buyer=ADA)
    await world.ask(replace(REQUEST, checkout="other"), EVE)
    await world.ask(buyer=CALLER)
    await world.ask(buyer=ADA)

    assert ChallengeRequiredError is await refusal(world.ask(buyer=EVE))
    assert ChallengeRequiredError is await refusal(world.ask(replace(REQUEST, checkout="other"), ADA))
    assert 4 == store.of("upstream")
    assert await world.ask(replace(REQUEST, challenge="good"), EVE)
    assert await world.ask(buyer=CALLER)
    assert 6 == store.of("upstream")
    expected = {("upstream", "challenged"): 2, ("upstream", "solved"): 1, ("upstream", "passed"): 1}
    assert expected == dict(exceeded() - before)


async def test_half_of_an_upstream_s_only_call() -> None:
    """One session a minute is asked for without a challenge, however few calls there are."""
    store = MemoryLimits()
    world = World(limits=limits_of(OFF, store, challenge=KnownAnswers()), calls_per_minute=1)

    assert await world.ask(buyer=ADA)
    assert ChallengeRequiredError is await refusal(world.ask(buyer=EVE))


async def test_upstreams_have_windows_of_their_own() -> None:
    """The same product at another upstream is another product, and one upstream's sessions are not another's."""
    store, before = MemoryLimits(), exceeded()
    limits = limits_of(replace(OFF, per_product_per_minute=2), store)
    for upstream in ("acme", "spare"):
        world = World(replace(CHECKOUT, upstream=upstream), limits=limits, calls_per_minute=4)
        for _ in range(2):
            await world.ask(buyer=ADA)

    assert {} == exceeded() - before
    assert [2] * 4 == list(store.taken.values())


def test_observing_nobody_pays() -> None:
    """`observe` gives nobody a share of an upstream's calls, as a share refuses; nor has a caller one."""
    enforcing, observing = limits_of(), limits_of(LimitsSettings(mode="observe"))
    payers = [enforcing.payer(buyer) for buyer in (ADA, EVE, CALLER, Buyer())]

    assert (2, [None, None]) == (len({*payers[:2]} - {None}), payers[2:])
    assert [None] * 2 == [observing.payer(buyer) for buyer in (ADA, EVE)]


async def test_replaying_a_used_quote_is_not_charged() -> None:
    """Whoever brings a quote that was used is refused at no cost: no window is filled with it."""
    store = MemoryLimits()
    world = World(limits=limits_of(LimitsSettings(), store), calls_per_minute=240)
    quoted = OrderRequest(quote=token())
    await world.ask(quoted, ADA)
    before = dict(store.taken)

    assert [InvalidQuoteError] * 30 == [await refusal(world.ask(quoted, buyer)) for buyer in (ADA, EVE, CALLER) * 10]
    assert ([1] * 4, before) == ([*before.values()], dict(store.taken))
    assert 1 == len(store.asked)
