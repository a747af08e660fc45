"""What a checkout allows: every rule, its problem, and that each field at fault is named."""

from typing import Any

import pytest
from msgspec.structs import replace

from service.checkout.errors import (
    CartNotAllowedError,
    CountryNotAllowedError,
    InvalidRequestError,
    ProductNotAllowedError,
    RequestRefusedError,
    RestrictedFieldError,
    ReturnUrlNotAllowedError,
)
from service.checkout.inline_product import InlineProduct
from service.checkout.models import Address, Customer, Discount, Item, OrderRequest, Pricing, Recipient
from service.checkout.policy import admit
from tests.support.orders import CHECKOUT, ITEM, REQUEST

STRICT = replace(
    CHECKOUT,
    products=("pro-license", "team-*"),
    max_items=3,
    max_quantity=10,
    countries=("US", "DE"),
    return_urls=("https://shop.example/*",),
)


def items(*products: str, **fields: object) -> tuple[Item, ...]:
    return tuple(replace(Item(product=product), **fields) for product in products)


def priced(**fields: object) -> tuple[Item, ...]:
    return (Item(product="pro-license", pricing=replace(Pricing(), **fields)),)


def refusal(**changes: object) -> RequestRefusedError:
    with pytest.raises(RequestRefusedError) as refused:
        admit(replace(REQUEST, **changes), STRICT)
    return refused.value


REFUSED = [
    pytest.param({"items": ()}, InvalidRequestError, ["items"], id="empty-cart"),
    pytest.param(
        {"items": items("team-1", "team-2", "team-3", "team-4")}, CartNotAllowedError, ["items"], id="too-many-items"
    ),
    pytest.param(
        {"items": items("team-1", "team-2", quantity=11)},
        CartNotAllowedError,
        ["items[0].quantity", "items[1].quantity"],
        id="quantities",
    ),
    pytest.param(
        {"items": items("team-1", "team-2", "team-1")}, CartNotAllowedError, ["items[2].product"], id="same-twice"
    ),
    pytest.param(
        {"items": items("other", "team-1", "xteam-1")},
        ProductNotAllowedError,
        ["items[0].product", "items[2].product"],
        id="products",
    ),
    pytest.param({"items": items("PRO-LICENSE")}, ProductNotAllowedError, ["items[0].product"], id="product-case"),
    pytest.param({"country": "FR"}, CountryNotAllowedError, ["country"], id="country"),
    pytest.param({"country": "uk"}, CountryNotAllowedError, ["country"], id="no-country"),
    pytest.param({"return_url": "https://evil.example/"}, ReturnUrlNotAllowedError, ["returnUrl"], id="return-url"),
    pytest.param(
        {"return_url": "https://evil.example/", "cancel_url": "http://shop.example/"},
        ReturnUrlNotAllowedError,
        ["returnUrl", "cancelUrl"],
        id="both-urls",
    ),
    pytest.param({"order_tags": {"broker_ref": "x"}}, RestrictedFieldError, ["orderTags.broker_ref"], id="own-tag"),
    pytest.param({"metadata": {"broker_ref": "x"}}, RestrictedFieldError, ["metadata.broker_ref"], id="own-metadata"),
    pytest.param(
        {"items": items("team-1", "team-2", attributes={"broker_ref": "x"})},
        RestrictedFieldError,
        ["items[0].attributes.broker_ref", "items[1].attributes.broker_ref"],
        id="own-attribute",
    ),
    pytest.param(
        {"items": items("team-1", quantity_behavior="lock", pricing=Pricing(quantity_behavior="lock"))},
        InvalidRequestError,
        ["items[0].quantityBehavior"],
        id="behaviour-twice",
    ),
    pytest.param(
        {"items": items("team-1", quantity_default=1, pricing=Pricing(quantity_default=2))},
        InvalidRequestError,
        ["items[0].quantityDefault"],
        id="default-twice",
    ),
    pytest.param(
        {"items": priced(discounts=(Discount(), Discount(percent=5), Discount(percent=5, amount={"EUR": "1"})))},
        InvalidRequestError,
        ["items[0].pricing.discounts[0]", "items[0].pricing.discounts[2]"],
        id="discount-of-none-and-both",
    ),
    pytest.param(
        {"items": priced(price={"EUR": "24.505", "JPY": "100.0", "KWD": "1.234"}, trial_price={"USD": "1.000"})},
        InvalidRequestError,
        ["items[0].pricing.price.EUR", "items[0].pricing.price.JPY", "items[0].pricing.trialPrice.USD"],
        id="decimal-places",
    ),
    pytest.param(
        {"items": priced(discounts=(Discount(percent=5), Discount(amount={"EUR": "0.001"})))},
        InvalidRequestError,
        ["items[0].pricing.discounts[1].amount.EUR"],
        id="decimal-places-of-a-discount",
    ),
    *(
        pytest.param(
            {"items": priced(**{name: {"HUF": "1.234"}})},
            InvalidRequestError,
            [f"items[0].pricing.{wire}.HUF"],
            id=wire,
        )
        for name, wire in (("setup_fee", "setupFee"), ("shipping_fee", "shippingFee"), ("eds_fee", "edsFee"))
    ),
]


