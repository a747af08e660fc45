"""What the core needs from outside, as protocols: providers, the session store, the clock."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from service.checkout.models import Opener, Order, OrderRequest, ProviderSession
from service.checkout.session import Session

Clock = Callable[[], datetime]


class UpstreamRequest(Struct, frozen=True, kw_only=True):
    """The exact request to a provider, without credentials.

    Path segments are of a closed alphabet, letters, digits and `._~-`, that needs no encoding; query values may be any
    text. `route` stands for the path where ids are in it. `customer` names whom the provider's own customer or token
    is for, where that is looked up before the call and so is not in the request yet.
    """

    method: str
    segments: tuple[str, ...]
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    headers: dict[str, str] = {}
    route: tuple[str, ...] | None = None
    customer: str | None = None


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


class SessionStore(Protocol):
    """Where sessions are kept.

    Creating goes on without it: a store that is down finds nothing to re-use and keeps nothing, and reports it itself.
    """

    async def find_reusable(self, fingerprint: str) -> Session | None:
        """The session that was made for exactly this request of this buyer."""
        ...

    async def find(self, reference: str) -> Session | None:
        """The record of a session.

        Raises:
            StoreRequiredError: the store is down; whether there is a record is unknown.
        """
        ...

    async def save(self, session: Session, *, reusable_for: timedelta) -> None:
        """Keep the record, and for `reusable_for` (none when not positive) what leads to it from its fingerprint."""
        ...
