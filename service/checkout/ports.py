"""What the core needs from outside, as protocols: providers, the session store, the clock."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from service.checkout.models import Opener, Order, ProviderSession
from service.checkout.session import Session

Clock = Callable[[], datetime]


class UpstreamRequest(Struct, frozen=True, kw_only=True):
    """The exact request to a provider, without credentials.

    Path segments are of a closed alphabet, letters, digits and `._~-`, that needs no encoding.
    """

    method: str
    segments: tuple[str, ...]
    body: bytes = b""
    headers: dict[str, str] = {}


class Provider(Protocol):
    """One checkout at one upstream account."""

    name: str

    def render(self, order: Order) -> UpstreamRequest:
        """What `create` sends for this order; pure.

        Raises:
            UnsupportedFieldError: the provider cannot express a field that is set.
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
