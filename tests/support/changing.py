"""A session that can be changed, with everything around it in the test's hand."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from service.checkout.acceptance import Expectations
from service.checkout.buyer import Buyer
from service.checkout.changes import SessionChanges
from service.checkout.configured import Checkout
from service.checkout.fingerprint import Hasher
from service.checkout.models import Customer, Item, OrderRequest
from service.checkout.service import CheckoutService
from service.checkout.session import Session
from service.checkout.sessions import SessionService
from service.checkout.settings import CheckoutSettings
from tests.support.limits import limits_of
from tests.support.orders import (
    CHECKOUT,
    NOW,
    REQUEST,
    EchoEditor,
    EchoProvider,
    MemoryReplays,
    MemorySessions,
    SettableClock,
    shown,
)
from tests.support.quotes import MemoryQuotes, quotes

BUYER = Buyer(key="b" * 24)
CALLER = Buyer(caller="backoffice")
HANDBOOK = Item(product="handbook", quantity=3)
LATER = NOW + timedelta(minutes=5)


class ChangingWorld:
    """A checkout whose provider lets sessions be changed, `fixed` whose provider does not, and one session of each."""

    def __init__(self, settings: CheckoutSettings = CHECKOUT) -> None:
        self.clock = SettableClock()
        self.provider = EchoProvider(self.clock)
        self.editor = EchoEditor(self.provider)
        self.sessions = MemorySessions()
        self.checkouts = {
            name: Checkout(
                name=name,
                settings=settings,
                provider=self.provider,
                expectations=Expectations(hosts=(".onfastspring.com",)),
                show=shown,
                editor=editor,
            )
            for name, editor in (("default", self.editor), ("fixed", None))
        }
        hasher = Hasher(b"k" * 32)
        self.service = CheckoutService(
            self.checkouts,
            self.sessions,
            MemoryReplays(),
            hasher,
            self.clock,
            burned=MemoryQuotes(),
            quotes=quotes(clock=self.clock),
            limits=limits_of(),
        )
        self.found = SessionService(self.sessions, hasher, self.clock)
        self.changes = SessionChanges(self.checkouts, self.sessions, self.clock)

    async def made(self, request: OrderRequest = REQUEST) -> Session:
        """The session of the usual buyer for a request; what comes after it is five minutes later."""
        session = (await self.service.create(request, BUYER)).session
        self.clock.now = LATER
        return session

    async def is_linked(self, session: Session, request: OrderRequest = REQUEST) -> bool:
        """Whether the buyer who made a session would get it again."""
        return session.reference == (await self.service.create(request, BUYER)).session.reference

    def asked(self) -> list[str]:
        """What the provider was asked for since the session was made."""
        return [name for name, _ in self.editor.calls]

    def record(self, session: Session) -> Session:
        """What is kept of a session."""
        return self.sessions.by_reference[session.reference]


Change = Callable[[ChangingWorld, Session], Awaitable[object]]


def replacing(**members: Any) -> Change:  # noqa: ANN401  # of as many types as a request has members
    values: dict[str, Any] = {"items": (HANDBOOK,), **members}
    request = OrderRequest(**values)
    return lambda world, session: world.changes.replace(session, request, CALLER)


def adding(product: str = "handbook", **members: Any) -> Change:  # noqa: ANN401  # as above
    return lambda world, session: world.changes.add_item(session, Item(product=product, **members))


def updating(product: str = "pro-license", **members: Any) -> Change:  # noqa: ANN401  # as above
    return lambda world, session: world.changes.update_item(session, Item(product=product, **members))


def customer(**members: Any) -> Change:  # noqa: ANN401  # as above
    return lambda world, session: world.changes.replace_customer(session, Customer(**members))


def removing(product: str) -> Change:
    return lambda world, session: world.changes.remove_item(session, product)
