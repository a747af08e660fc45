"""When two requests are the same."""

from hashlib import blake2b
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from service.checkout.fingerprint import Hasher
from service.checkout.models import Item, Order, Pricing
from service.checkout.ports import UpstreamRequest
from service.providers.fastspring_v2.requests import encode, session_request
from tests.support.orders import ORDER

HASHER = Hasher(b"k" * 32)
BUYER_KEY = "b" * 24


def rendered(order: Order = ORDER) -> UpstreamRequest:
    return UpstreamRequest(method="POST", segments=("sessions",), body=encode(session_request(order)))


def fingerprint(
    order: Order = ORDER,
    *,
    buyer_key: str = BUYER_KEY,
    upstream: str = "acme",
    checkout: str = "default",
    live: bool = False,
) -> str:
    return HASHER.fingerprint(
        rendered(order), buyer_key=buyer_key, upstream=upstream, checkout=checkout, live=live, quote=None
    )


@pytest.mark.parametrize(
    "changes", [{"buyer_key": "c" * 24}, {"upstream": "other"}, {"checkout": "other"}, {"live": True}]
)
def test_other_circumstances_are_another_request(changes: dict[str, Any]) -> None:
    """Another buyer, upstream, checkout or mode is another request."""
    assert fingerprint() == fingerprint(replace(ORDER))
    assert fingerprint() != fingerprint(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"items": (Item(product="pro-license", quantity=3),)},
        {"items": (Item(product="other", quantity=2),)},
        {"items": (Item(product="pro-license", quantity=2, pricing=Pricing(price={"EUR": "1.00"})),)},
        {"items": (Item(product="pro-license", quantity=2, attributes={"license-name": "Ada"}),)},
        {"country": "DE"},
        {"language": "de"},
        {"coupon": "SPRING10"},
        {"order_tags": {"channel": "web"}},
        {"live": True},
        {"account_id": "a1"},
    ],
)
def test_anything_that_is_sent_makes_another_request(changes: dict[str, Any]) -> None:
    """A change of cart, price, country, tags or anything else in the upstream request changes the fingerprint."""
    assert fingerprint() != fingerprint(replace(ORDER, **changes))


def test_key_decides() -> None:
    """Without the key nobody can compute a fingerprint or a buyer's hash, and neither shows the buyer key."""
    other = Hasher(b"x" * 32)

    assert HASHER.buyer(BUYER_KEY) != other.buyer(BUYER_KEY)
    assert fingerprint() != other.fingerprint(
        rendered(), buyer_key=BUYER_KEY, upstream="acme", checkout="default", live=False, quote=None
    )
    assert BUYER_KEY not in HASHER.buyer(BUYER_KEY)


ASKED = st.tuples(
    st.binary(max_size=8),
    st.text("ab:\x00", max_size=4),
    st.text("ab:\x00", max_size=4),
    st.text("ab:\x00", max_size=4),
    st.booleans(),
    st.none() | st.text("ab:\x00", max_size=4),
)


@settings(deadline=None, derandomize=True, max_examples=500)
@given(ASKED, ASKED)
def test_no_two_requests_are_taken_for_one(one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    """Two fingerprints are equal exactly when every part is: no part can flow over into the next."""

    def of(parts: tuple[Any, ...]) -> str:
        body, buyer_key, upstream, checkout, live, quote = parts
        request = UpstreamRequest(method="POST", segments=("sessions",), body=body)
        return HASHER.fingerprint(
            request, buyer_key=buyer_key, upstream=upstream, checkout=checkout, live=live, quote=quote
        )

    assert (one == other) == (of(one) == of(other))


def test_hashes_stay_what_they_are() -> None:
    """A hash is BLAKE2b, keyed, of one purpose, whatever was hashed before: replicas and stored records agree on it."""
    for buyer_key in (BUYER_KEY, "c" * 24, BUYER_KEY):
        expected = blake2b(buyer_key.encode(), digest_size=20, key=b"k" * 32, person=b"buyer").hexdigest()
        assert expected == HASHER.buyer(buyer_key)
        assert expected != HASHER.pseudonym(buyer_key)
