"""What may be asked how often, and what becomes of whoever asks for more."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from service.checkout.buyer import Buyer
from service.checkout.errors import ProductNotAllowedError, UpstreamUnavailableError
from service.checkout.limit_errors import ChallengeRequiredError, RateLimitedError
from service.checkout.limits import Kind, LimitsSettings, mailbox_of
from service.checkout.models import Customer, Item, OrderRequest
from service.checkout.paid_ratio import Hour
from tests.support.limits import OFF, SHOWN, KnownAnswers, MemoryLimits, MemoryPaid, exceeded, limits_of, refusal
from tests.support.orders import CHECKOUT, REQUEST
from tests.support.world import World

ADA, EVE = Buyer(network="198.51.100.7"), Buyer(network="2001:db8::/64")
CALLER = Buyer(caller="backoffice")
SOFT = [
    pytest.param("product", replace(OFF, per_product_per_minute=2), id="product"),
    pytest.param("email", replace(OFF, per_email_per_hour=2), id="email"),
    pytest.param("checkout", replace(OFF, per_checkout_per_minute=2), id="checkout"),
]
WITH_EMAIL = replace(REQUEST, customer=Customer(email="Ada@example.org"))
Change = dict[tuple[str, str], int]


@pytest.fixture
def since() -> Callable[[], Change]:
    """Which limits were exceeded since the test began, and what became of it."""
    before = exceeded()
    return lambda: dict(exceeded() - before)


async def test_address_that_had_its_share(since: Callable[[], Change]) -> None:
    """It is told when there is room, and neither charged nor is the provider asked; another address passes."""
    store = MemoryLimits()
    world = World(limits=limits_of(LimitsSettings(per_ip_per_minute=2), store))
    for _ in range(2):
        await world.ask(WITH_EMAIL, EVE)
    assert [RateLimitedError] * 2 == [await refusal(world.ask(WITH_EMAIL, EVE)) for _ in range(2)]
    with pytest.raises(RateLimitedError) as error:
        await world.ask(WITH_EMAIL, EVE)

    assert 31 == error.value.retry_after_seconds
    assert 2 == len(world.provider.orders)
    assert [2] * 4 == [store.of(kind) for kind in ("address", "product", "email", "checkout")]
    assert "OS3" == await world.ask(WITH_EMAIL, ADA)
    assert {("address", "refused"): 3} == since()


async def test_what_calls_no_provider_is_not_charged() -> None:
    """A session handed out again, a replay, and a request that policy refuses cost nothing."""
    store = MemoryLimits()
    world = World(replace(CHECKOUT, products=("pro-license",)), limits=limits_of(LimitsSettings(), store))
    buyer = replace(ADA, key="b" * 24)
    assert {"OS1"} == {await world.ask(buyer=buyer, key="k") for _ in range(30)}
    assert {"OS1"} == {await world.ask(buyer=buyer) for _ in range(30)}
    with pytest.raises(ProductNotAllowedError):
        await world.ask(OrderRequest(items=(Item(product="handbook"),)), buyer)

    assert [1] * 3 == [store.of(kind) for kind in ("address", "product", "checkout")]


async def test_failed_call_is_charged() -> None:
    """Whoever makes the provider fail has asked it all the same."""
    store = MemoryLimits()
    world = World(limits=limits_of(LimitsSettings(per_ip_per_minute=1), store))
    world.provider.failure = UpstreamUnavailableError("down")

    assert UpstreamUnavailableError is await refusal(world.ask(buyer=ADA))
    assert RateLimitedError is await refusal(world.ask(buyer=ADA))


@pytest.mark.parametrize(("kind", "settings"), SOFT)
async def test_without_a_challenge_the_others_only_alarm(
    kind: str, settings: LimitsSettings, since: Callable[[], Change]
) -> None:
    """Over any other limit a request passes and is counted: a stranger could fill it, and would lock out everybody."""
    store = MemoryLimits()
    world = World(limits=limits_of(settings, store))
    for _ in range(5):
        await world.ask(WITH_EMAIL, ADA)

    assert {(kind, "passed"): 3} == since()
    assert 5 == store.of(kind)


@pytest.mark.parametrize(("kind", "settings"), SOFT)
async def test_with_a_challenge_the_others_ask_for_it(
    kind: str, settings: LimitsSettings, since: Callable[[], Change]
) -> None:
    """A browser over such a limit is told which widget to show, and charged once it sends a good answer, not before."""
    store, challenge = MemoryLimits(), KnownAnswers("good")
    world = World(limits=limits_of(settings, store, challenge=challenge))
    for _ in range(2):
        await world.ask(replace(WITH_EMAIL, challenge="good"), ADA)
    assert [] == challenge.asked  # an answer that nobody asked for is not looked at

    with pytest.raises(ChallengeRequiredError) as asked:
        await world.ask(WITH_EMAIL, ADA)
    with pytest.raises(ChallengeRequiredError) as wrong:
        await world.ask(replace(WITH_EMAIL, challenge="bad"), ADA)
    assert (SHOWN, ()) == (asked.value.challenge, asked.value.errors)
    assert (SHOWN, ["challenge"]) == (wrong.value.challenge, [one.field for one in wrong.value.errors])
    assert 2 == store.of(kind)
    assert "OS3" == await world.ask(replace(WITH_EMAIL, challenge="good"), ADA)
    assert 3 == store.of(kind)
    assert ChallengeRequiredError is await refusal(world.ask(replace(WITH_EMAIL, challenge="good"), ADA))
    assert [None, "bad", "good", "good"] == challenge.asked
    assert {(kind, "challenged"): 3, (kind, "solved"): 1} == since()


async def test_a_solved_challenge_does_not_lift_the_address_limit() -> None:
    """Who solves challenges by the thousand is held up all the same, and is not even asked to."""
    store, challenge = MemoryLimits(), KnownAnswers("good")
    settings = LimitsSettings(per_ip_per_minute=2, per_checkout_per_minute=1)
    world = World(limits=limits_of(settings, store, challenge=challenge))
    await world.ask(buyer=ADA)
    await world.ask(replace(REQUEST, challenge="good"), ADA)

    assert RateLimitedError is await refusal(world.ask(replace(REQUEST, challenge="good"), ADA))
    assert ["good"] == challenge.asked


class Slow(KnownAnswers):
    """A challenge that takes its time: meanwhile somebody else asks from the same address."""

    world: World

    async def is_solved(self, answer: str | None, buyer: Buyer) -> bool:
        await self.world.ask(replace(REQUEST, items=(Item(product="handbook"),)), buyer)
        return await super().is_solved(answer, buyer)


async def test_address_that_is_full_once_the_challenge_is_solved() -> None:
    """It is held up, and nothing more is charged."""
    store, challenge = MemoryLimits(), Slow("good")
    settings = replace(OFF, per_ip_per_minute=2, per_product_per_minute=1)
    world = challenge.world = World(limits=limits_of(settings, store, challenge=challenge))
    await world.ask(buyer=ADA)

    assert RateLimitedError is await refusal(world.ask(replace(REQUEST, challenge="good"), ADA))
    assert [2, 2] == [store.of("address"), store.of("product")]
    assert [1, 1, 2] == sorted(store.taken.values())


async def test_callers_are_not_bound(since: Callable[[], Change]) -> None:
    """A caller has no address limit and is never asked for a challenge; what it asks for is counted with the rest."""
    store, challenge = MemoryLimits(), KnownAnswers()
    settings = LimitsSettings(per_ip_per_minute=1, per_checkout_per_minute=2)
    world = World(limits=limits_of(settings, store, challenge=challenge))
    for _ in range(5):
        await world.ask(buyer=CALLER)

    assert (0, 5) == (store.of("address"), store.of("checkout"))
    assert [] == challenge.asked
    assert {("checkout", "passed"): 3} == since()


async def test_proxy_without_a_buyer() -> None:
    """Where only a proxy's address is known there is no address limit, which would be one for everybody behind it."""
    store = MemoryLimits()
    world = World(limits=limits_of(LimitsSettings(per_ip_per_minute=1), store))
    for _ in range(3):
        await world.ask(buyer=Buyer())

    assert (0, 3) == (store.of("address"), store.of("checkout"))


