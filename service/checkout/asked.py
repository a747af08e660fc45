"""A request that was let in: what is wanted of which checkout, by whom, by which quote, and its fingerprint."""

import asyncio
from datetime import datetime, timedelta

from msgspec.structs import replace

from service.checkout.buyer import Buyer
from service.checkout.configured import Checkout, Wish, admitted, order_of
from service.checkout.fingerprint import Hasher
from service.checkout.models import Order, OrderRequest
from service.checkout.quotes.quotes import Quotes
from service.checkout.session import Session
from service.checkout.settings import BROKER_REFERENCE, CheckoutSettings

PATIENCE_SECONDS = 8.0  # of a browser, all in all
_LONGEST_REUSE = timedelta(days=31)  # whatever expiry a provider names


class Asked(Wish, frozen=True, kw_only=True):
    """A wish to a checkout; two of one fingerprint are the same.

    `order` is what the provider is asked for, but for our reference. It has to be answered by `answer_by`, in the
    loop's time, whatever it has to wait for.
    """

    checkout: Checkout
    order: Order
    fingerprint: str
    answer_by: float

    def order_with(self, reference: str, hasher: Hasher) -> Order:
        """The order with our reference."""
        if any("{reference}" in template for template in self.checkout.settings.order_tags.values()):
            return order_of(self.checkout, self, hasher, reference=reference)
        tags = {**(self.order.order_tags or {}), BROKER_REFERENCE: reference}
        return replace(self.order, reference=reference, order_tags=tags)


def ask(checkout: Checkout, request: OrderRequest, buyer: Buyer, hasher: Hasher, quotes: Quotes) -> Asked:
    """Let a request in.

    It is rendered, which also refuses values that the provider cannot express before anything is called. Our reference
    and the buyer's address are left out, as neither makes it another request.

    Raises:
        RequestRefusedError: policy says no, or the quote is not valid.
    """
    wish = admitted(checkout, request, buyer, quotes)
    order = order_of(checkout, wish, hasher, reference="")
    rendered = checkout.provider.render(order if order.buyer_ip is None else replace(order, buyer_ip=None))
    fingerprint = hasher.fingerprint(
        rendered,
        buyer_key=buyer.key or "",
        upstream=checkout.settings.upstream,
        checkout=checkout.name,
        live=order.live,
        quote=wish.quote.id if wish.quote else None,
    )
    answer_by = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    return Asked(
        checkout=checkout,
        request=wish.request,
        buyer=buyer,
        quote=wish.quote,
        order=order,
        fingerprint=fingerprint,
        answer_by=answer_by,
    )


def reusable_for(session: Session, settings: CheckoutSettings, now: datetime) -> timedelta:
    """How much longer a session may be handed out again: until its expiry minus the margin, or the set limit."""
    expires_at = min(session.expires_at, session.created_at + _LONGEST_REUSE)
    until_expiry = expires_at - timedelta(seconds=settings.expiry_margin_seconds) - now
    if settings.reuse_seconds is None:
        return until_expiry
    return min(until_expiry, session.created_at + timedelta(seconds=settings.reuse_seconds) - now)
