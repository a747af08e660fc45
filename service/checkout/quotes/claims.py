"""What is asked for when a quote is wanted, what stands in one, and what is known of one that was verified."""

from datetime import datetime
from typing import Annotated, Literal, cast

import msgspec
from msgspec import Meta, Struct

from service.checkout.models import CurrencyCode, OrderRequest
from service.config.types import Sha256

LONGEST_TOKEN = 32768
BuyerKey = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{22,128}$(?!\n)")]


class QuotedOrder(
    OrderRequest, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, rename="camel"
):
    """What a quote lets its buyer have: a body of `POST /internal/checkout`, or any part of one."""

    checkout: Annotated[str, Meta(max_length=0, description="Stands beside the order: leave it out.")] = ""


class QuoteRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """The body of `POST /internal/quotes`.

    `buyerKey` binds it to a browser, `currency` to what its session must be in; with `once` it makes one session.
    """

    order: QuotedOrder
    expires_in: Annotated[
        int, Meta(ge=1, le=315_360_000, description="Seconds, up to `quotes.max_age_seconds`.", examples=[900])
    ]
    checkout: Annotated[str, Meta(max_length=64, examples=["default"])] = "default"
    buyer_key: BuyerKey | None = None
    currency: CurrencyCode | None = None
    once: bool = True


class Claims(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What is signed. Times are seconds since 1970."""

    iss: str
    aud: Literal["checkout-broker"]
    checkout: str
    live: bool
    order: QuotedOrder
    iat: int
    exp: int
    jti: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:-]{1,64}$(?!\n)")]
    once: bool = True
    buyer_key_sha256: Sha256 | None = None
    currency: CurrencyCode | None = None

    def encoded(self) -> bytes:
        """As JSON, without what is absent."""
        return msgspec.json.encode(_present(cast("object", msgspec.to_builtins(self))))


def _present(value: object) -> object:
    if isinstance(value, dict):
        return {name: _present(one) for name, one in value.items() if one is not None}
    if isinstance(value, (list, tuple)):
        return [_present(one) for one in value]
    return value


class Quote(Struct, frozen=True, kw_only=True):
    """A quote that was verified for one request."""

    id: str
    issuer: str
    order: OrderRequest
    live: bool
    once: bool
    expires_at: datetime
    currency: str | None = None


class SignedQuote(Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer of `POST /internal/quotes`: the token for a browser to carry, and its id."""

    quote: str
    id: str
    expires_at: datetime
