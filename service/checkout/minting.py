"""Makes a new session: the order, the provider's answer, its acceptance, and the record."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from service.checkout.acceptance import accept
from service.checkout.asked import Asked, reusable_for
from service.checkout.errors import (
    InvalidQuoteError,
    ProviderError,
    StoreRequiredError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
)
from service.checkout.fingerprint import Hasher
from service.checkout.limits import Limits
from service.checkout.models import Order, ProviderSession, SessionItem
from service.checkout.ports import Clock, QuoteStore, SessionStore
from service.checkout.quotes.claims import Quote
from service.checkout.reference import group_of, new_reference
from service.checkout.session import Session, TimelineEntry

_HANDED_OVER_WITHIN = timedelta(seconds=2)  # to those who wait for it on other replicas, also where nothing is re-used
_CLOCKS_DIFFER = timedelta(minutes=2)  # a replica may be behind, and take for good what has just expired here


class Minter:
    """Makes sessions."""

    def __init__(
        self, sessions: SessionStore, quotes: QuoteStore, limits: Limits, hasher: Hasher, clock: Clock
    ) -> None:
        self._sessions = sessions
        self._quotes = quotes
        self._limits = limits
        self._hasher = hasher
        self._clock = clock

    async def mint(self, asked: Asked, claim: bytes | None = None) -> Session:
        """A new session, kept; `claim` is that of the turn it is made in. The buyer's session before it is retired.

        Raises:
            InvalidQuoteError: its quote was used before.
            RateLimitedError, ChallengeRequiredError: there were too many.
            StoreRequiredError: the store is down, and the quote may be used once.
            ProviderError: the provider gave no usable session.
        """
        checkout, settings = asked.checkout, asked.checkout.settings
        reference = new_reference(self._clock(), group_of(asked.fingerprint) if asked.buyer.key else None)
        order = asked.order_with(reference, self._hasher)
        if asked.quote and asked.quote.once:
            async with self._burning(asked.quote, reference):
                answer = await self._answer(asked, order)
        else:
            answer = await self._answer(asked, order)
        await self._limits.paid.note(checkout.name, "minted")
        session = self._record(asked, order, answer)
        lasting = max(reusable_for(session, settings, self._clock()), _HANDED_OVER_WITHIN)
        former = await self._sessions.save(session, reusable_for=lasting, claim=claim)
        if former is not None and former != reference:
            await self._retire(former)
        return session

    async def _answer(self, asked: Asked, order: Order) -> ProviderSession:
        """What the provider makes of an order, if it is what was asked for."""
        checkout, currency = asked.checkout, asked.quote.currency if asked.quote else None
        await self._limits.admit(asked, order)
        try:
            answer = await _in_time(asked, checkout.provider.create(order))
            expires_after = self._clock() + timedelta(seconds=checkout.settings.expiry_margin_seconds)
            accept(order, answer, checkout.expectations, expires_after=expires_after, currency=currency)
        except ProviderError as error:
            say_where(error, asked)
            raise
        return answer

    @asynccontextmanager
    async def _burning(self, quote: Quote, reference: str) -> AsyncGenerator[None]:
        """Use a single-use quote up, and give it back where no session comes of it."""
        place, is_made = self._hasher.quote(quote.issuer, quote.id), False
        lasting = quote.expires_at - self._clock() + _CLOCKS_DIFFER
        if not await self._quotes.burn(place, reference, lasting=lasting):
            raise InvalidQuoteError
        try:
            yield
            is_made = True
        finally:
            if not is_made:
                await self._quotes.give_back(place, reference)

    async def _retire(self, reference: str) -> None:
        """One live session for a buyer: another cart, or the wish for another session, ends the one before."""

        async def retired(record: Session) -> Session:
            return record if record.state == "pending" else record.retired(self._clock())

        with suppress(StoreRequiredError):  # the new one is there; the old one ends with its time
            await self._sessions.update(reference, retired)

    def _record(self, asked: Asked, order: Order, answer: ProviderSession) -> Session:
        now, buyer = self._clock().replace(microsecond=0), asked.buyer
        return Session(
            reference=order.reference,
            checkout=asked.checkout.name,
            upstream=asked.checkout.settings.upstream,
            provider=asked.checkout.provider.name,
            session_id=answer.session_id,
            token=answer.token,
            checkout_url=answer.checkout_url,
            state="open",
            live=answer.live,
            country=answer.country,
            currency=answer.currency,
            total=answer.total,
            items=answer.items or tuple(SessionItem(product=one.product, quantity=one.quantity) for one in order.items),
            tags=order.order_tags or {},
            warnings=answer.warnings,
            caller=buyer.caller,
            quote=asked.quote.id if asked.quote else None,
            created_at=now,
            expires_at=answer.expires_at,
            language=order.language,
            return_url=order.return_url,
            cancel_url=order.cancel_url,
            buyer=self._hasher.buyer(buyer.key) if buyer.key else None,
            fingerprint=asked.fingerprint if buyer.key else None,
            timeline=(TimelineEntry(at=now, event="minted"),),
        )


async def _in_time(asked: Asked, creating: Awaitable[ProviderSession]) -> ProviderSession:
    """The provider has a deadline of its own; who waited for their turn may have less time left."""
    try:
        async with asyncio.timeout_at(asked.answer_by):
            return await creating
    except TimeoutError as error:
        raise UpstreamTimeoutError("The provider did not answer in the time that was left.") from error


def say_where(error: ProviderError, asked: Asked) -> None:
    """Say of a provider's failure which account it was, and where else the buyer can go."""
    settings = asked.checkout.settings
    error.upstream = settings.upstream
    if settings.fallback_url and not isinstance(error, UpstreamRejectedError):  # that is mended, not gone around
        # A product is of a closed alphabet that needs no encoding in a path.
        error.fallback_url = settings.fallback_url.replace("{product}", asked.request.items[0].product)
