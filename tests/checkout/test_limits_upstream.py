"""How an upstream's calls are shared out, and what costs nothing of any limit: a quote that was used before."""

from datetime import timedelta

from msgspec.structs import replace

from service.checkout.buyer import Buyer
from service.checkout.errors import InvalidQuoteError
from service.checkout.limit_errors import ChallengeRequiredError
from service.checkout.limits import LimitsSettings
from service.checkout.models import OrderRequest
from tests.support.limits import OFF, KnownAnswers, MemoryLimits, exceeded, limits_of, refusal
from tests.support.orders import CHECKOUT, NOW, REQUEST
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


async def test_sessions_that_take_several_calls() -> None:
    """Half of the calls is fewer sessions where each takes several."""
    store = MemoryLimits()
    limits = limits_of(OFF, store, challenge=KnownAnswers())
    world = World(limits=limits, calls_per_minute=16, calls_per_session=4)
    await world.ask(buyer=ADA)
    await world.ask(buyer=EVE)

    assert ChallengeRequiredError is await refusal(world.ask(buyer=ADA))


async def test_quarter_of_an_upstream_s_calls_for_questions() -> None:
    """Over it browsers solve a challenge for a session that the provider has to be asked about; new ones are made."""
    store, before = MemoryLimits(), exceeded()
    limits = limits_of(OFF, store, challenge=KnownAnswers("good"))
    world = World(verified=True, limits=limits, calls_per_minute=12)
    buyers = [replace(ADA, key=letter * 24) for letter in "abcd"]
    made = [await world.ask(buyer=buyer) for buyer in buyers]
    world.clock.now = NOW + timedelta(seconds=61)
    assert made[:3] == [await world.ask(buyer=buyer) for buyer in buyers[:3]]

    assert ChallengeRequiredError is await refusal(world.ask(buyer=buyers[3]))
    assert 3 == len(world.verifier.asked)
    assert await world.ask(buyer=EVE) not in made
    assert made[3] == await world.ask(replace(REQUEST, challenge="good"), buyers[3])
    assert {("verification", "challenged"): 1, ("verification", "solved"): 1} == dict(exceeded() - before)


async def test_one_answer_is_enough_for_a_request() -> None:
    """The session turns out to be over and another one is made: the answer that was good once is good for both."""
    challenge = KnownAnswers("good")
    world = World(verified=True, limits=limits_of(OFF, MemoryLimits(), challenge=challenge), calls_per_minute=4)
    buyers = [replace(ADA, key=letter * 24) for letter in "ab"]
    made = [await world.ask(buyer=buyer) for buyer in buyers]
    world.clock.now = NOW + timedelta(seconds=61)
    await world.ask(buyer=buyers[0])
    world.verifier.states[made[1]] = "expired"

    assert await world.ask(replace(REQUEST, challenge="good"), buyers[1]) not in made
    assert ["good"] == challenge.asked
    assert ChallengeRequiredError is await refusal(world.ask(replace(REQUEST, challenge="good"), EVE))
