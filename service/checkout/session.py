"""What the service keeps of a session: the record, its states and its timeline."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from service.checkout.models import Money, SessionItem, UpstreamWarning

State = Literal["open", "pending", "completed", "refunded", "charged_back", "expired", "abandoned", "retired"]
Event = Literal[
    "minted",
    "reused",
    "pending",
    "completed",
    "failed",
    "refunded",
    "charged_back",
    "expired",
    "abandoned",
    "retired",
    "changed",
    "mismatch",
]
BrowserState = Literal["open", "pending", "completed", "expired"]
_BROWSER_STATES: dict[State, BrowserState] = {
    "open": "open",
    "pending": "pending",
    "completed": "completed",
    "refunded": "completed",
    "charged_back": "completed",
    "expired": "expired",
    "abandoned": "expired",
    "retired": "expired",
}


class TimelineEntry(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """One thing that happened to a session."""

    at: datetime
    event: Event
    order: str | None = None


class PlacedOrder(Struct, frozen=True, kw_only=True, rename="camel"):
    """The provider's order that a session ended in."""

    id: str
    reference: str | None = None
    total: str | None = None
    currency: str | None = None


class Session(Struct, frozen=True, kw_only=True, rename="camel"):
    """One session, as stored. `buyer` and `fingerprint` are keyed hashes."""

    reference: str
    checkout: str
    upstream: str
    provider: str
    session_id: str
    token: str | None
    checkout_url: str
    state: State
    live: bool | None
    country: str | None
    currency: str | None
    total: Money | None
    items: tuple[SessionItem, ...]
    tags: dict[str, str]
    warnings: tuple[UpstreamWarning, ...]
    caller: str | None
    quote: str | None
    created_at: datetime
    expires_at: datetime
    order: PlacedOrder | None = None
    return_url: str | None = None
    cancel_url: str | None = None
    buyer: str | None = None
    fingerprint: str | None = None
    alarms: tuple[str, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()

    def state_at(self, now: datetime) -> State:
        """The state with the clock considered: an open session whose time is over has expired."""
        return "expired" if self.state == "open" and now >= self.expires_at else self.state

    def browser_state_at(self, now: datetime) -> BrowserState:
        """The coarser state that a browser is told."""
        return _BROWSER_STATES[self.state_at(now)]
