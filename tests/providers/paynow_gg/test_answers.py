"""PayNow's answers in our words, beyond what the recorded exchanges show."""

import contextlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.checkout.errors import UpstreamInvalidError
from service.checkout.models import Item, Order
from service.providers.paynow_gg.answers import our_fields, read_customer, read_refusal, read_session, read_token

STORE = "411486491630370816"
EXPIRES = datetime(2026, 1, 1, 11, tzinfo=UTC)
ORDER = Order(items=(Item(product=STORE),), reference="cs_1", coupon="A", promo_codes=("B", "A", "C"))
GOOD = json.dumps({"id": STORE, "token": "c4qq", "url": "https://checkout.paynow.gg/?t=c4qq"}).encode()


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("lines[0].quantity", ["items[0].quantity"]),
        ("lines.0.quantity", ["items[0].quantity"]),
        ("$.lines[0].gift_to.platform", ["items[0].giftTo.platform"]),
        ("/lines/0/product_id", ["items[0].product"]),
        ("Lines[0].ProductId", ["items[0].product"]),
        (("lines", 0, "product_id"), ["items[0].product"]),
        (("lines", "12", "custom_variables", "color"), ["items[12].customVariables"]),
        ("lines[0].inline_product.commands[3].content", ["items[0].inlineProduct.commands"]),
        ("lines[0].payout_splits[1].platform_fee", ["items[0].payoutSplits[1].platformFee"]),
        ("lines", ["items"]),
        ("customer_details.billing_address.country", ["country"]),
        ("customer_details.billing_address.line_1", ["customer.address.line1"]),
        ("customer_details.billing_name", ["customer"]),
        ("customer_details.ada@example.org", ["customer"]),
        ("customer_id", ["customerId"]),
        ("cancel_url", ["cancelUrl"]),
        ("promo_codes", ["coupon", "promoCodes"]),
        ("promo_codes[0]", ["coupon"]),
        ("promo_codes[1]", ["promoCodes[0]"]),
        ("promo_codes[2]", ["promoCodes[2]"]),
        ("promo_codes[9]", ["coupon", "promoCodes"]),
        ("linesx[0].quantity", []),
        ("quantity", []),
        ("ada@example.org", []),
        ("", []),
        ((), []),
        (None, []),
    ],
)
def test_paths_become_our_fields(theirs: str | tuple[str | int, ...] | None, ours: list[str]) -> None:
    """However a path is written, it is ours step by step, and ends before what we do not know."""
    assert ours == our_fields(theirs, ORDER)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("234a5bcd543ef3fa53ce929d0e0e4736", "234a5bcd543ef3fa53ce929d0e0e4736"),
        ("0HMV-1:2", None),
        ("a b", None),
        ("x" * 65, None),
        (None, None),
    ],
)
def test_case_for_the_support_is_kept_when_it_is_one(theirs: str | None, ours: str | None) -> None:
    """The trace id is for the log; text that is no id is not taken for one."""
    assert ours == read_refusal(json.dumps({"trace_id": theirs}).encode()).provider_case


@pytest.mark.parametrize(
    ("answer", "fields"),
    [
        ({"code": "invalid-coupon", "message": "x"}, ["coupon", "promoCodes"]),
        ({"code": "x", "message": "This gift card is empty"}, ["coupon", "promoCodes"]),
        ({"code": "x", "message": "y"}, []),
        ({"message": "coupon", "errors": [{"path": "lines[0].quantity"}]}, ["items[0].quantity"]),
        ({"errors": "none"}, []),
        ([], []),
    ],
)
def test_refusal_that_speaks_of_codes_names_them(answer: object, fields: list[str]) -> None:
    """Without a path, words about codes are taken for the codes that were sent; with one, it alone counts."""
    assert fields == [error.field for error in read_refusal(json.dumps(answer).encode(), ORDER).errors]


def test_refusal_names_at_most_32_fields_and_each_once() -> None:
    """A provider that finds a thousand faults does not make our answer as long."""
    errors = [{"path": f"lines[{index // 2}].quantity"} for index in range(1000)]

    assert 16 == len(read_refusal(json.dumps({"errors": errors}).encode(), ORDER).errors)


@pytest.mark.parametrize(
    "change",
    [
        {"id": 411486491630370816},
        {"id": "9223372036854775808"},
        {"id": "411\r\n"},
        {"id": ""},
        {"id": None},
        {"token": ""},
        {"token": None},
        {"token": "a b"},
        {"token": "<script>"},
        {"token": "x" * 4097},
        {"url": None},
        {"url": "https://checkout.paynow.gg/" + "x" * 2048},
    ],
)
def test_session_is_all_or_nothing(change: dict[str, object]) -> None:
    """Id, token and address are each required and of their form; a number is no id."""
    with pytest.raises(UpstreamInvalidError):
        read_session(json.dumps(json.loads(GOOD) | change).encode(), EXPIRES)


def test_session_tells_nothing_that_paynow_does_not() -> None:
    """Mode, country, currency, total, cart and tags are unknown, not made up."""
    session = read_session(GOOD, EXPIRES)

    assert (None,) * 6 == (
        session.live,
        session.country,
        session.currency,
        session.total,
        session.items,
        session.tags,
    )
    assert (STORE, "c4qq", EXPIRES, True) == (session.session_id, session.token, session.expires_at, session.payable)


@settings(deadline=None, derandomize=True, max_examples=500)
@given(
    st.one_of(
        st.binary(max_size=64),
        st.tuples(st.integers(0, len(GOOD)), st.binary(max_size=8)).map(
            lambda cut: GOOD[: cut[0]] + cut[1] + GOOD[cut[0] :]
        ),
    )
)
def test_no_bytes_break_the_reading(body: bytes) -> None:
    """Whatever bytes come, as anything, there is a result or the one documented error."""
    for read in (
        lambda: read_session(body, EXPIRES),
        lambda: read_customer(body, STORE),
        lambda: read_token(body),
    ):
        with contextlib.suppress(UpstreamInvalidError):
            read()
    read_refusal(body, ORDER)