async def test_observing(since: Callable[[], Change]) -> None:
    """`observe` counts what would have been, refuses nobody and asks nobody."""
    challenge = KnownAnswers()
    settings = LimitsSettings(mode="observe", per_ip_per_minute=2, per_checkout_per_minute=1)
    world = World(limits=limits_of(settings, challenge=challenge))
    for _ in range(5):
        await world.ask(buyer=ADA)

    assert [] == challenge.asked
    assert {("address", "would_be_refused"): 3, ("checkout", "would_be_challenged"): 4} == since()


async def test_zero_turns_a_limit_off() -> None:
    """Where every limit is 0, and the upstream has none either, the store is not even asked."""
    store = MemoryLimits()
    world = World(limits=limits_of(OFF, store))
    for _ in range(3):
        await world.ask(WITH_EMAIL, ADA)

    assert [] == store.asked


async def test_each_limit_has_its_own_windows() -> None:
    """Each product of a cart counts once; e-mail addresses that differ in case alone are one; none stands in a key."""
    store = MemoryLimits()
    world = World(limits=limits_of(LimitsSettings(), store), calls_per_minute=240)
    await world.ask(replace(WITH_EMAIL, items=(Item(product="a"), Item(product="b"))), ADA)
    await world.ask(replace(REQUEST, customer=Customer(email="ada@EXAMPLE.org")), EVE)
    first, second = ({limit.kind: limit.key for limit in limits} for limits in store.asked)
    keys = [limit.key for limits in store.asked for limit in limits]

    kinds: list[Kind] = ["address", "product", "product", "email", "checkout", "upstream"]
    assert kinds == [limit.kind for limit in store.asked[0]]
    assert [first[kind] for kind in kinds[3:]] == [second[kind] for kind in kinds[3:]]
    assert 8 == len(set(keys))
    assert all(len(key) == 40 and int(key, 16) for key in keys)
    assert {20, 600, 1200, 120} == {limit.most for limits in store.asked for limit in limits}
    assert {60, 3600} == {limit.seconds for limits in store.asked for limit in limits}


