"""A configured checkout, and what becomes of a request in it before anybody is called."""

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from service.checkout.acceptance import Expectations
from service.checkout.buyer import Buyer
from service.checkout.enrichment import enrich
from service.checkout.errors import InvalidQuoteError
from service.checkout.fingerprint import Hasher
from service.checkout.models import Order, OrderRequest
from service.checkout.policy import admit
from service.checkout.ports import Provider, SessionEditor, UpstreamRequest, Verifier
from service.checkout.preview import Preview, ShownRequest, explain
from service.checkout.reference import new_reference
from service.checkout.settings import CheckoutSettings


class Checkout(Struct, frozen=True, kw_only=True):
    """A configured checkout, its provider, and what the provider's answers must be like."""

    name: str
    settings: CheckoutSettings
    provider: Provider
    expectations: Expectations
    show: Callable[[UpstreamRequest], ShownRequest]
    editor: SessionEditor | None = None
    verifier: Verifier | None = None


def check(checkout: Checkout, request: OrderRequest) -> None:
    """Refuse what policy or the provider's vocabulary does not allow."""
    _refuse_quote(request)
    admit(request, checkout.settings)
    checkout.provider.check(request)


def order_of(checkout: Checkout, request: OrderRequest, buyer: Buyer, hasher: Hasher, *, reference: str) -> Order:
    pseudonym = hasher.pseudonym(buyer.key) if buyer.key else None
    return enrich(checkout.name, checkout.settings, request, buyer, reference=reference, pseudonym=pseudonym)


def preview(checkout: Checkout, request: OrderRequest, buyer: Buyer, hasher: Hasher, now: datetime) -> Preview:
    """What would be sent for a new session of this checkout, and why; pure.

    Raises:
        RequestRefusedError: policy says no.
    """
    check(checkout, request)
    order = order_of(checkout, request, buyer, hasher, reference=new_reference(now))
    shown = checkout.show(checkout.provider.render(order))
    rules = explain(checkout.name, checkout.settings, request, buyer, order, checkout.provider.render)
    return Preview(request=shown, fields=rules)


def _refuse_quote(request: OrderRequest) -> None:
    """Quotes need signing keys, and none can be in force yet; taking one for granted would let a buyer set a price."""
    if request.quote:
        raise InvalidQuoteError("This quote cannot be accepted.")
