"""The use case, top to bottom: admit, enrich, re-use or create, accept, keep."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from service.checkout.acceptance import Expectations, accept
from service.checkout.buyer import Buyer
from service.checkout.enrichment import enrich
from service.checkout.errors import (
    InvalidQuoteError,
    ProviderError,
    StoreRequiredError,
    UnknownCheckoutError,
    UpstreamRejectedError,
    at_upstream,
)
from service.checkout.fingerprint import Hasher
from service.checkout.models import Opener, Order, OrderRequest, ProviderSession, SessionItem
from service.checkout.policy import admit
from service.checkout.ports import Clock, Provider, SessionEditor, SessionStore, UpstreamRequest
from service.checkout.preview import Preview, ShownRequest, explain
from service.checkout.reference import new_reference
from service.checkout.session import Session, TimelineEntry
from service.checkout.settings import CheckoutSettings

_LONGEST_REUSE = timedelta(days=31)  # whatever expiry a provider names


class Checkout(Struct, frozen=True, kw_only=True):
    """A configured checkout, its provider, and what the provider's answers must be like."""

    name: str
    settings: CheckoutSettings
    provider: Provider
    expectations: Expectations
    show: Callable[[UpstreamRequest], ShownRequest]
    editor: SessionEditor | None = None


class Outcome(Struct, frozen=True, kw_only=True):
    """What an asker is given."""

    session: Session
    opener: Opener | None
    reused: bool


class CheckoutService:
    """Creates sessions and hands them out again."""

    def __init__(self, checkouts: Mapping[str, Checkout], sessions: SessionStore, hasher: Hasher, clock: Clock) -> None:
        self._checkouts = checkouts
        self._sessions = sessions
        self._hasher = hasher
        self._clock = clock

    def checkout(self, name: str) -> Checkout:
        """A checkout by its name.

        Raises:
            UnknownCheckoutError: none has this name.
        """
        if checkout := self._checkouts.get(name):
            return checkout
        raise UnknownCheckoutError

    async def create(self, request: OrderRequest, buyer: Buyer) -> Outcome:
        """The session for this buyer and request: the present one, or a new one.

        Raises:
            RequestRefusedError: policy says no.
            ProviderError: the provider gave no usable session.
        """
        checkout = self.checkout(request.checkout)
        _check(checkout, request)
        fingerprint = self._fingerprint(checkout, request, buyer)
        if fingerprint and not request.fresh and (session := await self._reusable(checkout, fingerprint)):
            reused = await self._with_return_urls(checkout, session, request)
            if reused:
                return Outcome(session=reused, opener=checkout.provider.opener(reused), reused=True)
        session = await self._create(checkout, request, buyer, fingerprint)
        return Outcome(session=session, opener=checkout.provider.opener(session), reused=False)

    def preview(self, request: OrderRequest, buyer: Buyer) -> Preview:
        """What `create` would send for a new session, and why; sends nothing.

        Raises:
            RequestRefusedError: policy says no.
        """
        return preview(self.checkout(request.checkout), request, buyer, self._hasher, self._clock())

    def _fingerprint(self, checkout: Checkout, request: OrderRequest, buyer: Buyer) -> str | None:
        """None without a buyer key: then nothing is re-used.

        Rendering also refuses values that the provider cannot express, before anything is called. Our reference and
        the buyer's address are left out, as neither makes it another request.
        """
        order = _order(checkout, request, buyer, self._hasher, reference="")
        rendered = checkout.provider.render(replace(order, buyer_ip=None))
        if not buyer.key:
            return None
        return self._hasher.fingerprint(
            rendered,
            buyer_key=buyer.key,
            upstream=checkout.settings.upstream,
            checkout=checkout.name,
            live=order.live,
            quote=None,
        )

    async def _reusable(self, checkout: Checkout, fingerprint: str) -> Session | None:
        session = await self._sessions.find_reusable(fingerprint)
        is_ours = session is not None and session.fingerprint == fingerprint and session.state == "open"
        return session if session and is_ours and self._reusable_for(checkout, session) > timedelta() else None

    async def _with_return_urls(self, checkout: Checkout, session: Session, request: OrderRequest) -> Session | None:
        """A buyer who comes from another page goes back to that page, also where the provider takes no such address.

        The record is asked in any case, as what is handed out again is a copy that has the addresses of the first time.
        None when the record says that it was retired or changed in this moment.
        """
        if not checkout.settings.return_urls:
            return session
        urls = {"return_url": request.return_url, "cancel_url": request.cancel_url}

        async def with_urls(record: Session) -> Session:
            return replace(record, **urls)

        with suppress(StoreRequiredError):  # the checkout goes on; only the way back is the one of before
            record = await self._sessions.update(session.reference, with_urls)
            if record and (record.state != "open" or record.was_changed):
                return None
        return replace(session, **urls)

    def _reusable_for(self, checkout: Checkout, session: Session) -> timedelta:
        """How much longer a session may be handed out again: until its expiry minus the margin, or the set limit."""
        now, settings = self._clock(), checkout.settings
        expires_at = min(session.expires_at, session.created_at + _LONGEST_REUSE)
        until_expiry = expires_at - timedelta(seconds=settings.expiry_margin_seconds) - now
        if settings.reuse_seconds is None:
            return until_expiry
        return min(until_expiry, session.created_at + timedelta(seconds=settings.reuse_seconds) - now)

    async def _create(
        self, checkout: Checkout, request: OrderRequest, buyer: Buyer, fingerprint: str | None
    ) -> Session:
        reference = new_reference(self._clock())
        order = _order(checkout, request, buyer, self._hasher, reference=reference)
        try:
            with at_upstream(checkout.settings.upstream):
                answer = await checkout.provider.create(order)
                margin = timedelta(seconds=checkout.settings.expiry_margin_seconds)
                accept(order, answer, checkout.expectations, expires_after=self._clock() + margin)
        except ProviderError as error:
            if not isinstance(error, UpstreamRejectedError):  # that one is mended, not gone around
                error.fallback_url = _fallback_url(checkout.settings, order)
            raise
        session = self._record(checkout, order, answer, buyer, fingerprint)
        await self._sessions.save(session, reusable_for=self._reusable_for(checkout, session))
        return session

    def _record(
        self, checkout: Checkout, order: Order, answer: ProviderSession, buyer: Buyer, fingerprint: str | None
    ) -> Session:
        now = self._clock().replace(microsecond=0)
        ordered = tuple(SessionItem(product=item.product, quantity=item.quantity) for item in order.items)
        return Session(
            reference=order.reference,
            checkout=checkout.name,
            upstream=checkout.settings.upstream,
            provider=checkout.provider.name,
            session_id=answer.session_id,
            token=answer.token,
            checkout_url=answer.checkout_url,
            state="open",
            live=answer.live,
            country=answer.country,
            currency=answer.currency,
            total=answer.total,
            items=answer.items or ordered,
            tags=order.order_tags or {},
            warnings=answer.warnings,
            caller=buyer.caller,
            quote=None,
            created_at=now,
            expires_at=answer.expires_at,
            language=order.language,
            return_url=order.return_url,
            cancel_url=order.cancel_url,
            buyer=self._hasher.buyer(buyer.key) if buyer.key else None,
            fingerprint=fingerprint,
            timeline=(TimelineEntry(at=now, event="minted"),),
        )


