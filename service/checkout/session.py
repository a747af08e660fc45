"""What the service keeps of a session: the record, its states and its timeline."""

from datetime import datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

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
_CHANGING: frozenset[Event] = frozenset({"changed", "mismatch"})
_UNLINKING: frozenset[Event] = frozenset({"changed", "mismatch", "retired"})
_LONGEST_TIMELINE = 200  # a record stays of a size, whatever is done to it; how it began is kept
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


class PaymentMethodOffer(Struct, frozen=True, kw_only=True, rename="camel"):
    """A payment method that a session's buyer is offered, in the provider's words; words that are none are left out."""

    id: str
    required_field_elements: tuple[str, ...] = ()
    show_field_elements: tuple[str, ...] = ()
    supported_product_types: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()


class PaymentMethodChoice(Struct, frozen=True, kw_only=True, rename="camel"):
    """The payment methods of a session in their order, and those that are hidden."""

    payment_methods: tuple[PaymentMethodOffer, ...]
    hide_payment_methods: tuple[str, ...]


class Session(Struct, frozen=True, kw_only=True, rename="camel"):
    """One session, as stored. `buyer` and `fingerprint` are keyed hashes; its provider was asked at `verified_at`."""

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
    language: str | None = None
    return_url: str | None = None
    cancel_url: str | None = None
    buyer: str | None = None
    fingerprint: str | None = None
    verified_at: datetime | None = None
    alarms: tuple[str, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()

    def after(self, event: Event, at: datetime, **changes: object) -> "Session":
        """The session with something that happened to it, and what that changed."""
        first, rest = self.timeline[:1], self.timeline[1:][2 - _LONGEST_TIMELINE :]
        entry = TimelineEntry(at=at.replace(microsecond=0), event=event)
        return replace(self, timeline=(*first, *rest, entry), **changes)

    def retired(self, now: datetime) -> "Session":
        """The session retired; one that is paid or over already stays what it is.

        One whose payment is under way stays pending, and is not handed out again should that fail.
        """
        if self.state == "pending" and not self.was_retired:
            return self.after("retired", now)
        return self.after("retired", now, state="retired") if self.state_at(now) == "open" else self

    @property
    def was_changed(self) -> bool:
        """Whether a caller changed it: then it is not what its buyer asked for."""
        return any(entry.event in _CHANGING for entry in self.timeline)

    @property
    def was_retired(self) -> bool:
        """Whether it must not be handed out again, whatever becomes of a payment of it."""
        return any(entry.event == "retired" for entry in self.timeline)

    @property
    def is_linked(self) -> bool:
        """Whether its fingerprint may lead to it: it may be handed out again, or a payment of it is under way."""
        return self.state in {"open", "pending"} and not any(entry.event in _UNLINKING for entry in self.timeline)

    def state_at(self, now: datetime) -> State:
        """The state with the clock considered: an open session whose time is over has expired."""
        return "expired" if self.state == "open" and now >= self.expires_at else self.state

    def browser_state_at(self, now: datetime) -> BrowserState:
        """The coarser state that a browser is told."""
        return _BROWSER_STATES[self.state_at(now)]
