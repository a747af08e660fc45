"""What a browser may say, and what only servers may."""

import json
from collections.abc import Mapping
from itertools import product
from typing import Any

import httpx
import msgspec
import pytest

from service.api.schemas import BrowserItem, BrowserRequest
from service.checkout.models import Item, ItemFields, OrderRequest, RequestFields
from tests.api.conftest import Send
from tests.support.servers import Sandbox

ORDER_FIELDS = (
    "orderTags buyerIp paymentMethodsOrder hidePaymentMethods live accountId externalAccountId accountTags lookup"
    " expirationDays customerId customerToken couponId metadata autoRedirect"
).split()
ITEM_FIELDS = (
    "pricing quantityBehavior quantityDefault customPrice descriptions subscriptionOverrides inlineProduct payoutSplits"
    " metadata giftToCustomerId"
).split()
VALUES: tuple[object, ...] = ("x", "", 1, 1.5, True, None, [], ["x"], {}, {"a": "b"})
CART: dict[str, Any] = {"items": [{"product": "pro-license"}], "country": "DE"}


def with_field(place: str, name: str, value: object) -> dict[str, Any]:
    """The cart with one more member, at the top or in its item."""
    if place == "order":
        return CART | {name: value}
    return CART | {"items": [CART["items"][0] | {name: value}]}


def named(answer: httpx.Response) -> list[str]:
    return [error["field"] for error in answer.json()["errors"]]


@pytest.mark.parametrize(("place", "field"), [*product(["order"], ORDER_FIELDS), *product(["item"], ITEM_FIELDS)])
def test_server_only_field_is_refused_by_name(send: Send, sandbox: Sandbox, place: str, field: str) -> None:
    """Whatever JSON it holds, null and "" included, the field is 403, named, and nothing is sent upstream."""
    answers = [send("POST", "/checkout", json=with_field(place, field, value)) for value in VALUES]
    expected = field if place == "order" else f"items[0].{field}"

    assert [(403, "/problems/restricted-field", [expected])] * len(VALUES) == [
        (answer.status_code, answer.json()["type"], named(answer)) for answer in answers
    ]
    assert [] == sandbox.requests()


def test_all_of_them_are_named_at_once(broker: httpx.Client) -> None:
    """One answer tells everything that has to go."""
    items = [CART["items"][0], {"product": "b", "attributes": {"seat": "1"}, **dict.fromkeys(ITEM_FIELDS, 1)}]
    answer = broker.post("/checkout", json={"items": items, **dict.fromkeys(ORDER_FIELDS, 1)})
    expected = [*ORDER_FIELDS, *(f"items[1].{field}" for field in ITEM_FIELDS), "items[1].attributes.seat"]

    assert 403 == answer.status_code
    assert sorted(expected) == sorted(named(answer))


def _spellings(field: str) -> Mapping[str, dict[str, Any]]:
    """Six ways to write a member that a lenient reader could take for the field."""
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in field)
    look_alike = field.translate(str.maketrans("aeopc", "\u0430\u0435\u043e\u0440\u0441"))  # Cyrillic
    return {
        "case": {field.upper(): "x"},
        "underscores": {snake if snake != field else f"_{field}": "x"},
        "dotted": {f"{field}.x": "x", f"cart.{field}": "x"},
        "look-alike": {look_alike if look_alike != field else f"{field}\u200b": "x"},
        "nested": {"customer": {field: "x"}},
        "array": {f"{field}[]": ["x"], f"{field}[0]": "x"},
    }


@pytest.mark.parametrize("field", sorted({*ORDER_FIELDS, *ITEM_FIELDS}))
def test_no_spelling_reaches_the_provider(send: Send, sandbox: Sandbox, field: str) -> None:
    """Another spelling is an unknown member, at the top and in an item: 400, and no upstream call."""
    answers = {
        (spelling, place): send("POST", "/checkout", json=body)
        for spelling, members in _spellings(field).items()
        for place, body in (
            ("order", CART | members),
            ("item", CART | {"items": [CART["items"][0] | members]}),
        )
    }

    assert {} == {cell: answer.text for cell, answer in answers.items() if answer.status_code != 400}
    assert [] == sandbox.requests()


