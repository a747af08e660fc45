"""No cart of a browser sets a price: what a provider is sent about money is a quote's, or nothing."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.api.schemas import BrowserRequest
from service.checkout.buyer import Buyer
from service.checkout.decoding import decode
from service.checkout.enrichment import enrich
from service.checkout.errors import RequestRefusedError, RestrictedFieldError
from service.checkout.models import OrderRequest
from service.checkout.policy import admit
from service.checkout.ports import Provider
from service.checkout.settings import CheckoutSettings
from service.providers.calls import Calls
from service.providers.http import UpstreamClient
from service.providers.registry import discover
from tests.fuzz.mutations import UNCHECKED
from tests.support.exchanges import providers, settings_of
from tests.support.full import IN_FULL
from tests.support.orders import NOW, REFERENCE
from tests.support.quotes import claims, quotes, token
from tests.support.upstream import ASKING_ONCE, TIMEOUTS

EXAMPLES = 100_000 if IN_FULL else 3_000
# What decides about money in a body that is sent to a provider, at any depth.
MONEY = frozenset(
    "customPrice subscriptionOverrides price trialPrice paidTrial paymentCollected renew interval intervalLength"
    " discountType discountDuration quantityDiscounts inline_product payout_splits".split()
)
_decoder = msgspec.json.Decoder(BrowserRequest)
_order_decoder = msgspec.json.Decoder(OrderRequest)

AMOUNTS: st.SearchStrategy[object] = st.sampled_from(
    ["0", "0.01", "-1", "24.50", "1e400", str(2**70), "1", 1.0, 0, -1, True, None, [], {}, ""]
)
PRICE = AMOUNTS | st.dictionaries(st.sampled_from(["EUR", "USD", "eur", "JPY"]), AMOUNTS, max_size=2)
PRICING = PRICE | st.dictionaries(
    st.sampled_from(["price", "trial", "discounts", "setupFee", "interval"]), PRICE, max_size=2
)
NAMES = [
    *sorted(MONEY),
    "pricing",
    "Pricing",
    "custom_price",
    "unitPrice",
    "inlineProduct",
    "payoutSplits",
    "live",
    "x",
]
TRICK = st.dictionaries(st.sampled_from(NAMES), PRICING, min_size=1, max_size=2)
PRODUCTS = ("pro-license", "team-5", "411486491630370817", "411486491630370818")


def sometimes(strategy: st.SearchStrategy[Any], otherwise: object) -> st.SearchStrategy[Any]:
    """A tenth of these, as a cart of ten parts that may each be wrong should often be right."""
    return st.integers(0, 9).flatmap(lambda number: st.just(otherwise) if number else strategy)


ITEM = st.builds(
    lambda product, quantity, more, trick: {"product": product, "quantity": quantity} | more | trick,
    st.sampled_from(PRODUCTS),
    sometimes(AMOUNTS, 1) | st.sampled_from([1, 2, 100]),
    sometimes(st.fixed_dictionaries({}, optional={"subscription": st.booleans(), "trial": st.booleans()}), {}),
    sometimes(TRICK, {}),
)
SAME: list[dict[str, object]] = [{"product": "pro-license", "quantity": 2}, {"product": "team-5"}]
ITEMS = st.lists(ITEM, min_size=1, max_size=3, unique_by=lambda item: item["product"])
RIGHT = st.sampled_from([[], SAME, SAME[::-1]])
QUOTED_ITEMS = RIGHT | RIGHT | ITEMS | TRICK.map(lambda trick: [{**SAME[0], **trick}, SAME[1]])
BUYERS = st.integers(0, 2**32).map(lambda number: {"customer": {"email": f"{number}@example.org"}})
COUPONS = st.sampled_from([{"promoCodes": ["A"]}, {"coupon": "SPRING10", "country": "DE"}])  # beside a quote refused
OTHERS = sometimes(TRICK, {}) | BUYERS | BUYERS | sometimes(COUPONS, {"country": "DE"})


def carts(*, quoted: bool) -> st.SearchStrategy[dict[str, Any]]:
    """Bodies of browsers, good ones and such with tricks in every place."""
    return st.builds(lambda items, more: {"items": items} | more, QUOTED_ITEMS if quoted else ITEMS, OTHERS)


QUOTED: dict[str, Any] = {
    "items": [{"product": "pro-license", "quantity": 2, "pricing": {"price": {"EUR": "24.50"}}}, {"product": "team-5"}]
}


@cache
def provider_of(name: str) -> tuple[CheckoutSettings, Provider]:
    """A checkout of a provider, whose prices are only rendered."""
    upstream, checkout = settings_of(name, changes={"customer_identity": "name"} if name == "paynow_gg" else None)
    transport, calls = httpx.AsyncBaseTransport(), Calls("acme", ASKING_ONCE)
    client = UpstreamClient(upstream.base_url, upstream.authorizations(), TIMEOUTS, transport, calls)
    checkout = msgspec.structs.replace(checkout, live=False)
    return checkout, discover()[name].build(checkout, client, lambda: NOW)


def sent(name: str, request: OrderRequest) -> bytes:
    """The body that a provider would be sent for an admitted request.

    Raises:
        RequestRefusedError: it is refused before.
    """
    checkout, provider = provider_of(name)
    request, quote = quotes().applied(request, "default", checkout, Buyer())
    admit(request, checkout)
    provider.check(request)
    order = enrich("default", checkout, request, Buyer(), reference=REFERENCE, pseudonym="p" * 32, quote=quote)
    return provider.render(order).body


def money(document: object, path: str = "") -> Iterator[tuple[str, object]]:
    """What a body says about money, by place."""
    members = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for name, value in members:
        if name in MONEY:
            yield f"{path}/{name}", value
        elif name != "attributes":  # texts for the seller's eyes, of names that a checkout lists
            yield from money(value, f"{path}/{name}")


def browsers_request(name: str, cart: dict[str, Any]) -> OrderRequest:
    """The request that is made of a browser's body, as the route makes it.

    Raises:
        RequestRefusedError: it is refused before anything else of it is read.
    """
    request = decode(_decoder, json.dumps(cart).encode())
    order, (checkout, _) = request.to_order_request(), provider_of(name)
    if [*request.restricted_fields(), *checkout.refused_from_browsers(order)]:
        raise RestrictedFieldError("Refused.")
    return order


SIGNED = token(claims(order=QUOTED))
CASES = [*((name, None) for name in providers()), ("fastspring_v1", SIGNED), ("fastspring_v2", SIGNED)]


@pytest.mark.parametrize(
    ("name", "quote"), CASES, ids=[f"{name}-{'quoted' if quote else 'alone'}" for name, quote in CASES]
)
def test_price_is_a_quotes_or_none(name: str, quote: str | None) -> None:
    """For all carts: nothing about money reaches the provider but what the quote says, word for word."""
    quoted = dict(money(json.loads(sent(name, OrderRequest(quote=quote))))) if quote else {}
    extra, refused, examples = {"quote": quote} if quote else {}, 0, EXAMPLES // len(CASES)

    @settings(max_examples=examples, deadline=None, derandomize=True, database=None, suppress_health_check=UNCHECKED)
    @given(carts(quoted=quote is not None))
    def check(cart: dict[str, Any]) -> None:
        nonlocal refused
        try:
            body = json.loads(sent(name, browsers_request(name, cart | extra)))
        except RequestRefusedError:
            refused += 1
        else:
            assert quoted == dict(money(body)), cart

    check()

    print(f"prices: {name}, {examples:,} carts, of which {refused:,} were refused")  # noqa: T201  # the figure of the run
    assert bool(quoted) == bool(quote)
    assert examples * 0.05 < refused < examples * 0.95


@pytest.mark.parametrize("name", ["fastspring_v1", "fastspring_v2"])
def test_a_callers_price_would_be_seen(name: str) -> None:
    """The control: the same prices from a caller are found in the body."""
    order = decode(_order_decoder, json.dumps(QUOTED).encode())

    assert {} != dict(money(json.loads(sent(name, order))))
