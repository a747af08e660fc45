"""Our order in v1's words, beyond what the recorded exchanges show."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from service.checkout.models import Customer, Item, Order, Pricing
from service.providers.fastspring_v1.requests import SessionRequest, encode, session_request
from tests.providers.fastspring_v2.test_requests import paths_in, paths_of
from tests.support.exchanges import exchanges
from tests.support.orders import ORDER


def body_of(order: Order) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(encode(session_request(order, expiration_days=1)))
    return body


def priced(**fields: object) -> Order:
    return replace(ORDER, items=(Item(product="pro-license", pricing=replace(Pricing(), **fields)),))


def test_exchanges_say_every_field() -> None:
    """The recorded exchanges leave no field of v1's request out; all but the account stand in the full one."""
    recorded = exchanges("fastspring_v1")
    full = paths_in(recorded["full"].sends.body)

    assert {"account"} == paths_of(SessionRequest) - full
    assert "account" in paths_in(recorded["account"].sends.body)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_amounts_are_numbers_without_loss(amount: object) -> None:
    """An amount is a JSON number of exactly the digits that the caller wrote, never a float's."""
    body = encode(session_request(priced(price={"EUR": str(amount)}), expiration_days=1))

    assert f'"price":{{"EUR":{amount}}}'.encode() in body


def test_what_only_the_service_added_is_left_out() -> None:
    """The buyer's address, payment methods and pseudonym change nothing of the request: v1 has no place for them."""
    added = replace(
        ORDER, buyer_ip="8.8.4.4", payment_methods_order=("CARD",), hide_payment_methods=("WIRE",), pseudonym="b7"
    )

    assert body_of(ORDER) == body_of(added)


def test_account_excludes_the_contact() -> None:
    """Beside an account, country and language of a header or the configuration are not sent."""
    body = body_of(replace(ORDER, account_id="acc", country="DE", language="de"))

    assert "acc" == body["account"]
    assert {"items", "expiration", "tags", "account"} == body.keys()


@pytest.mark.parametrize(
    ("order", "member"),
    [
        (replace(ORDER, customer=Customer()), "contact"),
        (priced(), "pricing"),
        (priced(discounts=()), "pricing"),
        (priced(price={}), "pricing"),
    ],
)
def test_blocks_without_content_are_not_sent(order: Order, member: str) -> None:
    """An empty block would be one more thing for the provider to read in its own way."""
    assert f'"{member}"'.encode() not in encode(session_request(order, expiration_days=1))


def test_no_is_said() -> None:
    """What is false or zero was said, and is sent."""
    [item] = body_of(priced(paid_trial=False, payment_collected=False, trial=0))["items"]

    assert {"paidTrial": False, "paymentCollected": False, "trial": 0} == item["pricing"]


def test_reference_is_in_every_line() -> None:
    """Each line carries our reference beside the caller's attributes, as tags may be lost."""
    order = replace(ORDER, items=(Item(product="a", attributes={"x": "y"}), Item(product="b")))

    assert [{"x": "y", "broker_ref": order.reference}, {"broker_ref": order.reference}] == [
        line["attributes"] for line in body_of(order)["items"]
    ]


def test_quantity_is_said_on_the_item_or_in_its_pricing() -> None:
    """Both ways to say it are the same member of v1's."""
    item = Item(product="a", quantity_behavior="lock", quantity_default=2)
    pricing = Item(product="a", pricing=Pricing(quantity_behavior="lock", quantity_default=2))

    assert body_of(replace(ORDER, items=(item,))) == body_of(replace(ORDER, items=(pricing,)))


@pytest.mark.parametrize(("asked", "sent"), [(None, 3), (1, 1), (7, 7)])
def test_expiration(asked: int | None, sent: int) -> None:
    """The request decides, else the configuration."""
    assert sent == session_request(replace(ORDER, expiration_days=asked), expiration_days=3).expiration
