"""The use case, top to bottom: let in, repeat what was answered, hand out again or create; and what goes before it."""

from collections.abc import Mapping
from contextlib import suppress

from msgspec.structs import replace

from service.checkout.asked import Asked, ask
from service.checkout.buyer import Buyer
from service.checkout.configured import Checkout, check_quoted, preview
from service.checkout.errors import StoreRequiredError, UnknownCheckoutError
from service.checkout.fields import fields_inside
from service.checkout.fingerprint import Hasher
from service.checkout.flights import Flights
from service.checkout.limits import Limits
from service.checkout.minting import Minter
from service.checkout.models import OrderRequest
from service.checkout.outcome import Outcome
from service.checkout.payer import paying
from service.checkout.ports import Clock, QuoteStore, ReplayStore, SessionStore
from service.checkout.preview import Preview
from service.checkout.quotes.claims import QuoteRequest, SignedQuote
from service.checkout.quotes.quotes import Quotes, refuse_misplaced
from service.checkout.replays import Replays
from service.checkout.reuse import Obtained, Reuse
from service.checkout.session import Session


class SharedFlights:
    """What is being made in this process now; it outlives a change of the settings."""

    def __init__(self) -> None:
        self.sessions: Flights[Obtained] = Flights()
        self.answers: Flights[Outcome] = Flights()


class CheckoutService:
    """Creates sessions and hands them out again."""

    def __init__(  # noqa: PLR0913  # the ports
        self,
        checkouts: Mapping[str, Checkout],
        sessions: SessionStore,
        replays: ReplayStore,
        hasher: Hasher,
        clock: Clock,
        *,
        burned: QuoteStore,
        quotes: Quotes,
        limits: Limits,
        flights: SharedFlights | None = None,
    ) -> None:
        flights = flights or SharedFlights()
        self._checkouts = checkouts
        self._sessions = sessions
        self._quotes = quotes
        self._hasher = hasher
        self._clock = clock
        self._flights = flights.sessions
        self._limits = limits
        self._minter = Minter(sessions, burned, limits, hasher, clock)
        self._reuse = Reuse(sessions, limits, self._minter, clock)
        self._replays = Replays(replays, self._reuse, hasher, clock, flights.answers)

    def checkout(self, name: str) -> Checkout:
        """A checkout by its name.

        Raises:
            UnknownCheckoutError: none has this name.
        """
        if checkout := self._checkouts.get(name):
            return checkout
        raise UnknownCheckoutError

    async def create(self, request: OrderRequest, buyer: Buyer, idempotency_key: str | None = None) -> Outcome:
        """The session for this buyer and request: the present one, or a new one.

        Raises:
            RequestRefusedError: policy says no, the key belongs to another request, a payment is under way, the quote
                is not valid, or there were too many.
            StoreRequiredError: the store is down, and the quote may be used once.
            ProviderError: the provider gave no usable session.
        """
        asked = ask(self.checkout(request.checkout), request, buyer, self._hasher, self._quotes)
        with paying(self._limits.payer(buyer)):
            if idempotency_key is None:
                return await self._create(asked)
            return await self._replays.once(asked, idempotency_key, lambda: self._create(asked))

    def preview(self, request: OrderRequest, buyer: Buyer) -> Preview:
        """What `create` would send for a new session, and why; sends nothing.

        Raises:
            RequestRefusedError: policy says no.
        """
        return preview(self.checkout(request.checkout), request, buyer, self._hasher, self._quotes, self._clock())

    def sign_quote(self, wanted: QuoteRequest, caller: str) -> SignedQuote:
        """A quote of this caller's, whose order the checkout would let pass now.

        Raises:
            RequestRefusedError: policy says no, or no key signs for this caller; fields are named as `wanted` has them.
        """
        checkout = self.checkout(wanted.checkout)
        with fields_inside("order."):
            refuse_misplaced(wanted.order)
            check_quoted(checkout, wanted.order, self._hasher)
        return self._quotes.sign(wanted, checkout.settings, caller)

    async def _create(self, asked: Asked) -> Outcome:
        if not asked.buyer.key:
            return _outcome(asked, await self._minter.mint(asked))
        flight = f"{asked.fingerprint} {asked.request.fresh}"
        obtained, is_first = await self._flights.join(flight, lambda: self._reuse.obtain(asked))
        if is_first and not obtained.reused:
            return _outcome(asked, obtained.session)
        session = await self._with_return_urls(asked, obtained.session)
        if session is None:
            another, is_first = await self._flights.join(f"{flight} again", lambda: self._reuse.obtain(asked))
            return _outcome(asked, another.session, reused=another.reused or not is_first)
        return _outcome(asked, session, reused=True)

    async def _with_return_urls(self, asked: Asked, session: Session) -> Session | None:
        """A buyer who comes from another page goes back to that page, also where the provider takes no such address.

        None when the record says that it was retired or changed in this moment.
        """
        urls = {"return_url": asked.request.return_url, "cancel_url": asked.request.cancel_url}
        if (session.return_url, session.cancel_url) == tuple(urls.values()):
            return session

        async def with_urls(record: Session) -> Session:
            return replace(record, **urls) if record.state == "open" and record.is_linked else record

        with suppress(StoreRequiredError):  # the checkout goes on; only the way back is the one of before
            record = await self._sessions.update(session.reference, with_urls)
            if record and not (record.state == "open" and record.is_linked):
                return None
        return replace(session, **urls)


def _outcome(asked: Asked, session: Session, *, reused: bool = False) -> Outcome:
    return Outcome(session=session, opener=asked.checkout.provider.opener(session), reused=reused)
