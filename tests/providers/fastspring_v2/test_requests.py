"""Our order in FastSpring's words, beyond what the recorded exchanges show."""

import json
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from service.checkout.errors import UnsupportedFieldError
from service.checkout.models import Customer, Descriptions, Discount, Item, Order, Pricing
from service.providers.fastspring import CURRENCIES
from service.providers.fastspring_v2.requests import LANGUAGES, SessionRequest, encode, session_request
from tests.support.exchanges import exchanges
from tests.support.orders import ORDER


def priced(**fields: object) -> Order:
    return replace(ORDER, items=(Item(product="pro-license", pricing=replace(Pricing(), **fields)),))


def described(**fields: object) -> Order:
    return replace(ORDER, items=(Item(product="pro-license", descriptions=replace(Descriptions(), **fields)),))


def refused(order: Order) -> list[str]:
    with pytest.raises(UnsupportedFieldError) as error:
        session_request(order)
    return [one.field for one in error.value.errors]


def structs_of(kind: object) -> list[type[Struct]]:
    """The structs inside a type expression."""
    if isinstance(kind, type) and issubclass(kind, Struct):
        return [kind]
    return [struct for argument in get_args(kind) for struct in structs_of(argument)]


def paths_of(kind: type[Struct]) -> set[str]:
    """Every member of a request, at every level."""
    paths = set()
    for field in msgspec.structs.fields(kind):
        below = {f"{field.encode_name}.{path}" for struct in structs_of(field.type) for path in paths_of(struct)}
        paths |= below or {field.encode_name}
    return paths


def paths_in(document: Any) -> set[str]:  # noqa: ANN401  # JSON
    """Every member of a document; a list stands for what is in it."""
    if isinstance(document, list):
        return {path for one in document for path in paths_in(one)}
    if not isinstance(document, dict):
        return set()
    return {
        path for name, value in document.items() for path in ({name} | {f"{name}.{one}" for one in paths_in(value)})
    }


def test_full_exchange_says_every_field() -> None:
    """The recorded full order leaves no field of FastSpring's request out."""
    assert paths_of(SessionRequest) <= paths_in(exchanges("fastspring_v2")["full"].sends.body)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_amounts_are_numbers_without_loss(amount: object) -> None:
    """An amount is a JSON number of exactly the digits that the caller wrote, never a float's."""
    body = encode(session_request(priced(price={"EUR": str(amount)})))

    assert f'"unitPrice":{{"EUR":{amount}}}'.encode() in body


def test_currencies_and_languages_of_fastspring_pass() -> None:
    """Each documented currency and language is expressed, Hebrew by its old code."""
    prices = session_request(priced(price=dict.fromkeys(CURRENCIES, "1")))
    texts = session_request(described(display=dict.fromkeys(LANGUAGES - {"iw"} | {"he"}, "Pro")))

    assert 36 == len(json.loads(encode(prices))["cart"]["lineItems"][0]["customPrice"]["unitPrice"])
    assert LANGUAGES == json.loads(encode(texts))["cart"]["lineItems"][0]["descriptions"]["display"].keys()


@pytest.mark.parametrize(
    ("order", "fields"),
    [
        (priced(price={"EUR": "1", "KWD": "1", "BTC": "1"}), ["price.BTC", "price.KWD"]),
        (priced(setup_fee={"BTC": "1"}), ["setupFee.BTC"]),
        (priced(shipping_fee={"BTC": "1"}), ["shippingFee.BTC"]),
        (priced(eds_fee={"BTC": "1"}), ["edsFee.BTC"]),
        (priced(discounts=(Discount(percent=5), Discount(amount={"BTC": "1"}))), ["discounts[1].amount.BTC"]),
    ],
)
def test_unknown_currency_is_refused_by_name(order: Order, fields: list[str]) -> None:
    """A currency that FastSpring does not know is named with its place, not dropped."""
    assert [f"items[0].pricing.{field}" for field in fields] == refused(order)


@pytest.mark.parametrize("name", ["display", "instructions", "summary"])
def test_unknown_language_of_a_text_is_refused_by_name(name: str) -> None:
    """A text in a language that FastSpring does not know is named with its place."""
    assert [f"items[0].descriptions.{name}.xx"] == refused(described(**{name: {"en": "a", "xx": "b"}}))


@pytest.mark.parametrize(
    ("order", "member"),
    [
        (replace(ORDER, customer=Customer()), "customer"),
        (priced(), "customPrice"),
        (priced(trial=3), "customPrice"),
        (priced(price={"EUR": "1"}), "subscriptionOverrides"),
        (priced(discounts=()), "customPrice"),
    ],
)
def test_blocks_without_content_are_not_sent(order: Order, member: str) -> None:
    """An empty block would be one more thing for the provider to read in its own way."""
    assert f'"{member}"'.encode() not in encode(session_request(order))


def test_reference_is_in_every_line() -> None:
    """Each line carries our reference beside the caller's attributes, as tags may be lost."""
    order = replace(ORDER, items=(Item(product="a", attributes={"x": "y"}), Item(product="b")))

    lines = session_request(order).cart.line_items

    assert [{"x": "y", "broker_ref": order.reference}, {"broker_ref": order.reference}] == [
        line.attributes for line in lines
    ]
