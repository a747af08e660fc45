"""Replicas of the service before one real store and one provider, each with settings and a clock of its own."""

import asyncio
from datetime import datetime, timedelta

from service.checkout.acceptance import Expectations
from service.checkout.configured import Checkout
from service.checkout.fingerprint import Hasher
from service.checkout.outcome import Replay
from service.checkout.service import CheckoutService
from service.checkout.session import Session
from service.checkout.sessions import SessionService
from service.checkout.settings import CheckoutSettings
from service.store.commands import Commands
from service.store.connection import create_client
from service.store.question import STORE_ERRORS
from service.store.replays import RedisReplayStore
from service.store.sealing import SealedStructs, Sealer
from service.store.sessions import RedisSessionStore
from service.store.settings import StoreSettings
from tests.support.limits import limits_of
from tests.support.orders import CHECKOUT, shown
from tests.support.quotes import MemoryQuotes, quotes
from tests.support.truth import Truth

HASHER = Hasher(b"h" * 32)
_SEALER = Sealer((b"s" * 32,))
_LEDGER = timedelta(days=35)
_RECOVERY_SECONDS = 5.0


class Replica:
    """One process of the service, as far as the core goes; its clock is wrong by `skew`."""

    def __init__(
        self, truth: Truth, port: int, prefix: str, *, skew: timedelta, settings: CheckoutSettings = CHECKOUT
    ) -> None:
        self.settings = settings
        self._truth = truth
        self._prefix = prefix
        self._skew = skew
        self._commands = Commands(create_client(StoreSettings(url=f"redis://127.0.0.1:{port}")))
        self._sessions = RedisSessionStore(
            self._commands, SealedStructs(_SEALER, Session), prefix=prefix, keep_records_for=_LEDGER
        )
        self._replays = RedisReplayStore(self._commands, SealedStructs(_SEALER, Replay), prefix=prefix)
        self.sessions = SessionService(self._sessions, HASHER, self.clock)
        self.take_settings(settings)

    def clock(self) -> datetime:
        """What this process takes for the time."""
        return self._truth.clock() + self._skew

    def take_settings(self, settings: CheckoutSettings) -> None:
        """Work with these from now on."""
        self.settings = settings
        checkouts = {
            name: Checkout(
                name=name,
                settings=settings,
                provider=self._truth,
                expectations=Expectations(hosts=(".onfastspring.com",)),
                show=shown,
                verifier=self._truth,
            )
            for name in ("default", "other")
        }
        self.service = CheckoutService(
            checkouts,
            self._sessions,
            self._replays,
            HASHER,
            self.clock,
            burned=MemoryQuotes(),
            quotes=quotes(),
            limits=limits_of(),
        )

    async def until_store_answers(self) -> None:
        """Return once the store, which may have been left alone, is asked again."""
        async with asyncio.timeout(_RECOVERY_SECONDS):
            while True:
                try:
                    await self._commands.ask("GET", f"{self._prefix}:nothing")
                except STORE_ERRORS:
                    await asyncio.sleep(0.01)
                else:
                    return

    async def close(self) -> None:
        """Close every connection."""
        await self._commands.close()
