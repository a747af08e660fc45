"""Every body that is sent to PayNow is one that its closed schema takes: nothing unknown at any level."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types
from msgspec.structs import replace

from service.checkout.inline_product import InlineProduct, ProductTrial, Recommendation, Upselling
from service.checkout.models import Address, Customer, Identity, Item, Order, PayoutSplit
from service.providers.paynow_gg.requests import management_request, storefront_request
from service.providers.paynow_gg.settings import PayNowCheckout
from service.providers.paynow_gg.vocabulary import MANAGEMENT, STOREFRONT, check_request
from tests.support.exchanges import Call, exchanges

DEFINITIONS = json.loads((Path(__file__).parent / "schema.json").read_text())["$defs"]
CHECKOUT = PayNowCheckout(upstream="games", live=True, store_id="411486491630370816")
VIP = "411486491630370817"


def faults(kind: str, document: Any) -> list[str]:  # noqa: ANN401  # JSON
    """What the schema of this body has against a document."""
    schema = {"$defs": DEFINITIONS, "$ref": f"#/$defs/{kind}"}
    return [error.message for error in Draft202012Validator(schema).iter_errors(document)]


def kind_of(path: str) -> str | None:
    """Which body belongs to a path; None where there is none to send."""
    for ending, kind in (("v1/checkouts", "storefront"), ("/checkouts", "management"), ("/auth", "claim")):
        if path.endswith(ending):
            return kind
    return "customer" if path.endswith("/customers") else None


CALLS = [(name, call) for name, exchange in exchanges("paynow_gg").items() for call in exchange.calls()]


@pytest.mark.parametrize(("name", "call"), CALLS, ids=[f"{name}-{call.sends.path}" for name, call in CALLS])
def test_recorded_body_is_valid(name: str, call: Call) -> None:
    """Each body of each exchange is what PayNow documents, and there is none where none is documented."""
    kind = kind_of(call.sends.path)

    assert (kind is None) == (call.sends.body is None)
    assert [] == (faults(kind, call.sends.body) if kind else [])


def test_full_exchanges_say_every_member() -> None:
    """No member of either call is out of reach: each stands in a full exchange."""
    found = exchanges("paynow_gg")

    assert set() == members_of("management") - members_in(found["full"].sends.body)
    assert set() == members_of("storefront") - members_in(found["storefront_full"].sends.body)


def members_of(kind: str, path: str = "") -> set[str]:
    """The path of every member that a definition of the schema has."""
    return {
        inner
        for name, schema in DEFINITIONS[kind]["properties"].items()
        for inner in {f"{path}{name}"} | _below(schema, f"{path}{name}.")
    }


def _below(schema: dict[str, Any], path: str) -> set[str]:
    target = schema.get("items", schema)
    if "$ref" in target:
        kind = target["$ref"].rpartition("/")[2]
        return members_of(kind, path) if "properties" in DEFINITIONS[kind] else set()
    properties = target.get("properties", {})
    return {inner for name, one in properties.items() for inner in {f"{path}{name}"} | _below(one, f"{path}{name}.")}


def members_in(node: object, path: str = "") -> set[str]:
    """The path of every member that a document has; a list stands for what is in it."""
    if isinstance(node, list):
        return {inner for one in node for inner in members_in(one, path)}
    if not isinstance(node, dict):
        return set()
    return {inner for name, one in node.items() for inner in {f"{path}{name}"} | members_in(one, f"{path}{name}.")}


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("management", {"currency": "usd"}),
        ("management", {"subscription": False}),
        ("management", {"customer_id": 411486491630370816}),
        ("management", {"customer_id": "9223372036854775808"}),
        ("management", {"customer_details": {"billing_address": {"county": "x"}}}),
        ("management", {"lines": [{"quantity": 1}]}),
        ("management", {"lines": [{"quantity": 1, "inline_product": {"price": "1"}}]}),
        ("storefront", {"metadata": {"a": "b"}}),
        ("storefront", {"lines": [{"quantity": 1, "product_id": VIP, "metadata": {}}]}),
    ],
)
def test_schema_is_strict(kind: str, change: dict[str, object]) -> None:
    """What PayNow does not know, or not in this type, is a fault: the tests here can fail."""
    good: dict[str, object] = {"lines": [{"quantity": 1, "product_id": VIP}]}
    if kind == "management":
        good["customer_id"] = VIP

    assert [] == faults(kind, good)
    assert [] != faults(kind, good | change)


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
IDS = st.integers(1, 2**63 - 1).map(str)
MAPS = st.none() | st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=3)
FLAGS = st.none() | st.booleans()


def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


RECOMMENDATIONS = st.builds(
    Recommendation,
    recommended_product_id=IDS,
    discount_amount=st.integers(0, 2**63 - 1),
    quantity_to_add=some(st.integers(0, 2**31 - 1)),
)
INLINE: st.SearchStrategy[InlineProduct] = st.builds(
    InlineProduct,
    name=some(TEXTS),
    description=some(TEXTS),
    price=some(st.integers(0, 2**63 - 1)),
    trial=some(st.builds(ProductTrial, enabled=FLAGS, period_value=some(st.integers(0, 2**31 - 1)))),
    upselling=some(st.builds(Upselling, enabled=FLAGS, recommendations=some(st.tuples(RECOMMENDATIONS)))),
    tags=some(st.lists(IDS, max_size=3).map(tuple)),
    metadata=MAPS,
    enabled_at=some(st.datetimes(timezones=st.timezones())),
    tier_group_id=some(IDS),
    tax_code=some(st.sampled_from(["saas", "unknown"])),
)
SPLITS = st.builds(
    PayoutSplit,
    payout_id=IDS,
    percentage=some(st.integers(0, 10_000).map(float)),
    platform_fee=some(st.integers(0, 10_000)),
)
GIFTS = st.just(Identity(platform="steam", id="76561198152492642"))
ANY_LINE: dict[str, st.SearchStrategy[Any]] = {
    "product": IDS,
    "quantity": st.integers(1, 1_000_000),
    "subscription": FLAGS,
    "trial": FLAGS,
    "gift_to": some(GIFTS),
    "gift_to_customer_id": some(IDS),
    "game_server": some(IDS),
    "custom_variables": MAPS,
}
MANAGED_LINE = ANY_LINE | {
    "inline_product": some(INLINE),
    "payout_splits": some(st.lists(SPLITS, max_size=2).map(tuple)),
    "metadata": MAPS,
}
ANY_ORDER: dict[str, st.SearchStrategy[Any]] = {
    "reference": st.just("cs_01kdwx4m000123456789abcdef"),
    "live": st.just(value=True),
    "coupon": some(TEXTS),
    "promo_codes": some(st.lists(TEXTS, max_size=3).map(tuple)),
    "coupon_id": some(IDS),
    "customer_id": IDS,
    "affiliate_code": some(TEXTS),
    "country": some(st.sampled_from(["DE", "US"])),
    "return_url": some(st.just("https://shop.example/thanks")),
    "auto_redirect": FLAGS,
    "order_tags": MAPS,
}
CUSTOMERS = st.builds(
    Customer,
    email=some(st.just("ada@example.org")),
    first_name=some(TEXTS),
    company=some(TEXTS),
    tax_id=some(TEXTS),
    address=some(st.builds(Address, city=some(TEXTS), line1=some(TEXTS))),
)


def lines(members: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[tuple[Item, ...]]:
    return st.lists(st.builds(Item, **members), min_size=1, max_size=3).map(tuple)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(st.builds(Order, **ANY_ORDER, items=lines(MANAGED_LINE), customer=some(CUSTOMERS), metadata=MAPS))
def test_any_managed_order_is_valid(order: Order) -> None:
    """Whatever a caller may ask for, the management call takes the body that it becomes."""
    check_request(order, MANAGEMENT, live=True)
    body = management_request(order, CHECKOUT, order.customer_id).body

    assert [] == faults("management", msgspec.json.decode(body))


@settings(deadline=None, derandomize=True, max_examples=100)
@given(st.builds(Order, **ANY_ORDER, items=lines(ANY_LINE)))
def test_any_storefront_order_is_valid(order: Order) -> None:
    """Whatever may be asked for in storefront mode, that call takes the body that it becomes."""
    check_request(order, STOREFRONT, live=True)
    body = storefront_request(replace(order, buyer_ip="8.8.4.4"), CHECKOUT).body

    assert [] == faults("storefront", msgspec.json.decode(body))
