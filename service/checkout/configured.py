"""A configured checkout, and what becomes of a request in it before anybody is called."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from msgspec import Struct

from service.checkout.acceptance import Expectations
from service.checkout.buyer import Buyer
from service.checkout.enrichment import enrich
from service.checkout.errors import InvalidRequestError
from service.checkout.fingerprint import Hasher
from service.checkout.models import Order, OrderRequest
from service.checkout.policy import admit
from service.checkout.ports import Provider, SessionEditor, UpstreamRequest, Verifier
from service.checkout.preview import Preview, ShownRequest, explain, naming_quote
from service.checkout.quotes.claims import Quote, QuotedOrder
from service.checkout.quotes.quotes import Quotes
from service.checkout.reference import new_reference
from service.checkout.settings import CheckoutSettings


class Checkout(Struct, frozen=True, kw_only=True):
    """A configured checkout, its provider, and what the provider's answers must be like.

    `calls_per_minute` is what its upstream grants to all of its checkouts together; 0 where there is no limit.
    `calls_per_session` is how many the making of one may take.
    """

    name: str
    settings: CheckoutSettings
    provider: Provider
    expectations: Expectations
    show: Callable[[UpstreamRequest], ShownRequest]
    editor: SessionEditor | None = None
    verifier: Verifier | None = None
    calls_per_minute: int = 0
    calls_per_session: int = 1


class Wish(Struct, frozen=True, kw_only=True):
    """A request with what its quote adds, as policy and the provider's vocabulary let it pass."""

    request: OrderRequest
    buyer: Buyer
    quote: Quote | None


def admitted(checkout: Checkout, request: OrderRequest, buyer: Buyer, quotes: Quotes) -> Wish:
    """Join a request with its quote, and refuse what policy or the provider's vocabulary does not allow."""
    request, quote = quotes.applied(request, checkout.name, checkout.settings, buyer)
    admit(request, checkout.settings)
    checkout.provider.check(request)
    return Wish(request=request, buyer=buyer, quote=quote)


def check_quoted(checkout: Checkout, order: QuotedOrder, hasher: Hasher) -> None:
    """Refuse what will not be allowed either when the quote is used; who buys, and the cart, may still be to come."""
    admit(order, checkout.settings, is_whole=bool(order.items))
    checkout.provider.check(order)
    somebody = Wish(request=order, buyer=Buyer(), quote=None)
    with suppress(InvalidRequestError):
        checkout.provider.render(order_of(checkout, somebody, hasher, reference=""))


def order_of(checkout: Checkout, wish: Wish, hasher: Hasher, *, reference: str) -> Order:
    """The order that the provider is asked for."""
    buyer = wish.buyer
    return enrich(
        checkout.name,
        checkout.settings,
        wish.request,
        buyer,
        reference=reference,
        pseudonym=hasher.pseudonym(buyer.key) if buyer.key else None,
        quote=wish.quote,
    )


def preview(  # noqa: PLR0913, PLR0917  # each is another source of what is shown
    checkout: Checkout, request: OrderRequest, buyer: Buyer, hasher: Hasher, quotes: Quotes, now: datetime
) -> Preview:
    """What would be sent for a new session of this checkout, and why; pure.

    Raises:
        RequestRefusedError: policy says no.
    """
    wish = admitted(checkout, request, buyer, quotes)
    order = order_of(checkout, wish, hasher, reference=new_reference(now))
    shown = checkout.show(checkout.provider.render(order))
    rules = explain(checkout.name, checkout.settings, wish.request, buyer, order, checkout.provider.render, wish.quote)
    if wish.quote:
        rules = naming_quote(rules, request, wish.quote.order)
    return Preview(request=shown, fields=rules)
