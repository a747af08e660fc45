"""Signs quotes, and takes those that were signed for this very use: checkout, mode, time, signer and buyer."""

import hmac
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec.structs import replace

from service.checkout.buyer import Buyer
from service.checkout.decoding import decode
from service.checkout.errors import (
    FieldError,
    InvalidQuoteError,
    InvalidRequestError,
    QuotesNotOfferedError,
    ScopeMissingError,
)
from service.checkout.models import OrderRequest
from service.checkout.ports import Clock
from service.checkout.quotes.claims import LONGEST_TOKEN, Claims, Quote, QuoteRequest, SignedQuote
from service.checkout.quotes.merging import over_browser, under_caller
from service.checkout.quotes.settings import QuotesSettings
from service.checkout.settings import CheckoutSettings

if TYPE_CHECKING:  # a library for tokens takes its time to load, and few shops have quotes
    from service.checkout.quotes.keys import Key

_CLOCKS_DIFFER_SECONDS = 60
_ID_BYTES = 18
_decoder = msgspec.json.Decoder(Claims)
T = TypeVar("T")

MayQuote = Callable[[str, str], bool]
"""Whether a caller exists, may sign quotes, and may use a checkout."""
NamedAddress = Callable[[str | None], str | None]
"""The usual spelling of a buyer's address; InvalidRequestError where it cannot be one."""


class Quotes:
    """Quotes by the keys of one configuration; without `settings` every quote is refused."""

    def __init__(
        self, settings: QuotesSettings | None, may_quote: MayQuote, named_address: NamedAddress, clock: Clock
    ) -> None:
        settings = settings or QuotesSettings()
        self._keys = _keys_of(settings)
        self._signer = self._keys.get(settings.sign_with or "")
        self._max_age_seconds = settings.max_age_seconds
        self._may_quote = may_quote
        self._named_address = named_address
        self._clock = clock

    def sign(self, wanted: QuoteRequest, checkout: CheckoutSettings, caller: str) -> SignedQuote:
        """A quote of this caller's, as it is wanted; whether its order is allowed was seen before.

        Raises:
            QuotesNotOfferedError: no key signs.
            ScopeMissingError: the key that signs is another caller's.
            InvalidRequestError: it would hold for too long, or be too long.
        """
        if self._signer is None:
            raise QuotesNotOfferedError
        if self._signer.caller not in {None, caller}:
            raise ScopeMissingError("The key that signs quotes is another caller's.")
        if wanted.expires_in > self._max_age_seconds:
            raise _unusable("expiresIn", f"At most {self._max_age_seconds} seconds are allowed.")
        issued_at = int(self._clock().timestamp())
        claims = Claims(
            iss=caller,
            aud="checkout-broker",
            checkout=wanted.checkout,
            live=_mode(wanted.order, checkout),
            order=wanted.order,
            iat=issued_at,
            exp=issued_at + wanted.expires_in,
            jti=secrets.token_urlsafe(_ID_BYTES),
            once=wanted.once,
            buyer_key_sha256=_digest(wanted.buyer_key) if wanted.buyer_key else None,
            currency=wanted.currency,
        )
        token = self._signer.sign(claims.encoded())
        if len(token) > LONGEST_TOKEN:
            raise _unusable("order", f"A quote has at most {LONGEST_TOKEN} characters: leave something out.")
        return SignedQuote(quote=token, id=claims.jti, expires_at=datetime.fromtimestamp(claims.exp, UTC))

    def applied(
        self, request: OrderRequest, name: str, checkout: CheckoutSettings, buyer: Buyer
    ) -> tuple[OrderRequest, Quote | None]:
        """What is asked for by a request and its quote together, and that quote; `request` itself where it has none.

        Raises:
            InvalidQuoteError: in the same words whatever is wrong with it.
            CartNotAllowedError: a browser contradicts its quote.
        """
        if request.quote is None:
            return request, None
        quote = self._read(request.quote, name, buyer)
        joined = under_caller(request, quote.order) if buyer.caller else over_browser(request, quote.order)
        if _mode(joined, checkout) != quote.live:
            raise InvalidQuoteError
        # One use is one session, which whoever used the quote is given again.
        return replace(joined, fresh=joined.fresh and not quote.once), quote

    def _read(self, token: str, checkout: str, buyer: Buyer) -> Quote:
        if not self._keys:
            raise InvalidQuoteError
        from service.checkout.quotes.keys import verified  # noqa: PLC0415  # loaded with the first key

        key, payload = verified(token, self._keys)
        try:
            claims = decode(_decoder, payload)
            refuse_misplaced(claims.order)
            order = replace(claims.order, buyer_ip=self._named_address(claims.order.buyer_ip))
        except InvalidRequestError as error:
            raise InvalidQuoteError from error
        holds = (
            claims.checkout == checkout
            and key.caller in {None, claims.iss}
            and self._may_quote(claims.iss, checkout)
            and self._is_of_now(claims)
            and _is_for(buyer, claims.buyer_key_sha256)
        )
        if not holds:
            raise InvalidQuoteError
        return Quote(
            id=claims.jti,
            issuer=claims.iss,
            order=order,
            live=claims.live,
            once=claims.once,
            expires_at=datetime.fromtimestamp(claims.exp, UTC),
            currency=claims.currency,
        )

    def _is_of_now(self, claims: Claims) -> bool:
        now = self._clock().timestamp()
        return claims.iat <= now + _CLOCKS_DIFFER_SECONDS and now < claims.exp <= claims.iat + self._max_age_seconds


def _keys_of(settings: QuotesSettings) -> "Mapping[str, Key]":
    if not settings.keys:
        return {}
    from service.checkout.quotes.keys import keys_of  # noqa: PLC0415  # few have any

    return keys_of(settings.keys)


def refuse_misplaced(order: OrderRequest) -> None:
    """Pass a quoted order without what only whoever uses the quote can say.

    Raises:
        InvalidRequestError: there is some of it; names each field.
    """
    said = {"quote": order.quote is not None, "challenge": order.challenge is not None, "fresh": order.fresh}
    detail = "Whoever uses the quote says this: leave it out."
    if errors := tuple(FieldError(field=name, detail=detail) for name, is_said in said.items() if is_said):
        raise InvalidRequestError("This quote cannot be signed.", errors=errors)


def _mode(request: OrderRequest, checkout: CheckoutSettings) -> bool:
    return checkout.live if request.live is None else request.live


def _is_for(buyer: Buyer, digest: str | None) -> bool:
    return digest is None or (buyer.key is not None and hmac.compare_digest(_digest(buyer.key), digest))


def _digest(buyer_key: str) -> str:
    return sha256(buyer_key.encode()).hexdigest()


def _unusable(field: str, detail: str) -> InvalidRequestError:
    return InvalidRequestError("This quote cannot be signed.", errors=(FieldError(field=field, detail=detail),))
