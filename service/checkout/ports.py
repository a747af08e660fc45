"""What the core needs from outside, as protocols: providers, the session store, the clock."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from service.checkout.models import (
    Customer,
    Item,
    Opener,
    Order,
    OrderRequest,
    ProviderSession,
)
from service.checkout.outcome import Replay
from service.checkout.session import PaymentMethodChoice, Session, State

Clock = Callable[[], datetime]
T = TypeVar("T")


class UpstreamRequest(Struct, frozen=True, kw_only=True):
    """The exact request to a provider, without credentials.

    Path segments are of a closed alphabet, letters, digits and `._~-`, that needs no encoding; query values may be any
    text. `route` stands for the path where ids are in it. `customer` names whom the provider's own customer or token
    is for, where that is looked up before the call and so is not in the request yet. `scheme` is that of an
    `Authorization` which is not the account's own.
    """

    method: str
    segments: tuple[str, ...]
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    headers: dict[str, str] = {}
    route: tuple[str, ...] | None = None
    customer: str | None = None
    scheme: str | None = None


class Provider(Protocol):
    """One checkout at one upstream account."""

    name: str

    def check(self, request: OrderRequest) -> None:
        """Pass what was asked for when the provider can express all of it; pure.

        Raises:
            UnsupportedFieldError: names every field that it cannot.
            RequestRefusedError: it could, but not so: something that belongs to a field is missing.
        """
        ...

    def render(self, order: Order) -> UpstreamRequest:
        """What `create` sends for a checked order; pure. What only the service added is left out where it has no place.

        Raises:
            UnsupportedFieldError: the provider cannot express a value, such as a currency.
        """
        ...

    async def create(self, order: Order) -> ProviderSession:
        """Make a session and read the answer.

        Raises:
            ProviderError: there is no usable answer, by kind.
        """
        ...

    def opener(self, session: Session) -> Opener | None:
        """How a page opens the popup of this session; None means redirect."""
        ...


class SessionEditor(Protocol):
    """What can be done with a session after it was made, at a provider that lets it be changed.

    Each call raises a ProviderError by kind; SessionEndedError when the provider does not know the session any more.
    Errors name fields as the order, customer or item that was given has them.
    """

    def for_one_change(self) -> "SessionEditor":
        """The same, with one deadline from now on for everything that is asked of it."""
        ...

    async def read(self, session_id: str) -> ProviderSession:
        """The session as it is now."""
        ...

    async def payment_methods(self, session_id: str) -> PaymentMethodChoice:
        """Which payment methods the session's buyer is offered."""
        ...

    async def replace(self, session_id: str, order: Order) -> None:
        """Put customer, cart and everything else of an order in the place of what was there."""
        ...

    async def replace_customer(self, session_id: str, customer: Customer) -> None:
        """Put a customer in the place of the one that was there."""
        ...

    async def add_item(self, session_id: str, item: Item, *, reference: str) -> None:
        """Add a line to the cart; `reference` is ours, for the line to carry."""
        ...

    async def update_item(self, session_id: str, item: Item, *, reference: str) -> None:
        """Put an item in the place of the line of the same product."""
        ...

    async def remove_item(self, session_id: str, product: str) -> None:
        """Take a product's line out of the cart."""
        ...


class Verifier(Protocol):
    """Asks a provider what became of a session that was made there."""

    async def state(self, session: Session) -> State:
        """Its state by the provider; `open` means that it can be paid as it is, and no payment was begun.

        Raises:
            ProviderError: there is no usable answer, by kind.
        """
        ...


class Turn(Struct, Generic[T], frozen=True, kw_only=True):
    """What became of asking for a turn: what was `found` with its `mark`, a `claim`, or else a wait.

    `found` is None beside a mark where it cannot be read. `is_shared` tells whether other processes know of our claim;
    they do not while the store is down. `note` is what whoever works now said of it.
    """

    found: T | None = None
    mark: bytes = b""
    claim: bytes | None = None
    is_shared: bool = True
    note: bytes = b""


class Turns(Protocol[T]):
    """One at a time makes what stands under a key, and all others wait for it.

    It goes on without the store: while that is down everybody gets the turn, and nothing is found.
    """

    async def take(self, key: str, *, instead_of: bytes = b"", note: bytes = b"") -> Turn[T]:
        """In one step: what is there, the turn to make it, or that somebody makes it now.

        `instead_of` is the mark of what is not wanted: the turn is given where that is still there.
        """
        ...

    def hold(self, key: str, claim: bytes) -> AbstractAsyncContextManager[None]:
        """Keep the turn for as long as the work takes; it ends by itself when this process does."""
        ...


class SessionStore(Turns[Session], Protocol):
    """Where sessions are kept: turns at a fingerprint, records by their reference.

    Creating goes on without it: a store that is down finds nothing to re-use and keeps nothing, and reports it itself.
    """

    async def find(self, reference: str) -> Session | None:
        """The record of a session.

        Raises:
            StoreRequiredError: the store is down; whether there is a record is unknown.
        """
        ...

    async def save(self, session: Session, *, reusable_for: timedelta, claim: bytes | None = None) -> str | None:
        """Keep the record, and for `reusable_for` (none when not positive) what leads to it from its fingerprint.

        What leads to it is kept only where the turn is still that of `claim`, or nobody's where there was none. The
        reference of the same buyer's session before it in this checkout is returned, if there is one.
        """
        ...

    async def update(self, reference: str, change: Callable[[Session], Awaitable[Session]]) -> Session | None:
        """Write what `change` makes of the record; it is asked again when somebody else wrote meanwhile.

        What leads to the session is as new as its record, and gone once it is not open or pending any more. None when
        there is no record.

        Raises:
            StoreRequiredError: the store is down.
        """
        ...

    async def unlink(self, session: Session) -> None:
        """Let nothing lead to the session from its fingerprint any more, nor count it as its buyer's latest.

        Raises:
            StoreRequiredError: the store is down.
        """
        ...

    def writer(self, reference: str, *, wait_seconds: float) -> AbstractAsyncContextManager[bool]:
        """Be the only one who changes a session; False when others did so for all of that time.

        Raises:
            StoreRequiredError: the store is down.
        """
        ...


class QuoteStore(Protocol):
    """Which single-use quotes were used. Nobody can tell while the store is down."""

    async def burn(self, key: str, reference: str, *, lasting: timedelta) -> bool:
        """Use a quote, in one step, for the session of this reference; False when it was used for another before.

        Raises:
            StoreRequiredError: the store is down.
        """
        ...

    async def give_back(self, key: str, reference: str) -> None:
        """Let a quote be used again whose session was not made; it stays used while the store is down."""
        ...


class ReplayStore(Turns[Replay], Protocol):
    """Where the first answers to idempotency keys are kept."""

    async def keep(self, key: str, replay: Replay, claim: bytes, *, replayable_for: timedelta) -> None:
        """Keep an answer where the turn is still that of `claim`; does nothing while the store is down."""
        ...
