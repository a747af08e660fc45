"""What carts cost."""

from decimal import Decimal

import msgspec
import pytest

from service.sandbox.fastspring.applied import applied
from service.sandbox.fastspring.pricing import Cart, priced
from service.sandbox.fastspring.settings import CheckoutSettings, FastSpringSettings
from service.sandbox.fastspring.wire import SessionRequest

SETTINGS = FastSpringSettings(extra_prices={"thing": {"USD": Decimal("10.00")}, "odd": {"USD": Decimal("3.33")}})


def cart(document: object, *, tax_included: bool = True) -> Cart:
    request = msgspec.convert(document, SessionRequest)
    how = applied(request, CheckoutSettings(tax_included=tax_included), SETTINGS)
    return priced(request.cart.line_items, how, SETTINGS)


def cart_of(item: dict[str, object], **session: object) -> Cart:
    lines = {"lineItems": [{"productPath": "thing", **item}], "couponCode": session.pop("coupon", "")}
    return cart({"country": "US", "cart": lines, **session})


@pytest.mark.parametrize(
    ("quantity", "expected"), [(1, Decimal("10.00")), (2, Decimal("18.00")), (5, Decimal("35.00"))]
)
def test_discount_tiers(quantity: int, expected: Decimal) -> None:
    """The highest tier that the quantity reaches counts, a percentage or an amount."""
    tiers = [{"minQuantity": 2, "percentDiscount": 10}, {"minQuantity": 5, "amountDiscount": {"USD": 3}}]

    assert expected == cart_of({"quantity": quantity, "customPrice": {"discounts": tiers}}).net_total


def test_coupon_comes_after_product_discount() -> None:
    """The coupon takes its share of what the product discount left."""
    result = cart_of({"customPrice": {"discounts": [{"percentDiscount": 50}]}}, coupon="SPRING10")

    assert (Decimal("5.00"), Decimal("0.50"), Decimal("4.50")) == (
        result.product_discount,
        result.coupon_discount,
        result.net_total,
    )


def test_amount_discount_never_pays_the_buyer() -> None:
    """A discount above the price makes it free, not negative."""
    assert Decimal(0) == cart_of({"customPrice": {"discounts": [{"amountDiscount": {"USD": 99}}]}}).net_total


def test_custom_price_in_another_currency() -> None:
    """A custom price that lacks the session's currency is exchanged from the first one that is there."""
    assert Decimal("8.60") == cart_of({"customPrice": {"unitPrice": {"USD": 10}}}, country="DE").net_total


@pytest.mark.parametrize(
    ("path", "fee", "expected"),
    [
        ("team-seats", "setupFee", Decimal("24.00")),
        ("pro-license", "setupFee", Decimal("49.00")),
        ("handbook", "shippingFee", Decimal("40.00")),
        ("pro-license", "shippingFee", Decimal("49.00")),
        ("pro-license", "edsFee", Decimal("54.00")),
    ],
)
def test_fees(path: str, fee: str, expected: Decimal) -> None:
    """A setup fee is for subscriptions, shipping for what is sent, the download fee for any order."""
    assert expected == cart_of({"productPath": path, "customPrice": {fee: {"USD": 5}}}).net_total


def test_download_fee_once_an_order() -> None:
    """Two items with the download fee pay it once."""
    item = {"customPrice": {"edsFee": {"USD": 5}}}
    lines = [{"productPath": path, **item} for path in ("thing", "odd")]

    assert Decimal("18.33") == cart({"country": "US", "cart": {"lineItems": lines}}).net_total


def test_made_up_product() -> None:
    """A product that is in no catalogue but has a price is made up, and can be bought."""
    [line] = cart_of({"productPath": "made-up", "customPrice": {"unitPrice": {"USD": 7}}}).lines

    assert (None, Decimal("7.00")) == (line.product, line.unit_list)


@pytest.mark.parametrize(("included", "expected"), [(True, "20.00"), (False, "23.80")])
def test_to_pay_in_both_tax_modes(included: bool, expected: str) -> None:  # noqa: FBT001 - a parameter of the test
    """What is paid has the tax in it, whether the price had it or not."""
    document = {
        "country": "DE",
        "cart": {"lineItems": [{"productPath": "thing", "customPrice": {"unitPrice": {"EUR": 20}}}]},
    }

    assert Decimal(expected) == cart(document, tax_included=included).to_pay
