"""Settings that are read and checked although the features behind them are still to come; `check` says so.

Each struct moves beside its feature when that arrives.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct

from service.config.secret import Secret
from service.config.types import HttpsUrl, OptionalCount, url_fault

SessionEvent = Annotated[
    str,
    Meta(
        pattern=r"^session\.(minted|reused|pending|completed|failed|refunded|charged_back|expired|abandoned|retired"
        r"|changed|mismatch)$(?!\n)",
        examples=["session.completed"],
    ),
]


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
