"""What v1 has no words for is refused by name, and so is half of what it takes only together."""

from typing import Any

import msgspec
import pytest

from service.checkout.errors import InvalidRequestError, RequestRefusedError, UnsupportedFieldError
from service.checkout.models import OrderRequest
from service.providers.fastspring import CURRENCIES
from service.providers.fastspring_v1.vocabulary import check_request


def asked(**members: object) -> OrderRequest:
    return msgspec.convert({"items": [{"product": "pro-license"}], **members}, OrderRequest)


def priced(**pricing: object) -> OrderRequest:
    return asked(items=[{"product": "handbook"}, {"product": "pro-license", "pricing": pricing}])


def refused(request: OrderRequest) -> tuple[type[RequestRefusedError], list[str]]:
    with pytest.raises(RequestRefusedError) as error:
        check_request(request, live=False)
    assert all(one.detail.endswith(".") for one in error.value.errors)
    return type(error.value), [one.field for one in error.value.errors]


def test_every_field_without_a_word_is_named() -> None:
    """One answer names them all: of the request, the customer, the items and their pricing."""
    request = asked(
        live=True,
        buyerIp="8.8.4.4",
        paymentMethodsOrder=["CARD"],
        hidePaymentMethods=["WIRE"],
        externalAccountId="user_1",
        accountTags={"a": "b"},
        metadata={"a": "b"},
        customer={
            "email": "ada@example.org",
            "address": {"city": "Berlin"},
            "shipTo": {"email": "bob@example.org"},
            "taxId": "1",
            "taxIdRegion": "CA",
            "identity": {"platform": "steam", "id": "1"},
        },
        items=[
            {
                "product": "pro-license",
                "descriptions": {"display": {"en": "Pro"}},
                "pricing": {
                    "setupFee": {"EUR": "1"},
                    "shippingFee": {"EUR": "1"},
                    "edsFee": {"EUR": "2"},
                    "intervalCount": 2,
                },
            }
        ],
    )
    fields = (
        "buyerIp paymentMethodsOrder hidePaymentMethods externalAccountId accountTags metadata live customer.shipTo"
        " customer.address customer.taxId customer.taxIdRegion customer.identity items[0].descriptions"
        " items[0].pricing.setupFee items[0].pricing.shippingFee items[0].pricing.edsFee items[0].pricing.intervalCount"
    ).split()

    kind, found = refused(request)

    assert UnsupportedFieldError is kind
    assert sorted(fields) == sorted(found)


@pytest.mark.parametrize("live", [None, False])
def test_mode_of_the_storefront_may_be_said(live: bool | None) -> None:  # noqa: FBT001  # a table's column
    """Test or live is the storefront's: the same one is no contradiction."""
    check_request(asked(live=live), live=False)


@pytest.mark.parametrize(
    ("pricing", "fields"),
    [
        ({"price": {"EUR": "1", "KWD": "1.005", "BTC": "1"}}, ["price.BTC", "price.KWD"]),
        ({"trialPrice": {"BTC": "1"}}, ["trialPrice.BTC"]),
        (
            {"discounts": [{"amount": {"EUR": "1"}}, {"minQuantity": 2, "amount": {"BTC": "1"}}]},
            ["discounts[1].amount.BTC"],
        ),
        ({"discounts": [{"percent": 5}, {"minQuantity": 2, "amount": {"EUR": "1"}}]}, ["discounts[1]"]),
        ({"discounts": [{"amount": {"EUR": "1"}}, {"minQuantity": 2, "percent": 0}]}, ["discounts[1]"]),
        (
            {"discounts": [{"percent": 5}, {"minQuantity": 2, "percent": 6}, {"percent": 7}]},
            ["discounts[2].minQuantity"],
        ),
        ({"price": {"BTC": "1"}, "interval": "month"}, ["price.BTC"]),
    ],
)
def test_values_without_a_word(pricing: dict[str, object], fields: list[str]) -> None:
    """Unknown currencies, two kinds of discount in an item, two tiers for a quantity: each is named with its place."""
    assert (UnsupportedFieldError, [f"items[1].pricing.{field}" for field in fields]) == refused(priced(**pricing))


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        (asked(accountId="a", customer={"email": "ada@example.org"}), ["accountId", "customer"]),
        (asked(accountId="a", customer={"phone": "1"}), ["accountId", "customer"]),
        (asked(accountId="a", country="DE"), ["country"]),
        (asked(accountId="a", country="DE", customer={"company": "x"}), ["accountId", "customer", "country"]),
        (priced(interval="month"), ["items[1].pricing.interval"]),
        (priced(paidTrial=True), ["items[1].pricing.paidTrial"]),
        (priced(paidTrial=True, trialPrice={}), ["items[1].pricing.paidTrial"]),
        (priced(interval="day", paidTrial=True), ["items[1].pricing.interval", "items[1].pricing.paidTrial"]),
    ],
)
def test_halves(request_: OrderRequest, fields: list[str]) -> None:
    """An account with a contact or a country, an interval without a length, a paid trial without a price: 400."""
    assert (InvalidRequestError, fields) == refused(request_)


@pytest.mark.parametrize(
    "request_",
    [
        asked(accountId="a", language="de", customer={}),
        asked(country="DE", customer={"email": "ada@example.org"}),
        priced(interval="adhoc"),
        priced(interval="month", intervalLength=1),
        priced(intervalLength=1),
        priced(paidTrial=False),
        priced(paidTrial=True, trialPrice={"EUR": "1"}),
        priced(price=dict.fromkeys(CURRENCIES, "1")),
        priced(discounts=[{"percent": 5}, {"minQuantity": 2, "percent": 6}]),
        asked(
            items=[
                {"product": "a", "pricing": {"discounts": [{"percent": 5}]}},
                {"product": "b", "pricing": {"discounts": [{"amount": {"EUR": "1"}}]}},
            ]
        ),
    ],
)
def test_wholes(request_: OrderRequest) -> None:
    """What belongs together and stands together passes; two items may have two kinds of discount."""
    check_request(request_, live=False)


def test_lists_and_maps_that_are_empty_are_no_fault() -> None:
    """Nothing was asked for with them."""
    empty: dict[str, Any] = {"paymentMethodsOrder": [], "promoCodes": []}

    check_request(asked(**empty), live=False)
