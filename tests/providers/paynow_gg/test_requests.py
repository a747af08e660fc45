"""Our order in PayNow's words, beyond what the recorded exchanges show."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from service.checkout.errors import InvalidRequestError
from service.checkout.models import Customer, Identity, Item, Order
from service.providers.paynow_gg.adapter import PayNow
from service.providers.paynow_gg.requests import management_request, promo_codes, storefront_request
from service.providers.paynow_gg.settings import PayNowCheckout
from tests.support.orders import NOW
from tests.support.upstream import client_of

CHECKOUT = PayNowCheckout(upstream="games", live=True, store_id="411486491630370816")
BY_NAME = replace(CHECKOUT, customer_identity="name", browser_identities=("minecraft_java_name",))
CUSTOMER = "411486491630370900"
ORDER = Order(items=(Item(product="411486491630370817"),), live=True, reference="cs_1", customer_id=CUSTOMER)
STEAM = replace(ORDER, customer_id=None, customer=Customer(identity=Identity(platform="steam", id="76561198152492642")))


def managed(order: Order, checkout: PayNowCheckout = CHECKOUT) -> Any:  # noqa: ANN401  # JSON
    return json.loads(management_request(order, checkout, order.customer_id).body)


def test_our_reference_is_set_by_nobody_else() -> None:
    """Tags and metadata merge, the caller's metadata above tags, and our reference above all."""
    order = replace(
        ORDER,
        order_tags={"a": "tag", "b": "tag", "broker_ref": "forged"},
        metadata={"b": "metadata", "c": "metadata", "broker_ref": "forged"},
    )

    assert {"a": "tag", "b": "metadata", "c": "metadata", "broker_ref": "cs_1"} == managed(order)["metadata"]


def test_what_both_contracts_want_is_always_sent() -> None:
    """`auto_redirect` and each line's `subscription` were required once and are valid now."""
    assert managed(ORDER)["auto_redirect"] is False
    assert managed(ORDER)["lines"][0]["subscription"] is False


@pytest.mark.parametrize(
    ("coupon", "codes", "sent"),
    [(None, None, ()), ("A", None, ("A",)), (None, ("B", "C"), ("B", "C")), ("A", ("B", "A", "B"), ("A", "B"))],
)
def test_codes_are_sent_once_each(coupon: str | None, codes: tuple[str, ...] | None, sent: tuple[str, ...]) -> None:
    """The coupon is the first of the codes, and none is sent twice."""
    assert sent == promo_codes(replace(ORDER, coupon=coupon, promo_codes=codes))


def test_empty_blocks_are_not_sent() -> None:
    """Billing details without content, and codes that there are none of, stay away."""
    body = managed(replace(ORDER, customer=Customer(), promo_codes=()))

    assert {"lines", "auto_redirect", "customer_id", "metadata"} == body.keys()


def test_the_connections_address_has_no_place_in_management() -> None:
    """An address that the connection told is not sent in management mode, and is a header in the other."""
    order = replace(ORDER, buyer_ip="8.8.4.4")

    assert management_request(ORDER, CHECKOUT, CUSTOMER) == management_request(order, CHECKOUT, CUSTOMER)
    assert {"x-paynow-customer-ip": "8.8.4.4"} == storefront_request(order, CHECKOUT).headers


def test_tags_have_no_place_in_the_storefront() -> None:
    """Tags that the service adds are left out there; they are on our record alone."""
    assert b"metadata" not in storefront_request(replace(ORDER, order_tags={"a": "b"}), CHECKOUT).body


def test_who_is_looked_up_first_is_named_beside_the_request() -> None:
    """Before the look-up there is no id in the body; two players make two requests all the same."""
    rendered = management_request(STEAM, CHECKOUT, None)
    other = replace(STEAM, customer=Customer(identity=Identity(platform="steam", id="76561198152492643")))

    assert b"customer_id" not in rendered.body
    assert "steam:76561198152492642" == rendered.customer
    assert rendered != management_request(other, CHECKOUT, None)
    assert management_request(ORDER, CHECKOUT, CUSTOMER).customer is None


def test_storefront_names_who_buys_and_shows_no_token() -> None:
    """A token is a credential: what stands beside the request is its digest, another one for another token."""
    own = replace(ORDER, customer_id=None, customer_token="pncus_secret")
    label = storefront_request(own, CHECKOUT).customer

    assert "id:411486491630370900" == storefront_request(ORDER, CHECKOUT).customer
    assert "pncus_secret" not in repr(storefront_request(own, CHECKOUT))
    assert label != storefront_request(replace(own, customer_token="pncus_other"), CHECKOUT).customer


@pytest.mark.parametrize(
    ("checkout", "field", "ways"),
    [
        (CHECKOUT, "customer.identity", ["`customerId` or `customer.identity` from a back end"]),
        (BY_NAME, "Buyer-Key", ["a Buyer-Key header", "minecraft_java_name", "`customerId`"]),
    ],
)
@pytest.mark.parametrize("mode", ["management", "storefront"])
async def test_nobody_cannot_buy(checkout: PayNowCheckout, field: str, ways: list[str], mode: str) -> None:
    """Without anything that says who buys, the refusal says what to send."""
    async with client_of("http://127.0.0.1:1") as client:
        provider = PayNow(replace(checkout, mode=mode), client, lambda: NOW)
        with pytest.raises(InvalidRequestError) as refused:
            provider.render(replace(ORDER, customer_id=None))
    [error] = refused.value.errors

    assert field == error.field
    assert [] == [way for way in ways if way not in error.detail]


def test_a_pseudonym_counts_only_where_it_is_configured() -> None:
    """A buyer key alone makes nobody a customer of a shop that did not ask for it."""
    order = replace(ORDER, customer_id=None, pseudonym="b1946ac9")

    assert "name:b1946ac9" == management_request(order, BY_NAME, None).customer
    with pytest.raises(InvalidRequestError):
        management_request(order, CHECKOUT, None)
