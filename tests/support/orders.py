"""Requests, orders and answers to start from, and the core's ports played by small real classes."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from msgspec.structs import replace

from service.checkout.errors import StoreRequiredError
from service.checkout.models import (
    Customer,
    Item,
    Money,
    Opener,
    Order,
    OrderRequest,
    ProviderSession,
    SessionItem,
)
from service.checkout.outcome import Replay
from service.checkout.ports import Turn, UpstreamRequest
from service.checkout.preview import ShownRequest
from service.checkout.session import PaymentMethodChoice, PaymentMethodOffer, Session, State
from service.checkout.settings import CheckoutSettings
from service.providers.fastspring_v2.requests import VOCABULARY, encode, session_request

T = TypeVar("T")
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


class MemoryTurns(Generic[T]):
    """Turns in one process; what stands under a key has a mark that changes with it."""

    def __init__(self) -> None:
        self.there: dict[str, tuple[bytes, T]] = {}
        self.claims: dict[str, tuple[bytes, bytes]] = {}

    def put(self, key: str, thing: T) -> None:
        self.there[key] = secrets.token_bytes(8), thing

    async def take(self, key: str, *, instead_of: bytes = b"", note: bytes = b"") -> Turn[T]:
        if key in self.claims:
            return Turn(note=self.claims[key][1])
        mark, found = self.there.get(key, (b"", None))
        if found is not None and mark != instead_of:
            return Turn(found=found, mark=mark)
        claim = secrets.token_bytes(8)
        self.claims[key] = claim, note
        return Turn(claim=claim)

    @asynccontextmanager
    async def hold(self, key: str, claim: bytes) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            self.claims.pop(key, None)


class MemoryReplays(MemoryTurns[Replay]):
    """The replays' port in memory; remembers for how long each answer may be given again."""

    def __init__(self) -> None:
        super().__init__()
        self.replayable_for: list[timedelta] = []

    async def keep(self, key: str, replay: Replay, claim: bytes, *, replayable_for: timedelta) -> None:
        self.replayable_for.append(replayable_for)
        if self.claims[key][0] == claim:
            self.put(key, replay)