@pytest.mark.parametrize(("changes", "kind", "fields"), REFUSED)
def test_broken_rule_is_refused(changes: dict[str, object], kind: type[RequestRefusedError], fields: list[str]) -> None:
    """Each rule alone refuses with its own problem and names every field at fault, in words."""
    error = refusal(**changes)

    assert kind is type(error)
    assert fields == [one.field for one in error.errors]
    assert all(text.endswith(".") for text in (error.detail, *(one.detail for one in error.errors)))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="plain"),
        pytest.param({"items": items("pro-license", "team-1", "team-", quantity=10)}, id="at-every-limit"),
        pytest.param({"country": "de"}, id="country-in-lower-case"),
        pytest.param({"country": None}, id="no-country"),
        pytest.param({"return_url": "https://shop.example/thanks"}, id="return-url"),
        pytest.param({"order_tags": {"Broker_ref": "x"}}, id="another-tag"),
        pytest.param({"items": priced(price={"EUR": "24.50", "JPY": "100", "KWD": "1.234"})}, id="decimal-places"),
        pytest.param({"items": priced(discounts=(Discount(amount={"EUR": "1"}),))}, id="one-discount"),
        pytest.param({"items": items("team-1", quantity_behavior="lock", pricing=Pricing(trial=3))}, id="behaviour"),
    ],
)
def test_what_the_rules_allow_passes(changes: dict[str, object]) -> None:
    """A request at the very edge of each rule is admitted."""
    admit(replace(REQUEST, **changes), STRICT)


def test_rules_that_are_not_configured_refuse_nothing() -> None:
    """Without lists every product and country passes, but a return address never does."""
    admit(OrderRequest(items=items("anything"), country="AQ"), CHECKOUT)
    with pytest.raises(ReturnUrlNotAllowedError):
        admit(replace(REQUEST, return_url="https://shop.example/"), CHECKOUT)


@pytest.mark.parametrize(
    ("pattern", "product", "allowed"),
    [
        ("team-*", "team-", True),
        ("team-*", "steam-1", False),
        ("team-?", "team-1", True),
        ("team-?", "team-12", False),
        ("team-[ab]", "team-b", True),
        ("team-[ab]", "team-c", False),
        ("*", "anything", True),
        ("pro.license", "proxlicense", False),
    ],
)
def test_products_are_shell_patterns(pattern: str, product: str, allowed: bool) -> None:  # noqa: FBT001  # a table's column
    """A product passes when a whole pattern matches it, case and dots taken as they are."""
    request = replace(REQUEST, items=items(product))
    checkout = replace(CHECKOUT, products=("nothing", pattern))

    if allowed:
        admit(request, checkout)
    else:
        with pytest.raises(ProductNotAllowedError):
            admit(request, checkout)


def test_card_number_in_any_free_text() -> None:
    """A card number in a name, company, address or attribute is named by field, of the buyer and of a recipient."""
    card = "4111 1111 1111 1111"
    person: dict[str, Any] = {
        "first_name": card,
        "last_name": card,
        "company": card,
        "address": Address(line1=card, postal_code=card),
    }
    refused = refusal(
        customer=Customer(**person, ship_to=Recipient(**person)),
        items=items("pro-license", attributes={"license-name": card}),
    )

    below = ("firstName", "lastName", "company", "address.line1", "address.postalCode")
    named = {f"{path}.{name}" for path in ("customer", "customer.shipTo") for name in below}
    assert isinstance(refused, InvalidRequestError)
    assert named | {"items[0].attributes.license-name"} == {error.field for error in refused.errors}
    assert card not in str(refused.errors)


def test_digits_elsewhere_are_not_looked_at() -> None:
    """E-mail addresses, phone numbers, tax ids, coupons and product ids may be any digits."""
    card = "4111111111111111"
    customer = Customer(email=f"{card}@example.org", phone=card, tax_id=card)

    admit(replace(REQUEST, customer=customer, coupon=card, items=items(card)), CHECKOUT)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"account_tags": {"broker_ref": "x"}}, "accountTags.broker_ref"),
        ({"items": (replace(ITEM, metadata={"broker_ref": "x"}),)}, "items[0].metadata.broker_ref"),
        ({"items": (replace(ITEM, custom_variables={"broker_ref": "x"}),)}, "items[0].customVariables.broker_ref"),
        (
            {"items": (replace(ITEM, inline_product=InlineProduct(metadata={"broker_ref": "x"})),)},
            "items[0].inlineProduct.metadata.broker_ref",
        ),
    ],
)
def test_our_reference_is_ours_in_every_map(changes: dict[str, object], field: str) -> None:
    """Nobody else sets `broker_ref`, in whichever map of names of their own."""
    with pytest.raises(RestrictedFieldError) as refused:
        admit(replace(REQUEST, **changes), CHECKOUT)

    assert [field] == [error.field for error in refused.value.errors]


@pytest.mark.parametrize("country", ["XX", "UK", "EU", "zz"])
def test_country_that_is_none(country: str) -> None:
    """Without a list of countries too, a code that no country has is refused and said to be none."""
    with pytest.raises(CountryNotAllowedError) as caught:
        admit(OrderRequest(items=items("a"), country=country), CHECKOUT)

    [error] = caught.value.errors
    assert ("country", "This is no ISO 3166-1 alpha-2 code, such as DE or GB.") == (error.field, error.detail)
