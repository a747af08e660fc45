"""What policy does not let a caller change, in the words of each body."""

import pytest
from msgspec.structs import replace

from service.checkout.errors import (
    CartNotAllowedError,
    CheckoutError,
    CountryNotAllowedError,
    InvalidRequestError,
    ProductNotAllowedError,
    RestrictedFieldError,
    UnsupportedFieldError,
)
from service.checkout.models import Address, Customer, Identity, Item, Pricing
from tests.support.changing import HANDBOOK, Change, ChangingWorld, adding, customer, removing, replacing, updating
from tests.support.orders import CHECKOUT

CARD = "4111 1111 1111 1111"


@pytest.mark.parametrize(
    ("change", "kind", "fields"),
    [
        (adding("pro-license"), CartNotAllowedError, ["product"]),
        (removing("pro-license"), CartNotAllowedError, ["product"]),
        (adding(quantity=101), CartNotAllowedError, ["quantity"]),
        (updating(quantity=101), CartNotAllowedError, ["quantity"]),
        (adding("book"), ProductNotAllowedError, ["product"]),
        (updating("book"), ProductNotAllowedError, ["product"]),
        (adding(attributes={"name": CARD}), InvalidRequestError, ["attributes.name"]),
        (adding(attributes={"broker_ref": "mine"}), RestrictedFieldError, ["attributes.broker_ref"]),
        (adding(pricing=Pricing(price={"JPY": "1.50"})), InvalidRequestError, ["pricing.price.JPY"]),
        (adding(pricing=Pricing(price={"XXX": "1.50"})), UnsupportedFieldError, ["pricing.price.XXX"]),
        (adding(gift_to=Identity(platform="steam", id="1")), UnsupportedFieldError, ["giftTo"]),
        (customer(company=CARD), InvalidRequestError, ["company"]),
        (customer(address=Address(line1=CARD)), InvalidRequestError, ["address.line1"]),
        (customer(identity=Identity(platform="steam", id="1")), UnsupportedFieldError, ["identity"]),
        (replacing(items=()), InvalidRequestError, ["items"]),
        (replacing(items=(HANDBOOK, HANDBOOK)), CartNotAllowedError, ["items[1].product"]),
        (replacing(items=(Item(product="book"),)), ProductNotAllowedError, ["items[0].product"]),
        (replacing(country="FR"), CountryNotAllowedError, ["country"]),
        (replacing(customer=Customer(company=CARD)), InvalidRequestError, ["customer.company"]),
        (replacing(order_tags={"broker_ref": "mine"}), RestrictedFieldError, ["orderTags.broker_ref"]),
        (replacing(coupon_id="1"), UnsupportedFieldError, ["couponId"]),
        (
            replacing(items=(replace(HANDBOOK, pricing=Pricing(price={"XXX": "1.50"})),)),
            UnsupportedFieldError,
            ["items[0].pricing.price.XXX"],
        ),
        (
            replacing(quote="q", challenge="c", fresh=True, live=True, return_url="https://a.b/", cancel_url="x"),
            InvalidRequestError,
            ["quote", "challenge", "fresh", "live", "returnUrl", "cancelUrl"],
        ),
    ],
)
async def test_what_policy_refuses(change: Change, kind: type[CheckoutError], fields: list[str]) -> None:
    """Policy holds for changes as for new sessions; fields are named as the body has them, nothing is touched."""
    world = ChangingWorld(replace(CHECKOUT, products=("pro-*", "handbook"), countries=("DE", "AT", "US")))
    session = await world.made()

    with pytest.raises(kind) as caught:
        await change(world, session)

    assert fields == [error.field for error in caught.value.errors]
    assert {"for_one_change"} >= set(world.asked())
    assert session == world.record(session)
    assert await world.is_linked(session)