class StillHour(MemoryPaid):
    """Every checkout has made 100 sessions of which some were paid, and it stays at that."""

    def __init__(self, paid: int) -> None:
        super().__init__()
        self._hour = Hour(100, paid, ever_paid=True)

    async def last_hour(self, key: str) -> Hour:
        return self._hour


class TestPaidRatio:
    """The steps by which little paid tightens the limits."""

    SETTINGS = LimitsSettings(per_ip_per_minute=8, paid_ratio_floor=0.4)

    @pytest.mark.parametrize(("paid", "most"), [(40, 8), (39, 4), (19, 4), (9, 2), (0, 2)])
    async def test_address_has_less(self, paid: int, most: int) -> None:
        """Below the floor an address has a half of its limit, far below it a quarter."""
        world = World(limits=limits_of(self.SETTINGS, paid=StillHour(paid)))
        for _ in range(most):
            await world.ask(buyer=ADA)

        assert RateLimitedError is await refusal(world.ask(buyer=ADA))
        assert await world.ask(buyer=EVE)

    @pytest.mark.parametrize(("paid", "asks"), [(40, False), (20, False), (19, True), (0, True)])
    async def test_browsers_are_asked(self, paid: int, asks: bool, since: Callable[[], Change]) -> None:  # noqa: FBT001  # a case
        """Below a half of it each browser is asked, and passes with a good answer; a caller passes."""
        challenge = KnownAnswers("good")
        world = World(limits=limits_of(self.SETTINGS, paid=StillHour(paid), challenge=challenge))

        assert (ChallengeRequiredError if asks else None) is await refusal(world.ask(buyer=ADA))
        assert ([None] if asks else []) == challenge.asked
        assert await world.ask(replace(REQUEST, challenge="good"), ADA)
        assert await world.ask(buyer=CALLER)
        expected = {("paid_ratio", "challenged"): 1, ("paid_ratio", "solved"): 1, ("paid_ratio", "passed"): 1}
        assert (expected if asks else {}) == since()

    async def test_one_answer_is_enough(self, since: Callable[[], Change]) -> None:
        """Whoever solved the challenge that all are asked for is not asked again as another limit is full."""
        challenge = KnownAnswers("one", "two")
        settings = replace(self.SETTINGS, per_checkout_per_minute=1)
        world = World(limits=limits_of(settings, paid=StillHour(0), challenge=challenge))

        assert ["OS1", "OS2"] == [await world.ask(replace(REQUEST, challenge=one), ADA) for one in ("one", "two")]
        assert ["one", "two"] == challenge.asked
        assert {("paid_ratio", "solved"): 2, ("checkout", "passed"): 1} == since()

    async def test_nobody_is_locked_out(self) -> None:
        """An address keeps one session a minute, whatever a quarter of its limit is."""
        world = World(limits=limits_of(replace(self.SETTINGS, per_ip_per_minute=1), paid=StillHour(0)))

        assert "OS1" == await world.ask(buyer=ADA)

    async def test_without_a_challenge_nobody_is_asked(self, since: Callable[[], Change]) -> None:
        """Where none is configured there is an alarm instead."""
        world = World(limits=limits_of(self.SETTINGS, paid=StillHour(0)))
        await world.ask(buyer=ADA)

        assert {("paid_ratio", "passed"): 1} == since()


@pytest.mark.parametrize(
    "spelling",
    [
        *("ADA@example.org", "ada+1@example.org", "ada@EXAMPLE.org.", '"ada"@example.org', "\uff41da@example.org"),
        "ada@\uff45xample.org",
    ],
)
def test_spellings_of_one_mailbox(spelling: str) -> None:
    """They share a window; another mailbox, or the same name elsewhere, has its own."""
    assert "ada@example.org" == mailbox_of(spelling)
    assert 4 == len(
        {mailbox_of(one) for one in ("ada@example.org", "eve@example.org", "ada@example.com", "a.da@x.org")}
    )
