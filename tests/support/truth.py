"""A provider that knows the truth of each session: whose it is, what for, until when by true time, whether paid."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from service.checkout.errors import UpstreamUnavailableError
from service.checkout.models import Item, Opener, Order, OrderRequest, ProviderSession, SessionItem
from service.checkout.ports import UpstreamRequest
from service.checkout.session import Session, State
from service.providers.fastspring_v2.requests import VOCABULARY, encode, session_request
from tests.support.orders import SESSION, SettableClock

_CALL_SECONDS = 0.002  # so that others come while it is made


class Made(Struct, kw_only=True):
    """One session as its provider knows it. `buyer` is the pseudonym of whoever it was made for."""

    session_id: str
    checkout: str
    buyer: str | None
    items: tuple[Item, ...]
    channel: str
    live: bool
    expires_at: datetime
    state: State = "open"


class Truth:
    """The provider's side of every checkout, by a clock that is right."""

    name = "truth"

    def __init__(self, life: timedelta = timedelta(hours=1)) -> None:
        self.clock = SettableClock()
        self.life = life
        self.made: dict[str, Made] = {}
        self.is_down = False

    def left_of(self, session_id: str) -> timedelta:
        """For how much longer it can be paid."""
        return self.made[session_id].expires_at - self.clock()

    def check(self, request: OrderRequest) -> None:
        VOCABULARY.check(request)

    def render(self, order: Order) -> UpstreamRequest:
        return UpstreamRequest(method="POST", segments=("sessions",), body=encode(session_request(order)))

    async def create(self, order: Order) -> ProviderSession:
        await self._called()
        made = Made(
            session_id=f"OS{len(self.made) + 1}",
            checkout=order.checkout,
            buyer=order.pseudonym,
            items=order.items,
            channel=(order.order_tags or {})["channel"],
            live=bool(order.live),
            expires_at=self.clock() + self.life,
        )
        self.made[made.session_id] = made
        return replace(
            SESSION,
            session_id=made.session_id,
            expires_at=made.expires_at,
            live=made.live,
            items=tuple(SessionItem(product=item.product, quantity=item.quantity) for item in order.items),
            tags=order.order_tags,
        )

    async def state(self, session: Session) -> State:
        await self._called()
        made = self.made[session.session_id]
        return "expired" if made.state == "open" and self.clock() >= made.expires_at else made.state

    def opener(self, session: Session) -> Opener | None:  # the port's signature
        return None

    async def _called(self) -> None:
        await asyncio.sleep(_CALL_SECONDS)
        if self.is_down:
            raise UpstreamUnavailableError("down")


PAYMENTS: Mapping[State, State] = {"open": "pending", "pending": "completed", "completed": "refunded"}
"""How a payment goes on; one that is under way may also fail, and leaves the session open."""
