"""FastSpring's answers in our words, beyond what the recorded exchanges show."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.checkout.errors import UpstreamInvalidError
from service.checkout.session import PaymentMethodChoice, PaymentMethodOffer
from service.providers.fastspring_v2.answers import our_field, read_payment_methods, read_refusal, read_session
from tests.support.exchanges import exchanges

GOOD = exchanges("fastspring_v2")["minimal"].answers.raw_body()


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("customer.billToContact", "customer"),
        ("customer.billToContact.email", "customer.email"),
        ("customer.billToContact.phoneNumber", "customer.phone"),
        ("customer.billToAddress.addressLine2", "customer.address.line2"),
        ("customer.billToAddress.postalCode", "customer.address.postalCode"),
        ("customer.shipToContact.lastName", "customer.shipTo.lastName"),
        ("customer.shipToAddress.city", "customer.shipTo.address.city"),
        ("customer.shipToType", "customer.shipTo.type"),
        ("customer.taxId", "customer.taxId"),
        ("customer.taxIdRegion", "customer.taxIdRegion"),
        ("customer.accountId", "accountId"),
        ("customer.externalAccountId", "externalAccountId"),
        ("customer.accountTags.tier", "accountTags"),
        ("cart.couponCode", "coupon"),
        ("promoCode", "coupon"),
        ("cart.lineItems", "items"),
        ("cart.lineItems[0]", "items[0]"),
        ("cart.lineItems[12].productPath", "items[12].product"),
        ("lineItems[0].quantity", "items[0].quantity"),
        ("cart.lineItems[0].customPrice.unitPrice.EUR", "items[0].pricing.price"),
        ("cart.lineItems[0].customPrice.discounts[1].percentDiscount", "items[0].pricing.discounts[1].percent"),
        ("cart.lineItems[0].subscriptionOverrides.trialDays", "items[0].pricing.trial"),
        ("cart.lineItems[0].attributes.license", "items[0].attributes"),
        ("locale", "language"),
        ("country", "country"),
        ("buyerIp", "buyerIp"),
        ("live", "live"),
        ("orderTags.channel", "orderTags"),
        ("paymentMethodsOrder[0]", "paymentMethodsOrder[0]"),
        # nothing of theirs passes
        ("customer.billToContact.ada@example.org", "customer"),
        ("customer.billToContact.AdaLovelace", "customer"),
        ("cart.lineItems[0]<script>", "items[0]"),
        ("cart.lineItems[99999]", "items"),
        ("customer.billToContactX", None),
        ("customer", None),
        ("constructor", None),
        ("", None),
        (None, None),
    ],
)
def test_field_in_our_words(theirs: str | None, ours: str | None) -> None:
    """A path is translated step by step, ends before what we do not know, and is nothing where none of it is ours."""
    assert ours == our_field(theirs)


@pytest.mark.parametrize(
    ("display", "shown"), [("49,00 €", "49,00 €"), ("<img src=x>", "49.00 EUR"), ("", "49.00 EUR"), (None, "49.00 EUR")]
)
def test_formatting_of_the_total(display: str | None, shown: str) -> None:
    """Their formatting of the total is shown when harmless, ours otherwise."""
    answer = json.loads(GOOD)
    answer["cart"]["withTaxNetTotalDisplay"] = display

    total = read_session(json.dumps(answer).encode()).total

    assert total is not None
    assert shown == total.display


@pytest.mark.parametrize("member", ["currency", "withTaxNetTotal"])
def test_total_needs_an_amount_and_a_currency(member: str) -> None:
    """Where either is missing there is no total."""
    answer = json.loads(GOOD)
    (answer if member in answer else answer["cart"]).pop(member)

    assert read_session(json.dumps(answer).encode()).total is None


@pytest.mark.parametrize(
    "amount", ["NaN", "sNaN", "Infinity", "-Infinity", "1e14", "1e999999999", 10**13, -(10**13), -5]
)
@pytest.mark.parametrize("member", ["withTaxNetTotal", "withoutTaxNetTotal"])
def test_impossible_amount_is_invalid(member: str, amount: object) -> None:
    """Amounts that are no numbers, negative, or beyond any cart, cannot be read."""
    answer = json.loads(GOOD)
    answer["cart"][member] = amount

    with pytest.raises(UpstreamInvalidError):
        read_session(json.dumps(answer).encode())


@pytest.mark.parametrize(
    "expires", ["", "tomorrow", "2026-01-02", "2026-01-02T10:00:00", "2026-13-01T00:00:00Z", 1767348000000, None]
)
def test_expiry_must_be_a_moment(expires: object) -> None:
    """A date without a time, a time without a zone, a number: none is an expiry."""
    with pytest.raises(UpstreamInvalidError):
        read_session(json.dumps(json.loads(GOOD) | {"expires": expires}).encode())


@pytest.mark.parametrize(
    ("expires", "moment"),
    [
        ("2026-01-02T10:00:00.999Z", "2026-01-02T10:00:00+00:00"),
        ("2026-01-02T10:00:00+05:30", "2026-01-02T04:30:00+00:00"),
    ],
)
def test_expiry_is_in_utc_and_whole_seconds(expires: str, moment: str) -> None:
    """Whatever zone the provider writes, the moment is ours to write."""
    session = read_session(json.dumps(json.loads(GOOD) | {"expires": expires}).encode())

    assert moment == session.expires_at.isoformat()


def test_expiry_beyond_the_calendar_is_invalid() -> None:
    """A moment that no calendar of ours has cannot be read."""
    with pytest.raises(UpstreamInvalidError):
        read_session(json.dumps(json.loads(GOOD) | {"expires": "9999-12-31T23:59:59-12:00"}).encode())


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("FS260101000000007ABC", "FS260101000000007ABC"),
        ("a b", None),
        ("ada@example.org", None),
        ("x" * 65, None),
        (None, None),
    ],
)
def test_case_for_the_support_is_kept_when_it_is_one(theirs: str | None, ours: str | None) -> None:
    """The id of a refusal is for the log; text that is no id is not taken for one."""
    assert ours == read_refusal(json.dumps({"id": theirs}).encode()).provider_case


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
    """Whatever bytes come, as a session or as a refusal, there is a result or the one documented error."""
    with contextlib.suppress(UpstreamInvalidError):
        read_session(body)
    read_refusal(body)


def test_refusal_names_at_most_32_fields() -> None:
    """A provider that finds a thousand faults does not make our answer as long."""
    errors = [{"errorCode": "X", "field": f"cart.lineItems[{index}].quantity"} for index in range(1000)]

    assert 32 == len(read_refusal(json.dumps({"errors": errors}).encode()).errors)


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"[]", b'{"paymentMethods": [{"id": 7}]}', b'{"hidePaymentMethods": 1}', b"[" * 100_000]
)
def test_what_names_no_methods_is_not_read(body: bytes) -> None:
    """Payment methods are read from the documented form alone."""
    with pytest.raises(UpstreamInvalidError):
        read_payment_methods(body)


def test_payment_methods_are_read_liberally() -> None:
    """Either spelling is upper case here; their texts, and what is no word of a closed alphabet, go no further."""
    methods = [
        {
            "id": "card",
            "description": "Credit card",
            "requiredFieldElements": ["NAME", "<b>"],
            "showFieldElements": ["postal_code"],
            "supportedProductTypes": ["ONE_TIME"],
            "variants": ["VISA", "DINNERS"],
        },
        {"id": "CASHAPP", "variants": None},
        {"id": "no method"},
    ]
    body = json.dumps(json.loads(GOOD) | {"paymentMethods": methods, "hidePaymentMethods": ["wire", "a b"]})

    assert read_payment_methods(body.encode()) == PaymentMethodChoice(
        payment_methods=(
            PaymentMethodOffer(
                id="CARD",
                required_field_elements=("NAME",),
                show_field_elements=("POSTAL_CODE",),
                supported_product_types=("ONE_TIME",),
                variants=("VISA", "DINNERS"),
            ),
            PaymentMethodOffer(id="CASHAPP"),
        ),
        hide_payment_methods=("WIRE",),
    )


def test_session_without_lists_offers_nothing() -> None:
    """A session that names no methods has none that are known."""
    assert PaymentMethodChoice(payment_methods=(), hide_payment_methods=()) == read_payment_methods(GOOD)


@pytest.mark.parametrize(
    "member",
    [
        {"quantity": 2**70},
        {"quantity": -5},
        {"productPath": "<script>alert(1)</script>"},
        {"productPath": "a\r\nX: 1"},
        {"productPath": ".."},
    ],
)
def test_line_that_no_cart_can_have(member: dict[str, object]) -> None:
    """A quantity that nothing could count, or a product that is no name, makes the answer unreadable."""
    answer = json.loads(GOOD)
    answer["cart"]["lineItems"][0] |= member

    with pytest.raises(UpstreamInvalidError):
        read_session(json.dumps(answer).encode())
