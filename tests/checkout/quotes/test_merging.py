"""What comes of a request and its quote: who outranks whom, field by field."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from service.checkout.errors import CartNotAllowedError
from service.checkout.models import OrderRequest
from service.checkout.quotes.merging import over_browser, under_caller
from tests.support.samples import LEVELS

FULL: dict[str, Any] = LEVELS[0][2] | {"items": [LEVELS[5][2]]}


def order(**members: object) -> OrderRequest:
    """A request of these JSON members."""
    return msgspec.convert(members, OrderRequest)


def joined(own: dict[str, Any], quoted: dict[str, Any]) -> Any:  # noqa: ANN401  # JSON
    """What a browser's request and its quote come to, without what is absent."""
    return msgspec.to_builtins(over_browser(order(**own), order(**quoted)))


def contradictions(own: dict[str, Any], quoted: dict[str, Any]) -> list[str]:
    """The fields in which a browser contradicts its quote."""
    with pytest.raises(CartNotAllowedError) as caught:
        over_browser(order(**own), order(**quoted))
    return [one.field for one in caught.value.errors]


ITEM = {"product": "a", "quantity": 2}


def test_quote_s_every_field_arrives() -> None:
    """Whatever a caller may send, a quote may: all of it arrives beside a browser that says nothing, and a caller."""
    assert order(**FULL) == over_browser(order(), order(**FULL))
    assert order(**FULL) == under_caller(order(), order(**FULL))


def test_quote_that_says_nothing() -> None:
    """A quote that names nothing leaves the request as it is, but for the quote itself."""
    request = order(**FULL, quote="a.b.c", fresh=True, challenge="c")

    assert replace(request, quote=None) == over_browser(request, order())
    assert replace(request, quote=None) == under_caller(request, order())


@pytest.mark.parametrize(
    ("own", "quoted"),
    [
        ({"country": "de"}, {"country": "DE"}),
        ({"language": "de-AT"}, {"language": "de"}),
        ({"coupon": "C"}, {"coupon": "C"}),
        ({"items": [ITEM]}, {"items": [ITEM | {"pricing": {"price": {"EUR": "1.00"}}}]}),
        (
            {"items": [{"product": "b"}, ITEM]},
            {"items": [ITEM | {"quantityBehavior": "lock"}, {"product": "b"}]},
        ),
        ({"customer": {"email": "a@b"}}, {"customer": {"email": "a@b", "taxId": "T"}}),
    ],
)
def test_browser_that_says_the_same(own: dict[str, Any], quoted: dict[str, Any]) -> None:
    """A browser that repeats a part of its quote is asked for what the quote says."""
    assert order(**quoted) == over_browser(order(**own), order(**quoted))


@pytest.mark.parametrize(
    ("own", "quoted", "fields"),
    [
        ({"country": "AT"}, {"country": "DE"}, ["country"]),
        ({"language": "en"}, {"language": "de"}, ["language"]),
        ({"coupon": "C"}, {"coupon": "c"}, ["coupon"]),
        ({"returnUrl": "https://a/1"}, {"returnUrl": "https://a/2"}, ["returnUrl"]),
        ({"promoCodes": ["A"]}, {"promoCodes": ["A", "B"]}, ["promoCodes"]),
        ({"items": [ITEM]}, {"items": [ITEM, {"product": "b"}]}, ["items"]),
        ({"items": [ITEM, {"product": "b"}]}, {"items": [ITEM]}, ["items"]),
        ({"items": [ITEM, ITEM]}, {"items": [ITEM, {"product": "b"}]}, ["items"]),
        ({"items": [ITEM, ITEM]}, {"items": [ITEM]}, ["items"]),
        ({"items": [ITEM]}, {"items": [ITEM, ITEM]}, ["items"]),
        ({"items": [{"product": "b"}]}, {"items": [ITEM]}, ["items"]),
        ({"items": [{"product": "a"}]}, {"items": [ITEM]}, ["items[0].quantity"]),
        (
            {"items": [{"product": "b"}, ITEM | {"attributes": {"x": "1", "y": "2"}, "trial": True}]},
            {"items": [ITEM | {"attributes": {"x": "2"}, "trial": False}, {"product": "b", "quantity": 3}]},
            ["items[1].attributes.x", "items[1].trial", "items[0].quantity"],
        ),
        (
            {"customer": {"email": "a@b", "lastName": "L", "address": {"city": "C", "line1": "1"}}},
            {"customer": {"email": "b@b", "lastName": "L", "address": {"city": "D"}}},
            ["customer.email", "customer.address.city"],
        ),
        (
            {"customer": {"identity": {"platform": "steam", "id": "1"}}},
            {"customer": {"identity": {"platform": "steam", "id": "2"}}},
            ["customer.identity.id"],
        ),
    ],
)
def test_browser_that_contradicts(own: dict[str, Any], quoted: dict[str, Any], fields: list[str]) -> None:
    """Whatever a browser says otherwise than its quote is refused, each field by its name."""
    assert fields == contradictions(own, quoted)


