"""Settings that are read and checked although the features behind them are still to come; `check` says so.

Each struct moves beside its feature when that arrives.
"""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from service.config.secret import Secret
from service.config.types import HttpsUrl, url_fault

SessionEvent = Annotated[
    str,
    Meta(
        pattern=r"^session\.(minted|reused|pending|completed|failed|refunded|charged_back|expired|abandoned|retired"
        r"|changed|mismatch)$(?!\n)",
        examples=["session.completed"],
    ),
]


class OutgoingSettings(Struct, frozen=True, kw_only=True):
    """`[[outgoing]]`: a webhook of ours to a system of the shop."""

    url: HttpsUrl
    secret: Secret
    events: Annotated[tuple[SessionEvent, ...], Meta(min_length=1)]

    def faults(self) -> Iterator[tuple[str, str]]:
        """Rules over several keys."""
        if fault := url_fault(self.url):
            yield "url", fault
