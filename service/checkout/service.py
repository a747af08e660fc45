"""The use case, top to bottom: admit, enrich, re-use or create, accept, keep."""

import asyncio
import random
import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from service.checkout.acceptance import accept
from service.checkout.buyer import Buyer
from service.checkout.configured import Checkout, check, order_of, preview
from service.checkout.errors import (
    ProviderError,
    StoreRequiredError,
    UnknownCheckoutError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    at_upstream,
)
from service.checkout.fingerprint import Hasher
from service.checkout.flights import Flights
from service.checkout.models import Opener, Order, OrderRequest, ProviderSession, SessionItem
from service.checkout.ports import Clock, SessionStore
from service.checkout.preview import Preview
from service.checkout.reference import new_reference
from service.checkout.session import Session, TimelineEntry
from service.checkout.settings import CheckoutSettings

_PATIENCE_SECONDS = 8.0  # of a browser, all in all
_LOOK_AGAIN_SECONDS = (0.025, 0.1)
_LONGEST_REUSE = timedelta(days=31)  # whatever expiry a provider names


class Outcome(Struct, frozen=True, kw_only=True):
    """What an asker is given."""

    session: Session
    opener: Opener | None
    reused: bool


class Obtained(NamedTuple):
    """A session, and whether it was there before."""

    session: Session
    reused: bool


class CheckoutService:
    """Creates sessions and hands them out again."""

    def __init__(
        self,
        checkouts: Mapping[str, Checkout],
        sessions: SessionStore,
        hasher: Hasher,
        clock: Clock,
        flights: Flights[Obtained] | None = None,
    ) -> None:
        self._checkouts = checkouts
        self._sessions = sessions
        self._hasher = hasher
        self._clock = clock
        self._flights = flights or Flights()

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
        check(checkout, request)
        fingerprint = self._fingerprint(checkout, request, buyer)
        if fingerprint is None:
            return _outcome(checkout, await self._create(checkout, request, buyer, None))
        key = f"{fingerprint} {request.fresh}"
        obtained, is_first = await self._flights.join(
            key, lambda: self._obtain(checkout, request, buyer, fingerprint, unwanted=None)
        )
        if is_first and not obtained.reused:
            return _outcome(checkout, obtained.session)
        session = await self._with_return_urls(checkout, obtained.session, request)
        if session is None:
            another, _ = await self._flights.join(
                f"{key} {obtained.session.reference}",
                lambda: self._obtain(checkout, request, buyer, fingerprint, unwanted=obtained.session),
            )
            session = another.session
        return _outcome(checkout, session, reused=True)

    async def _obtain(
        self, checkout: Checkout, request: OrderRequest, buyer: Buyer, fingerprint: str, *, unwanted: Session | None
    ) -> Obtained:
        """The session of whoever makes it now, on whichever replica, or one that is made here.

        Raises:
            ProviderError: the provider gave no usable session, or nobody has made one in time.
        """
        claim, pass_over = secrets.token_bytes(16), b""
        wants_another = request.fresh
        ends_at = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
        while asyncio.get_running_loop().time() < ends_at:
            turn = await self._sessions.take_turn(fingerprint, claim, instead_of=pass_over)
            if turn.is_ours and not turn.is_shared:
                return Obtained(await self._create(checkout, request, buyer, fingerprint), reused=False)
            if turn.is_ours:
                async with self._sessions.turn(fingerprint, claim):
                    return Obtained(await self._create(checkout, request, buyer, fingerprint, claim), reused=False)
            if turn.session is None and not turn.mark:
                wants_another = False  # what is being made now is younger than the wish for another one
                await asyncio.sleep(random.uniform(*_LOOK_AGAIN_SECONDS))  # noqa: S311  # spreads those who wait
            elif turn.session and not wants_another and self._is_wanted(checkout, turn.session, fingerprint, unwanted):
                return Obtained(turn.session, reused=True)
            else:
                pass_over = turn.mark
        raise UpstreamTimeoutError("This checkout is being made by another request, which takes too long.")

    def _is_wanted(self, checkout: Checkout, session: Session, fingerprint: str, unwanted: Session | None) -> bool:
        is_same = unwanted is not None and session.reference == unwanted.reference
        return not is_same and self._is_reusable(checkout, session, fingerprint)

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
        order = order_of(checkout, request, buyer, self._hasher, reference="")
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

    def _is_reusable(self, checkout: Checkout, session: Session, fingerprint: str) -> bool:
        is_ours = session.fingerprint == fingerprint and session.state == "open"
        return is_ours and self._reusable_for(checkout, session) > timedelta()

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
        self,
        checkout: Checkout,
        request: OrderRequest,
        buyer: Buyer,
        fingerprint: str | None,
        claim: bytes | None = None,
    ) -> Session:
        reference = new_reference(self._clock())
        order = order_of(checkout, request, buyer, self._hasher, reference=reference)
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
        await self._sessions.save(session, reusable_for=self._reusable_for(checkout, session), claim=claim)
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


def _outcome(checkout: Checkout, session: Session, *, reused: bool = False) -> Outcome:
    return Outcome(session=session, opener=checkout.provider.opener(session), reused=reused)


def _fallback_url(settings: CheckoutSettings, order: Order) -> str | None:
    # A product is of a closed alphabet that needs no encoding in a path.
    return settings.fallback_url and settings.fallback_url.replace("{product}", order.items[0].product)