def test_browser_adds_what_the_quote_leaves_open() -> None:
    """Attributes merge by name and a customer by member, so that a form may be filled in beside a quote."""
    found = joined(
        {
            "items": [ITEM | {"attributes": {"x": "1"}}],
            "coupon": "C",
            "customer": {"firstName": "Ada", "address": {"city": "C"}},
        },
        {
            "items": [ITEM | {"attributes": {"y": "2"}}],
            "customer": {"email": "a@b", "address": {"line1": "1"}},
        },
    )

    assert {"x": "1", "y": "2"} == found["items"][0]["attributes"]
    assert ("C", "Ada", "a@b") == (found["coupon"], found["customer"]["firstName"], found["customer"]["email"])
    assert ("C", "1") == (found["customer"]["address"]["city"], found["customer"]["address"]["line1"])


def test_caller_outranks_a_quote() -> None:
    """A caller's field stands, its lists and its customer whole; tags and attributes merge by name."""
    own = order(
        items=[ITEM | {"attributes": {"x": "1"}}, {"product": "b"}],
        orderTags={"a": "1", "b": "1"},
        paymentMethodsOrder=[],
        customer={"email": "a@b"},
        country="DE",
    )
    quoted = order(
        items=[ITEM | {"quantity": 9, "attributes": {"x": "2", "y": "2"}, "pricing": {"trial": 7}}],
        orderTags={"b": "2", "c": "2"},
        paymentMethodsOrder=["CARD"],
        hidePaymentMethods=["WIRE"],
        customer={"email": "b@b", "firstName": "B"},
        country="AT",
        live=True,
    )

    expected = order(
        items=[ITEM | {"attributes": {"x": "1", "y": "2"}}, {"product": "b"}],
        orderTags={"a": "1", "b": "1", "c": "2"},
        paymentMethodsOrder=[],
        hidePaymentMethods=["WIRE"],
        customer={"email": "a@b"},
        country="DE",
        live=True,
    )
    assert expected == under_caller(own, quoted)


TEXTS = st.sampled_from(["1", "2"])
MAPS = st.dictionaries(st.sampled_from("ab"), TEXTS, max_size=2)
ITEMS = st.fixed_dictionaries(
    {"product": st.sampled_from("ab")}, optional={"quantity": st.integers(1, 2), "attributes": MAPS}
)
CARTS = st.lists(ITEMS, max_size=2, unique_by=lambda item: str(item["product"]))
PRICED = st.lists(
    st.fixed_dictionaries({"product": st.sampled_from("ab"), "pricing": st.just({"price": {"EUR": "5.00"}})}),
    max_size=2,
    unique_by=lambda item: str(item["product"]),
)


@given(
    own=st.fixed_dictionaries({}, optional={"items": CARTS, "coupon": TEXTS, "country": st.sampled_from(["DE", "AT"])}),
    quoted=st.fixed_dictionaries(
        {}, optional={"items": CARTS | PRICED, "coupon": TEXTS, "country": st.just("DE"), "orderTags": MAPS}
    ),
)
def test_nothing_of_a_quote_is_lost_beside_a_browser(own: dict[str, Any], quoted: dict[str, Any]) -> None:
    """For all requests and quotes: each value of the quote is in what is asked for, or the request is refused."""
    try:
        found = msgspec.to_builtins(over_browser(order(**own), order(**quoted)))
    except CartNotAllowedError:
        return
    assert quoted.get("coupon", own.get("coupon")) == found["coupon"]
    assert quoted.get("orderTags") == found["orderTags"]
    for item in quoted.get("items", ()):
        [line] = [one for one in found["items"] if one["product"] == item["product"]]
        assert item.get("pricing", {}).get("price") == (line["pricing"] or {}).get("price")
        assert item.get("quantity", 1) == line["quantity"]
        assert (item.get("attributes") or {}).items() <= (line["attributes"] or {}).items()
    if quoted.get("items"):
        assert len(quoted["items"]) == len(found["items"])


AT_A_PRICE = ITEM | {"pricing": {"price": {"EUR": "9.00"}}}
INLINE = {"product": "made-up", "inlineProduct": {"name": "Made up", "price": 900}}


@pytest.mark.parametrize(("codes", "field"), [({"coupon": "C"}, "coupon"), ({"promoCodes": ("C",)}, "promoCodes")])
@pytest.mark.parametrize("item", [AT_A_PRICE, INLINE])
def test_quoted_price_takes_no_code_of_a_browser(codes: dict[str, Any], field: str, item: dict[str, Any]) -> None:
    """A code that the quote does not carry would make its price another one."""
    assert [field] == contradictions(codes, {"items": [item]})
    assert codes[field] == joined(codes, {"items": [item], **codes})[field]


def test_quote_without_a_price_takes_a_code_of_a_browser() -> None:
    """Where the provider's price counts, so do its codes."""
    assert "C" == joined({"coupon": "C"}, {"items": [ITEM]})["coupon"]
