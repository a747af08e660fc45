"""Requests, orders and answers to start from, and the core's ports played by small real classes."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from service.checkout.models import (
    Item,
    Money,
    Opener,
    Order,
    OrderRequest,
    ProviderSession,
    SessionItem,
)
from service.checkout.ports import UpstreamRequest
from service.checkout.session import Session
from service.checkout.settings import CheckoutSettings
from service.providers.fastspring_v2.requests import VOCABULARY, encode, session_request

NOW = datetime(2026, 1, 1, 10, 0, tzinfo=UTC)
REFERENCE = "cs_01kdwx4m000123456789abcdef"

ITEM = Item(product="pro-license", quantity=2)
REQUEST = OrderRequest(items=(ITEM,), country="DE")
CHECKOUT = CheckoutSettings(upstream="acme", live=False)
ORDER = Order(items=(ITEM,), reference=REFERENCE, order_tags={"broker_ref": REFERENCE})
SESSION = ProviderSession(
    session_id="OS260101000000042XYZ",
    token=None,
    checkout_url="https://acme.onfastspring.com/checkout/session/OS260101000000042XYZ",
    expires_at=NOW + timedelta(hours=24),
    live=False,
    country="DE",
    currency="EUR",
    total=Money(amount="49.00", currency="EUR", display="49,00 €"),
    net_total="41.18",
    items=(SessionItem(product="pro-license", quantity=2, locked=False),),
    tags={"broker_ref": REFERENCE},
)


class SettableClock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class MemorySessions:
    """The store's port in memory; remembers for how long each session may be handed out again."""

    def __init__(self) -> None:
        self.by_fingerprint: dict[str, Session] = {}
        self.by_reference: dict[str, Session] = {}
        self.reusable_for: list[timedelta] = []

    async def find_reusable(self, fingerprint: str) -> Session | None:
        return self.by_fingerprint.get(fingerprint)

    async def find(self, reference: str) -> Session | None:
        return self.by_reference.get(reference)

    async def save(self, session: Session, *, reusable_for: timedelta) -> None:
        self.by_reference[session.reference] = session
        self.reusable_for.append(reusable_for)
        if session.fingerprint:
            self.by_fingerprint[session.fingerprint] = session


class EchoProvider:
    """A provider that grants every order at once and remembers it; `changes` spoil its answers."""

    name = "echo"

    def __init__(self, clock: SettableClock) -> None:
        self._clock = clock
        self.orders: list[Order] = []
        self.changes: dict[str, object] = {}
        self.failure: Exception | None = None

    def check(self, request: OrderRequest) -> None:
        VOCABULARY.check(request)

    def render(self, order: Order) -> UpstreamRequest:
        return UpstreamRequest(method="POST", segments=("sessions",), body=encode(session_request(order)))

    async def create(self, order: Order) -> ProviderSession:
        self.orders.append(order)
        if self.failure:
            raise self.failure
        answer = replace(
            SESSION,
            session_id=f"OS{len(self.orders)}",
            expires_at=self._clock.now + timedelta(hours=24),
            live=order.live,
            items=tuple(SessionItem(product=item.product, quantity=item.quantity) for item in order.items),
            tags=order.order_tags,
        )
        return replace(answer, **self.changes)

    def opener(self, session: Session) -> Opener | None:  # the port's signature
        return None
