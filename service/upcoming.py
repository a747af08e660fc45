"""Settings that are read and checked although the features behind them are still to come; `check` says so.

Each struct moves beside its feature when that arrives.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct

from service.config.secret import Secret
from service.config.types import HttpsUrl, Name, OptionalCount, Seconds, url_fault

SessionEvent = Annotated[
    str,
    Meta(
        pattern=r"^session\.(minted|reused|pending|completed|failed|refunded|charged_back|expired|abandoned|retired"
        r"|changed|mismatch)$(?!\n)",
        examples=["session.completed"],
    ),
]


class QuoteKey(Struct, frozen=True, kw_only=True):
    """`[quotes.keys.KID]`: a signing key; with `caller`, one that a shop's back end holds itself."""

    algorithm: Literal["HS256", "EdDSA"] = "HS256"
    caller: Name | None = None
    secret: Secret | None = None
    private_key: Secret | None = None
    public_key: Secret | None = None

    def faults(self) -> Iterator[tuple[str, str]]:
        """Rules over several keys."""
        if self.algorithm == "HS256":
            if self.secret is None:
                yield "secret", 'is required with HS256, for example { env = "QUOTE_SECRET" }'
            if self.private_key or self.public_key:
                yield "algorithm", "HS256 has no private or public key: remove them, or write EdDSA"
            return
        if self.secret is not None:
            yield "secret", "EdDSA has no shared secret: give `private_key` or `public_key`"
        if self.private_key is None and self.public_key is None:
            yield "public_key", "EdDSA needs `private_key` or `public_key`"


class QuotesSettings(Struct, frozen=True, kw_only=True):
    """`[quotes]`: signed quotes; every key verifies, `sign_with` signs."""

    sign_with: Name | None = None
    max_age_seconds: Seconds = 86400
    keys: dict[Name, QuoteKey] = {}

    def faults(self) -> Iterator[tuple[str, str]]:
        """Rules over several keys."""
        if self.sign_with is None:
            return
        key = self.keys.get(self.sign_with)
        if key is None:
            yield "sign_with", f"names no key: add [quotes.keys.{self.sign_with}]"
        elif key.algorithm == "EdDSA" and key.private_key is None:
            yield "sign_with", "names a key that cannot sign: give it a `private_key`"


class LimitsSettings(Struct, frozen=True, kw_only=True):
    """`[limits]`: sliding windows over what would call upstream; 0 turns one off."""

    mode: Literal["enforce", "observe"] = "enforce"
    per_ip_per_minute: OptionalCount = 20
    per_product_per_minute: OptionalCount = 600
    per_email_per_hour: OptionalCount = 20
    per_checkout_per_minute: OptionalCount = 1200
    paid_ratio_floor: Annotated[float, Meta(ge=0, le=1)] = 0.0


class ChallengeSettings(Struct, frozen=True, kw_only=True):
    """`[challenge]`: who verifies that a buyer is human."""

    provider: Literal["turnstile", "hcaptcha"]
    site_key: Annotated[str, Meta(min_length=1, max_length=256)]
    secret: Secret


class OutgoingSettings(Struct, frozen=True, kw_only=True):
    """`[[outgoing]]`: a webhook of ours to a system of the shop."""

    url: HttpsUrl
    secret: Secret
    events: Annotated[tuple[SessionEvent, ...], Meta(min_length=1)]

    def faults(self) -> Iterator[tuple[str, str]]:
        """Rules over several keys."""
        if fault := url_fault(self.url):
            yield "url", fault
