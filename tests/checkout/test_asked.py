"""A request that was let in, and the order that comes of it."""

import pytest
from msgspec.structs import replace

from service.checkout.acceptance import Expectations
from service.checkout.asked import ask
from service.checkout.buyer import Buyer
from service.checkout.configured import Checkout, order_of
from service.checkout.fingerprint import Hasher
from service.checkout.models import Item, OrderRequest
from service.checkout.quotes.quotes import Quotes
from tests.support.orders import CHECKOUT, REFERENCE, REQUEST, EchoProvider, SettableClock, shown

CLOCK = SettableClock()
HASHER = Hasher(b"k" * 32)
QUOTES = Quotes(None, lambda *_: False, lambda address: address, CLOCK)
BUYER = Buyer(key="b" * 24, address="8.8.4.4", origin="https://shop.example", accept_language="de-AT")


@pytest.mark.parametrize(
    "templates",
    [
        {},
        {"channel": "web"},
        {"page": "{origin}", "by": "{caller}"},
        {"ours": "{reference}"},
        {"channel": "web", "ours": "{country}/{reference}", "page": "{origin}"},
    ],
)
@pytest.mark.parametrize(
    "request_",
    [
        REQUEST,
        replace(REQUEST, order_tags={"channel": "phone", "ours": "mine"}, buyer_ip="1.1.1.1", live=True),
        replace(REQUEST, items=(Item(product="a", attributes={"license-name": "Ada"}),), coupon="SPRING10"),
    ],
)
@pytest.mark.parametrize("buyer", [BUYER, Buyer()])
async def test_order_is_the_one_that_would_be_made_of_the_request(
    templates: dict[str, str], request_: OrderRequest, buyer: Buyer
) -> None:
    """What is sent is what the request makes with our reference: every tag, in its place, and the buyer's address."""
    settings = replace(CHECKOUT, order_tags=templates, lock_quantity=True)
    checkout = Checkout(
        name="shop",
        settings=settings,
        provider=EchoProvider(CLOCK),
        expectations=Expectations(hosts=()),
        show=shown,
    )
    asked = ask(checkout, request_, buyer, HASHER, QUOTES)

    order = asked.order_with(REFERENCE, HASHER)

    expected = order_of(checkout, asked, HASHER, reference=REFERENCE)
    assert expected == order
    assert list((expected.order_tags or {}).items()) == list((order.order_tags or {}).items())
