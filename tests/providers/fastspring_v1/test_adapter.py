"""The adapter against the sandbox, over real HTTP: what it hands out, what it refuses, and which lies it notices."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from msgspec.structs import replace

from service.checkout.acceptance import Expectations, accept
from service.checkout.errors import (
    ProviderError,
    UpstreamInvalidError,
    UpstreamMisconfiguredError,
    UpstreamMismatchError,
    UpstreamRejectedError,
    UpstreamThrottledError,
)
from service.checkout.models import Customer, Discount, Item, Lookup, Opener, Order, Pricing, ProviderSession, Script
from service.providers.fastspring_v1.adapter import FastSpringV1
from service.providers.fastspring_v1.settings import FastSpringV1Checkout
from tests.checkout.test_session import session_in
from tests.support.orders import ORDER
from tests.support.servers import Sandbox
from tests.support.upstream import client_of

KNOWN_ACCOUNT = "YWNjb3VudC1pZC0yMi1jaA"
CHECKOUT = FastSpringV1Checkout(upstream="acme", live=False, storefront="acme.test.onfastspring.com/popup-checkout")
EXPECTED = Expectations(hosts=("acme.test.onfastspring.com",), loopback=True)
ADA = replace(ORDER, customer=Customer(email="ada@example.org"), country="DE", language="de")
FULL = replace(
    ADA,
    items=(
        Item(
            product="pro-license",
            quantity=2,
            attributes={"license-name": "Ada"},
            quantity_behavior="lock",
            quantity_default=2,
            pricing=Pricing(
                price={"EUR": "24.50"},
                discounts=(Discount(percent=10), Discount(min_quantity=5, percent=50)),
                discount_duration=3,
            ),
        ),
        Item(
            product="team-seats",
            pricing=Pricing(
                discounts=(Discount(amount={"EUR": "3.00"}),),
                trial=14,
                paid_trial=True,
                trial_price={"EUR": "1.00"},
                payment_collected=True,
                renew="opt-auto",
                interval="month",
                interval_length=3,
                quantity_behavior="hide",
                quantity_default=1,
            ),
        ),
    ),
    coupon="SPRING10",
    customer=Customer(email="ada@example.org", first_name="Ada", last_name="Muster", company="AG", phone="1" * 64),
    lookup=Lookup(custom="shop-user_8412"),
    expiration_days=7,
)


@pytest.fixture
async def provider(sandbox: Sandbox) -> AsyncGenerator[FastSpringV1]:
    """The adapter at a sandbox with nothing left from other tests; pages are at the sandbox too."""
    storefront = sandbox.url.removeprefix("http://") + "/popup-checkout"
    async with client_of(sandbox.url) as client:
        yield FastSpringV1(replace(CHECKOUT, storefront=storefront), client)


async def created(provider: FastSpringV1, order: Order = ADA) -> ProviderSession:
    provider.check(order)
    session = await provider.create(order)
    accept(order, session, EXPECTED, expires_after=datetime.now(UTC))
    return session


async def test_session_has_its_page(provider: FastSpringV1, sandbox: Sandbox) -> None:
    """A session is made by one call, lives for a day, and its page is where its address says."""
    session = await created(provider)

    async with httpx.AsyncClient(trust_env=False) as buyer:
        page = await buyer.get(session.checkout_url)
        other = await buyer.get(f"{session.checkout_url}x")

    assert (200, 404) == (page.status_code, other.status_code)
    assert ("EUR", None, None, None) == (session.currency, session.country, session.live, session.total)
    assert abs(session.expires_at - datetime.now(UTC) - timedelta(days=1)) < timedelta(minutes=1)
    assert 1 == len(sandbox.requests())


async def test_every_field_is_taken(provider: FastSpringV1, sandbox: Sandbox) -> None:
    """The strict sandbox takes every field of ours and prices by them, for as many days as were asked for."""
    session = await created(provider, FULL)
    async with httpx.AsyncClient(trust_env=False) as tester:
        [listed] = (await tester.get(f"{sandbox.url}/_sandbox/sessions")).json()

    assert [("pro-license", 2), ("team-seats", 1)] == [(item.product, item.quantity) for item in session.items or ()]
    assert FULL.order_tags == listed["orderTags"]
    assert ["LOCK", "HIDE"] == [line["quantityBehavior"] for line in listed["cart"]["lineItems"]]
    # 24.50 less 10 % is 22.05, 17.50 less 3.00 is 14.50, and a tenth of both goes for the coupon, to the cent.
    assert [19.84, 13.05] == [line["price"]["unitNetPrice"] for line in listed["cart"]["lineItems"]]
    assert abs(session.expires_at - datetime.now(UTC) - timedelta(days=7)) < timedelta(minutes=1)


async def test_account_keeps_its_country(provider: FastSpringV1) -> None:
    """A session of a known account is in its currency, whatever country a header guessed."""
    order = replace(ORDER, account_id=KNOWN_ACCOUNT, country="US")

    assert "EUR" == (await provider.create(order)).currency


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"customer": None, "country": None, "language": None}, "customer.email"),
        ({"customer": None}, "customer.email"),
        ({"customer": Customer(email="ada@at")}, "customer.email"),
        ({"items": (Item(product="no-such-product"),)}, "items"),
        ({"items": (Item(product="pro-license"), Item(product="pro-license"))}, "items"),
        ({"account_id": "nobody"}, "accountId"),
        ({"country": "D1"}, "country"),
        ({"items": (Item(product="pro-license", pricing=Pricing(price={"BTC": "1"})),)}, "items[0].pricing.price"),
    ],
)
async def test_refusal_names_our_field(provider: FastSpringV1, changes: dict[str, object], field: str) -> None:
    """Whatever the sandbox finds wrong, in whichever shape, is a refusal with a field of ours and words of ours."""
    with pytest.raises(UpstreamRejectedError) as refused:
        await provider.create(replace(ADA, **changes))

    assert [field] == [error.field for error in refused.value.errors]


@pytest.mark.parametrize("shape", ["object", "in_200", "message"])
async def test_each_shape_of_error(provider: FastSpringV1, sandbox: Sandbox, shape: str) -> None:
    """The same refusal in each of the three shapes comes to the same."""
    sandbox.put_fault("bad_request", shape=shape)
    with pytest.raises(UpstreamRejectedError) as refused:
        await created(provider)

    assert [("customer.email", "This is not an e-mail address.")] == [
        (error.field, error.detail) for error in refused.value.errors
    ]


@pytest.mark.parametrize(
    ("lie", "kind"),
    [
        *((lie, UpstreamInvalidError) for lie in ("missing_id", "hostile_id", "wrong_types")),
        *(
            (lie, UpstreamMismatchError)
            for lie in ("wrong_quantity", "wrong_product", "missing_item", "expired", "concluded")
        ),
    ],
)
async def test_lie_is_seen_through(
    provider: FastSpringV1, sandbox: Sandbox, lie: str, kind: type[ProviderError]
) -> None:
    """A good-looking 200 that is wrong in one member is never handed out."""
    sandbox.put_fault(lie)

    with pytest.raises(kind):
        await created(provider)
    assert 1 == len(sandbox.requests())


async def test_404_is_throttling_once_it_worked(provider: FastSpringV1, sandbox: Sandbox) -> None:
    """The documented way to throttle is a 404: before anything ever worked it is the address that is wrong."""
    sandbox.put_fault("throttled_404", times=1)
    with pytest.raises(UpstreamMisconfiguredError):
        await created(provider)
    await created(provider)
    sandbox.put_fault("throttled_404", times=1)
    with pytest.raises(UpstreamThrottledError):
        await created(provider)


async def test_popup_of_a_storefront_with_a_path(sandbox: Sandbox) -> None:
    """The popup is data: the builder's script with the storefront, the function and the session's id."""
    async with client_of(sandbox.url) as client:
        opener = FastSpringV1(CHECKOUT, client).opener(session_in("open"))

    assert (
        Opener(
            script=Script(
                src="https://sbl.onfastspring.com/sbl/1.0.3/fastspring-builder.min.js",
                attributes={"id": "fsc-api", "data-storefront": "acme.test.onfastspring.com/popup-checkout"},
            ),
            call="fastspring.builder.checkout",
            arguments=("OS1",),
            closed={"attribute": "data-popup-closed"},
        )
        == opener
    )


async def test_no_popup_of_a_host_alone(sandbox: Sandbox) -> None:
    """Without a popup storefront the page redirects."""
    async with client_of(sandbox.url) as client:
        hosted = FastSpringV1(replace(CHECKOUT, storefront="acme.test.onfastspring.com"), client)

        assert hosted.opener(session_in("open")) is None
