"""A provider's answer is what was asked for, or nothing is handed out."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from service.checkout.acceptance import Expectations, accept, fixed_total, is_expected_url
from service.checkout.errors import UpstreamMismatchError
from service.checkout.models import (
    Discount,
    Item,
    Money,
    Order,
    Pricing,
    ProviderSession,
    SessionItem,
    UpstreamWarning,
)
from tests.support.orders import NOW, ORDER, SESSION

EXPECTED = Expectations(hosts=(".onfastspring.com", "pay.shop.example"), accept_warnings=("INVALID_PROMO_CODE",))
LOCKED = replace(ORDER, items=(Item(product="pro-license", quantity=2, quantity_behavior="lock"),))
LOCKED_BY_PRICING = replace(
    ORDER, items=(Item(product="pro-license", quantity=2, pricing=Pricing(quantity_behavior="lock")),)
)
PRICED = replace(
    ORDER, items=(Item(product="pro-license", quantity=2, pricing=Pricing(price={"EUR": "24.50", "USD": "27"})),)
)
LINE = SessionItem(product="pro-license", quantity=2, locked=False)


def total(amount: str) -> Money:
    return Money(amount=amount, currency="EUR", display=amount)


def differences(session: ProviderSession, order: Order = ORDER) -> list[str]:
    with pytest.raises(UpstreamMismatchError) as mismatch:
        accept(order, session, EXPECTED, expires_after=NOW)
    assert all(error.detail.endswith(".") for error in mismatch.value.errors)
    return [error.field for error in mismatch.value.errors]


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"payable": False}, ["state"]),
        ({"live": True}, ["live"]),
        ({"expires_at": NOW}, ["expiresAt"]),
        ({"expires_at": NOW - timedelta(days=400)}, ["expiresAt"]),
        ({"checkout_url": "https://evil.example/x"}, ["checkoutUrl"]),
        ({"tags": {}}, ["orderTags.broker_ref"]),
        ({"tags": {"broker_ref": "cs_other"}}, ["orderTags.broker_ref"]),
        ({"items": ()}, ["items", "items[0].product"]),
        ({"items": (LINE, SessionItem(product="gift", quantity=1))}, ["items"]),
        ({"items": (LINE, LINE)}, ["items"]),
        ({"items": (replace(LINE, product="other"),)}, ["items[0].product"]),
        ({"items": (replace(LINE, quantity=3),)}, ["items[0].quantity"]),
        ({"warnings": (UpstreamWarning(code="INVALID_COUNTRY", field="country"),)}, ["country"]),
        ({"warnings": (UpstreamWarning(code="CHECKOUT_NOT_LIVE"),)}, ["warnings"]),
        ({"live": True, "payable": False, "tags": {}}, ["state", "live", "orderTags.broker_ref"]),
    ],
)
def test_each_difference_is_named(changes: dict[str, object], fields: list[str]) -> None:
    """State, mode, expiry, address, tags, lines and warnings: each alone refuses the session, by field."""
    assert fields == differences(replace(SESSION, **changes))


@pytest.mark.parametrize("order", [LOCKED, LOCKED_BY_PRICING])
def test_lock_must_be_kept(order: Order) -> None:
    """A quantity that was locked and came back open is a difference; an answer that says it is locked is none."""
    locked = replace(SESSION, items=(replace(LINE, locked=True),))

    assert ["items[0].quantityBehavior"] == differences(SESSION, order)
    accept(order, locked, EXPECTED, expires_after=NOW)


@pytest.mark.parametrize(
    ("amount", "net"), [("49.00", "41.18"), ("58.31", "49.00"), ("49.00", None)], ids=["with-tax", "without-tax", "one"]
)
def test_fixed_price_is_the_total_with_or_without_tax(amount: str, net: str | None) -> None:
    """A total that is the sum of the fixed prices passes in both tax modes of a store."""
    accept(PRICED, replace(SESSION, total=total(amount), net_total=net), EXPECTED, expires_after=NOW)


@pytest.mark.parametrize(("amount", "net"), [("49.01", "41.18"), ("24.50", None), ("0.00", "0.00")])
def test_total_other_than_the_fixed_price_is_a_difference(amount: str, net: str | None) -> None:
    """Where a caller fixed the prices, a total that is not their sum is not handed out."""
    assert ["total"] == differences(replace(SESSION, total=total(amount), net_total=net), PRICED)


def item(**pricing: object) -> Item:
    return Item(product="pro-license", pricing=replace(Pricing(price={"EUR": "10.00"}), **pricing))


@pytest.mark.parametrize(
    "order",
    [
        ORDER,
        replace(ORDER, items=(item(), Item(product="other"))),
        replace(ORDER, items=(item(),), coupon="SPRING10"),
        replace(ORDER, items=(item(discounts=(Discount(percent=5),)),)),
        replace(ORDER, items=(item(setup_fee={"EUR": "1"}),)),
        replace(ORDER, items=(item(shipping_fee={"EUR": "1"}),)),
        replace(ORDER, items=(item(eds_fee={"EUR": "2"}),)),
        replace(ORDER, items=(item(trial=7),)),
    ],
)
def test_total_is_the_providers_where_something_else_counts(order: Order) -> None:
    """Coupons, discounts, fees, trials and lines without a fixed price leave the sum to the provider."""
    assert fixed_total(order, "EUR") is None


def test_currency_without_a_fixed_price_is_not_compared() -> None:
    """A session in a currency that the caller named no price for has no sum to compare with."""
    accept(PRICED, replace(SESSION, currency="GBP", total=total("1.00")), EXPECTED, expires_after=NOW)
    accept(PRICED, replace(SESSION, total=None), EXPECTED, expires_after=NOW)


def test_what_was_asked_for_passes() -> None:
    """A session that keeps to the order passes, extra tags and an accepted warning included."""
    warning = UpstreamWarning(code="INVALID_PROMO_CODE", field="coupon")
    tags = {**(SESSION.tags or {}), "store": "own"}

    accept(ORDER, replace(SESSION, warnings=(warning,), tags=tags), EXPECTED, expires_after=NOW)


def test_what_the_provider_does_not_say_is_not_compared() -> None:
    """A provider without modes, echoed tags and carts can pass on the rest."""
    accept(LOCKED, replace(SESSION, live=None, tags=None, items=None, total=None), EXPECTED, expires_after=NOW)
    accept(replace(ORDER, order_tags=None), replace(SESSION, tags={}), EXPECTED, expires_after=NOW)


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.onfastspring.com/checkout/session/OS1",
        "https://ACME.onfastspring.com/x",
        "https://acme.test.onfastspring.com",
        "https://acme.onfastspring.com:8443/x?y=z#w",
        "https://pay.shop.example/x",
    ],
)
def test_address_of_the_provider_is_expected(url: str) -> None:
    """https on the provider's hosts, and on those that the configuration names, is good."""
    assert is_expected_url(url, EXPECTED)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://acme.onfastspring.com/",
        "//acme.onfastspring.com/",
        "https://onfastspring.com/",
        "https://.onfastspring.com/",
        "https://evilonfastspring.com/",
        "https://acme.onfastspring.com.evil.example/",
        "https://sub.pay.shop.example/",
        "https://acme.onfastspring.com@evil.example/",
        "https://user@acme.onfastspring.com/",
        "https://evil.example\\.onfastspring.com/",
        "https://evil.example%2F.onfastspring.com/",
        "https://evil.example#.onfastspring.com/",
        "https://evil.example?.onfastspring.com/",
        "https://evil.example;.onfastspring.com/",
        "https://evil.example\uff0f.onfastspring.com/",  # a full-width slash
        "https://acme.onfastspring.com/\n",
        "https://acme.onfastspring.com/a b",
        "https://acme.onfastspring.com/\x00",
        "https://acme.onfastspring.com/ü",
        "https://acme.onfastspring.com/\\evil",
        "https://acme.onfastspring.com:99999999/",
        "https://acme.onfastspring.com:x/",
        "https://[acme.onfastspring.com/",
        "javascript:alert(1)//.onfastspring.com",
        "data:text/html,https://acme.onfastspring.com",
        "http://127.0.0.1/",
        "https://127.0.0.1/",
    ],
)
def test_any_other_address_is_not(url: str) -> None:
    """No other scheme, host, user information, odd character or encoded host is handed to a buyer."""
    assert not is_expected_url(url, EXPECTED)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8010/session/OS1", True),
        ("http://localhost:8010/", True),
        ("https://[::1]:8010/", True),
        ("http://127.0.0.1.evil.example/", False),
        ("http://acme.onfastspring.com/", False),
        ("ftp://127.0.0.1/", False),
    ],
)
def test_sandbox_on_this_machine_may_speak_plain_http(url: str, expected: bool) -> None:  # noqa: FBT001  # a table's column
    """Where the upstream is on this machine, so may the checkout page be, and only there without TLS."""
    assert expected is is_expected_url(url, replace(EXPECTED, loopback=True))


def test_tag_that_is_named_like_anything_is_not_repeated() -> None:
    """A tag's name may be an address or a card number: the difference says only that it was a tag."""
    order = replace(ORDER, order_tags={"ada@example.org": "x", "4111111111111111": "y", "desk": "7"})

    assert ["orderTags", "orderTags", "orderTags.desk"] == differences(replace(SESSION, tags={}), order)
