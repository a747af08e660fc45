"""The core with everything around it in the test's hand: a clock, a provider, a store in memory."""

from service.checkout.acceptance import Expectations
from service.checkout.buyer import Buyer
from service.checkout.configured import Checkout
from service.checkout.fingerprint import Hasher
from service.checkout.limits import Limits
from service.checkout.models import OrderRequest
from service.checkout.service import CheckoutService
from service.checkout.sessions import SessionService
from service.checkout.settings import CheckoutSettings
from tests.support.limits import limits_of
from tests.support.orders import (
    CHECKOUT,
    REQUEST,
    EchoProvider,
    EchoVerifier,
    MemoryReplays,
    MemorySessions,
    SettableClock,
    shown,
)
from tests.support.quotes import MemoryQuotes, quotes

BUYER = Buyer(key="b" * 24, address="8.8.4.4")


class World:
    """A service with two checkouts at one provider; with `verified`, the provider can be asked about a session."""

    def __init__(
        self,
        settings: CheckoutSettings = CHECKOUT,
        *,
        verified: bool = False,
        limits: Limits | None = None,
        calls_per_minute: int = 0,
        calls_per_session: int = 1,
    ) -> None:
        self._limits = limits or limits_of()
        self._calls_per_minute, self._calls_per_session = calls_per_minute, calls_per_session
        self.clock = SettableClock()
        self.provider = EchoProvider(self.clock)
        self.verifier = EchoVerifier()
        self.sessions = MemorySessions()
        self.replays = MemoryReplays()
        self.burned = MemoryQuotes()
        self.quotes = quotes(clock=self.clock)
        self._hasher = Hasher(b"k" * 32)
        self.service = self.replica(settings, verified=verified)
        self.found = SessionService(self.sessions, self._hasher, self.clock)

    def replica(self, settings: CheckoutSettings = CHECKOUT, *, verified: bool = False) -> CheckoutService:
        """Another process with the same store and provider."""
        checkouts = {
            name: Checkout(
                name=name,
                settings=settings,
                provider=self.provider,
                expectations=Expectations(hosts=(".onfastspring.com",)),
                show=shown,
                verifier=self.verifier if verified else None,
                calls_per_minute=self._calls_per_minute,
                calls_per_session=self._calls_per_session,
            )
            for name in ("default", "other")
        }
        return CheckoutService(
            checkouts,
            self.sessions,
            self.replays,
            self._hasher,
            self.clock,
            burned=self.burned,
            quotes=self.quotes,
            limits=self._limits,
        )

    async def ask(self, request: OrderRequest = REQUEST, buyer: Buyer = BUYER, key: str | None = None) -> str:
        """The session id that is handed out."""
        return (await self.service.create(request, buyer, key)).session.session_id

    async def events(self, session_id: str) -> list[str]:
        """What the record of a session tells."""
        [record] = [one for one in self.sessions.by_reference.values() if one.session_id == session_id]
        return [entry.event for entry in record.timeline]