def test_names_of_the_providers_own_schema_reach_nothing(send: Send, sandbox: Sandbox) -> None:
    """Members that the provider knows and we do not are unknown members."""
    names = "cart lineItems couponCode locale paymentContact account sessionId buyer tags customPrice unitPrice".split()
    answers = [send("POST", "/checkout", json=CART | {name: {}}) for name in names]

    assert [400] * len(names) == [answer.status_code for answer in answers]
    assert [] == sandbox.requests()


def test_attributes_outside_the_list_are_refused(broker: httpx.Client, sandbox: Sandbox) -> None:
    """A browser may set the attributes of the allow-list; another one is 403 and named, if its name can be shown."""
    allowed = with_field("item", "attributes", {"license-name": "Ada"})
    foreign = with_field("item", "attributes", {"license-name": "Ada", "seat no.": "1", "ada@example.org": "1"})
    passed, refused = (broker.post("/checkout", json=body) for body in (allowed, foreign))
    [body] = sandbox.bodies()

    assert (201, 403) == (passed.status_code, refused.status_code)
    assert ["items[0].attributes.seat no.", "items[0].attributes"] == named(refused)
    assert "Ada" == body["cart"]["lineItems"][0]["attributes"]["license-name"]  # type: ignore[index]  # plain JSON


@pytest.mark.parametrize("path", ["/checkout", "/internal/checkout"])
def test_our_own_reference_cannot_be_set(
    broker: httpx.Client, sandbox: Sandbox, caller_headers: dict[str, str], path: str
) -> None:
    """`broker_ref` is the service's alone: a caller is refused it as a tag, as an attribute, and in the metadata."""
    bodies = [
        CART | {"orderTags": {"broker_ref": "x"}},
        CART | {"metadata": {"broker_ref": "x"}},
        with_field("item", "attributes", {"broker_ref": "x"}),
    ]
    answers = [broker.post(path, json=body, headers=caller_headers) for body in bodies]

    assert [(403, "/problems/restricted-field")] * 3 == [
        (answer.status_code, answer.json()["type"]) for answer in answers
    ]
    assert [] == sandbox.requests()


def _restricted(kind: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(kind) if field.default is msgspec.UNSET}


def test_no_server_only_field_can_be_forgotten() -> None:
    """A field that is added for callers is refused from browsers, or declared as everybody's: nothing in between."""

    def own(kind: type[msgspec.Struct], everybody: type[msgspec.Struct]) -> set[str]:
        return set(kind.__struct_encode_fields__) - set(everybody.__struct_encode_fields__)

    assert own(OrderRequest, RequestFields) - {"items"} == _restricted(BrowserRequest) == set(ORDER_FIELDS)
    assert own(Item, ItemFields) | {"customPrice", "subscriptionOverrides"} == _restricted(BrowserItem)
    assert set(ITEM_FIELDS) == _restricted(BrowserItem)


def test_no_field_of_everybody_is_lost() -> None:
    """What a browser may say arrives, each member of it."""
    item_values = dict.fromkeys(ItemFields.__struct_fields__, "x")
    values = dict.fromkeys(RequestFields.__struct_fields__, "y")
    asked = BrowserRequest(**values, items=(BrowserItem(**item_values),))  # type: ignore[arg-type]  # marks, not values
    order = asked.to_order_request()

    assert item_values == {name: getattr(order.items[0], name) for name in item_values}
    assert values == {name: getattr(order, name) for name in values}


def test_callers_fields_without_a_meaning_of_their_own(
    broker: httpx.Client, caller_headers: dict[str, str], sandbox: Sandbox
) -> None:
    """`customPrice` and `subscriptionOverrides` are refused from callers too, as unknown: they have `pricing`."""
    answers = [
        broker.post("/internal/checkout", json=with_field("item", name, {}), headers=caller_headers)
        for name in ("customPrice", "subscriptionOverrides")
    ]

    assert [400, 400] == [answer.status_code for answer in answers]
    assert [["items[0].customPrice"], ["items[0].subscriptionOverrides"]] == [named(answer) for answer in answers]


def test_deep_value_of_a_restricted_field_is_not_read(broker: httpx.Client) -> None:
    """The refusal does not depend on what stands inside, as long as it is JSON."""
    body = json.dumps(CART)[:-1] + ', "metadata": ' + "[" * 30 + "]" * 30 + "}"
    answer = broker.post("/checkout", content=body, headers={"Content-Type": "application/json"})

    assert 403 == answer.status_code
