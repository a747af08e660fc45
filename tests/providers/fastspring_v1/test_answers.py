"""v1's answers in our words, beyond what the recorded exchanges show."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.checkout.errors import UpstreamInvalidError, UpstreamRejectedError
from service.checkout.models import ProviderSession
from service.providers.fastspring_v1.answers import our_field, read_refusal, read_session
from service.providers.fastspring_v1.settings import FastSpringV1Checkout
from tests.support.exchanges import exchanges

CHECKOUT = FastSpringV1Checkout(upstream="acme", live=True, storefront="acme.onfastspring.com")
GOOD = exchanges("fastspring_v1")["minimal"].answers.raw_body()


def session_with(**members: object) -> ProviderSession:
    return read_session(json.dumps(json.loads(GOOD) | members).encode(), CHECKOUT)


def fields_of(document: object) -> list[str]:
    return [error.field for error in read_refusal(json.dumps(document).encode()).errors]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("account", "accountId"),
        ("contact", "customer"),
        ("contact.email", "customer.email"),
        ("email", "customer.email"),
        ("contact.first", "customer.firstName"),
        ("contact.last", "customer.lastName"),
        ("contact.company", "customer.company"),
        ("contact.phone", "customer.phone"),
        ("contact.country", "country"),
        ("country", "country"),
        ("contact.language", "language"),
        ("lookup.custom", "lookup.custom"),
        ("tags.channel", "orderTags"),
        ("coupon", "coupon"),
        ("expiration", "expirationDays"),
        ("items", "items"),
        ("items[0]", "items[0]"),
        ("items[12].product", "items[12].product"),
        ("product", "items"),
        ("items.quantity", "items"),
        ("items[0].attributes.license", "items[0].attributes"),
        ("items[0].pricing", "items[0].pricing"),
        ("items[0].pricing.trialPrice.EUR", "items[0].pricing.trialPrice"),
        ("items[0].pricing.discountType", "items[0].pricing.discounts"),
        ("items[0].pricing.quantityDiscounts.1", "items[0].pricing.discounts"),
        # nothing of theirs passes
        ("contact.ada@example.org", "customer"),
        ("items[0]<script>", None),
        ("items[0].<script>", "items[0]"),
        ("items[99999]", None),
        ("itemsX", None),
        ("Account", None),
        ("account not found", None),
        ("", None),
    ],
)
def test_field_in_our_words(theirs: str, ours: str | None) -> None:
    """A path is translated step by step, ends before what we do not know, and is nothing where none of it is ours."""
    assert ours == our_field(theirs)


@pytest.mark.parametrize(
    ("document", "fields"),
    [
        ({"error": {"account": "account or contact required"}}, ["customer.email"]),
        ({"error": {"contact": "Purchaser account or contact required"}}, ["customer.email"]),
        ({"error": {"email": "taken", "coupon": 17, "ada@example.org": "no"}}, ["customer.email", "coupon"]),
        ({"error": "Account not found"}, ["accountId"]),
        ({"message": "ITEM EXISTS"}, ["items"]),
        ({"message": "required", "params": ["contact.email", "contact.email", 3, None]}, ["customer.email"]),
        ({"message": "contact.email required"}, ["customer.email"]),
        ({"errors": [{"field": "items[1].product", "message": "Item exists."}]}, ["items[1].product"]),
        ({"errors": {"field": "coupon"}, "params": "coupon", "message": {}, "error": []}, []),
        ({"errors": [["field"]]}, []),
        ([], []),
        (None, []),
    ],
)
def test_refusal_of_any_shape(document: object, fields: list[str]) -> None:
    """Each shape of error gives the fields that it is about, once; other JSON gives none."""
    assert fields == fields_of(document)


def test_first_word_on_a_field_counts() -> None:
    """A text that we know says more than the name of a field does."""
    refusal = read_refusal(b'{"message": "Invalid email format", "params": ["contact.email"]}')

    assert ["This is not an e-mail address."] == [error.detail for error in refusal.errors]


def test_refusal_names_at_most_32_fields() -> None:
    """A provider that finds a thousand faults does not make our answer as long."""
    assert 32 == len(fields_of({"errors": [{"field": f"items[{index}].quantity"} for index in range(1000)]}))


@pytest.mark.parametrize("result", ["error", "", "SUCCESS", 17, False, [], {}])
def test_any_other_result_is_a_refusal(result: object) -> None:
    """Only a success, or nothing about it, is one; the session beside it is not read."""
    with pytest.raises(UpstreamRejectedError):
        session_with(result=result)


@pytest.mark.parametrize(
    ("expires", "moment"),
    [(0, "1970-01-01T00:00:00+00:00"), (253_402_300_799_999, "9999-12-31T23:59:59+00:00")],
)
def test_expiry_is_in_utc_and_whole_seconds(expires: int, moment: str) -> None:
    """Milliseconds since 1970 are a moment, of which a part of a second is dropped."""
    assert moment == session_with(expires=expires).expires_at.isoformat()


@pytest.mark.parametrize("expires", [-1, 253_402_300_800_000, 10**30, 1.5e12, "1767348000000", None, True, []])
def test_expiry_must_be_a_moment(expires: object) -> None:
    """Seconds with a fraction, texts, and moments that no calendar of ours has are none."""
    with pytest.raises(UpstreamInvalidError):
        session_with(expires=expires)


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
    """Whatever bytes come, as a session or as a refusal, there is a result or one of the documented errors."""
    with contextlib.suppress(UpstreamInvalidError, UpstreamRejectedError):
        read_session(body, CHECKOUT)
    read_refusal(body)


@pytest.mark.parametrize(
    "member", [{"quantity": 2**70}, {"quantity": -5}, {"product": "<script>"}, {"product": "a\nb"}]
)
def test_line_that_no_cart_can_have(member: dict[str, object]) -> None:
    """A quantity that nothing could count, or a product that is no name, makes the answer unreadable."""
    with pytest.raises(UpstreamInvalidError):
        session_with(items=[{"product": "pro-license", "quantity": 1, **member}])