def preview(checkout: Checkout, request: OrderRequest, buyer: Buyer, hasher: Hasher, now: datetime) -> Preview:
    """What would be sent for a new session of this checkout, and why; pure.

    Raises:
        RequestRefusedError: policy says no.
    """
    _check(checkout, request)
    order = _order(checkout, request, buyer, hasher, reference=new_reference(now))
    shown = checkout.show(checkout.provider.render(order))
    rules = explain(checkout.name, checkout.settings, request, buyer, order, checkout.provider.render)
    return Preview(request=shown, fields=rules)


def _check(checkout: Checkout, request: OrderRequest) -> None:
    """Refuse what policy or the provider's vocabulary does not allow."""
    _refuse_quote(request)
    admit(request, checkout.settings)
    checkout.provider.check(request)


def _order(checkout: Checkout, request: OrderRequest, buyer: Buyer, hasher: Hasher, *, reference: str) -> Order:
    pseudonym = hasher.pseudonym(buyer.key) if buyer.key else None
    return enrich(checkout.name, checkout.settings, request, buyer, reference=reference, pseudonym=pseudonym)


def _refuse_quote(request: OrderRequest) -> None:
    """Quotes need signing keys, and none can be in force yet; taking one for granted would let a buyer set a price."""
    if request.quote:
        raise InvalidQuoteError("This quote cannot be accepted.")


def _fallback_url(settings: CheckoutSettings, order: Order) -> str | None:
    # A product is of a closed alphabet that needs no encoding in a path.
    return settings.fallback_url and settings.fallback_url.replace("{product}", order.items[0].product)