class MemorySessions(MemoryTurns[Session]):
    """The store's port in memory; remembers for how long each session may be handed out again.

    `failure` befalls whoever changes a record, and nothing is found while it `is_silent`; `meanwhile` happens once,
    before the next change.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_silent = False
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        self.by_reference: dict[str, Session] = {}
        self.latest: dict[tuple[str, str], str] = {}
        self.reusable_for: list[timedelta] = []
        self.writers: dict[str, asyncio.Lock] = {}
        self.failure: Exception | None = None

    async def find(self, reference: str) -> Session | None:
        if self.is_silent:
            raise StoreRequiredError("down")
        return self.by_reference.get(reference)

    async def save(self, session: Session, *, reusable_for: timedelta, claim: bytes | None = None) -> str | None:
        self.by_reference[session.reference] = session
        self.reusable_for.append(reusable_for)
        if not session.fingerprint or not session.buyer or reusable_for <= timedelta():
            return None
        if self.claims.get(session.fingerprint, (None, b""))[0] != claim:
            return None
        self.put(session.fingerprint, session)
        former = self.latest.get((session.checkout, session.buyer))
        self.latest[session.checkout, session.buyer] = session.reference
        return former

    async def update(self, reference: str, change: Callable[[Session], Awaitable[Session]]) -> Session | None:
        if self.failure:
            raise self.failure
        if meanwhile := self.meanwhile:
            self.meanwhile = None
            await meanwhile()
        while record := self.by_reference.get(reference):
            changed = await change(record)
            if self.by_reference.get(reference) is record:
                self.by_reference[reference] = changed
                self._link_anew(changed)
                return changed
        return None

    async def unlink(self, session: Session) -> None:
        if session.fingerprint and self._is_linked(session):
            del self.there[session.fingerprint]
        latest = (session.checkout, session.buyer or "")
        if self.latest.get(latest) == session.reference:
            del self.latest[latest]

    def _link_anew(self, session: Session) -> None:
        if session.fingerprint and self._is_linked(session):
            del self.there[session.fingerprint]
            if session.is_linked:
                self.put(session.fingerprint, session)

    def _is_linked(self, session: Session) -> bool:
        there = self.there.get(session.fingerprint or "")
        return there is not None and there[1].reference == session.reference

    @asynccontextmanager
    async def writer(self, reference: str, *, wait_seconds: float) -> AsyncGenerator[bool]:
        lock = self.writers.setdefault(reference, asyncio.Lock())
        try:
            async with asyncio.timeout(wait_seconds / 10):  # tests are impatient
                await lock.acquire()
        except TimeoutError:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()


class EchoProvider:
    """A provider that grants every order at once and remembers it; `changes` spoil its answers."""

    name = "echo"

    def __init__(self, clock: SettableClock) -> None:
        self._clock = clock
        self.orders: list[Order] = []
        self.takes_seconds = 0.0
        self.changes: dict[str, object] = {}
        self.failure: Exception | None = None
        self.sessions: dict[str, ProviderSession] = {}

    def check(self, request: OrderRequest) -> None:
        VOCABULARY.check(request)

    def render(self, order: Order) -> UpstreamRequest:
        return UpstreamRequest(method="POST", segments=("sessions",), body=encode(session_request(order)))

    async def create(self, order: Order) -> ProviderSession:
        self.orders.append(order)
        await asyncio.sleep(self.takes_seconds)
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
        self.sessions[answer.session_id] = answer
        return replace(answer, **self.changes)

    def opener(self, session: Session) -> Opener | None:  # the port's signature
        return None


class EchoVerifier:
    """Says of sessions what the test says, and remembers whom it was asked about."""

    def __init__(self) -> None:
        self.states: dict[str, State] = {}
        self.asked: list[str] = []
        self.failure: Exception | None = None

    async def state(self, session: Session) -> State:
        self.asked.append(session.session_id)
        if self.failure:
            raise self.failure
        return self.states.get(session.session_id, "open")


class EchoEditor:
    """Changes the sessions of an echo provider, at ten euros a piece, and remembers what it was asked.

    `meanwhile` is what happens when it is asked for something, before it is done; `spoiled` are members of what is
    read.
    """

    def __init__(self, provider: EchoProvider) -> None:
        self._sessions = provider.sessions
        self.calls: list[tuple[str, object]] = []
        self.meanwhile: dict[str, Callable[[], Awaitable[None]]] = {}
        self.spoiled: dict[str, object] = {}

    def for_one_change(self) -> "EchoEditor":
        self.calls.append(("for_one_change", None))
        return self

    async def read(self, session_id: str) -> ProviderSession:
        await self._called("read", None)
        pieces = sum(line.quantity for line in self._sessions[session_id].items or ())
        total = Money(amount=f"{pieces * 10}.00", currency="EUR", display=f"{pieces * 10},00 €")
        return replace(self._sessions[session_id], **{"total": total, "net_total": None} | self.spoiled)

    async def payment_methods(self, session_id: str) -> PaymentMethodChoice:
        await self._called("payment_methods", session_id)
        return PaymentMethodChoice(payment_methods=(PaymentMethodOffer(id="CARD"),), hide_payment_methods=("WIRE",))

    async def replace(self, session_id: str, order: Order) -> None:
        await self._called("replace", order)
        self._sessions[session_id] = replace(
            self._sessions[session_id], items=tuple(map(_line, order.items)), tags=order.order_tags, live=order.live
        )

    async def replace_customer(self, session_id: str, customer: Customer) -> None:
        await self._called("replace_customer", customer)

    async def add_item(self, session_id: str, item: Item, *, reference: str) -> None:
        await self._called("add_item", item)
        self._set_lines(session_id, item.product, _line(item))

    async def update_item(self, session_id: str, item: Item, *, reference: str) -> None:
        await self._called("update_item", item)
        self._set_lines(session_id, item.product, _line(item))

    async def remove_item(self, session_id: str, product: str) -> None:
        await self._called("remove_item", product)
        self._set_lines(session_id, product)

    async def _called(self, name: str, argument: object) -> None:
        self.calls.append((name, argument))
        if name in self.meanwhile:
            await self.meanwhile[name]()

    def _set_lines(self, session_id: str, product: str, *lines: SessionItem) -> None:
        session = self._sessions[session_id]
        others = (line for line in session.items or () if line.product != product)
        self._sessions[session_id] = replace(session, items=(*others, *lines))


def _line(item: Item) -> SessionItem:
    return SessionItem(product=item.product, quantity=item.quantity, locked=item.quantity_behavior == "lock")


def raising(error: Exception) -> Callable[[], Awaitable[None]]:
    """What fails when it is awaited."""

    async def fail() -> None:
        raise error

    return fail


def shown(request: UpstreamRequest) -> ShownRequest:
    """A request of the echo provider, to look at."""
    return ShownRequest(method=request.method, url="/".join(request.segments), headers={}, body=request.body)
