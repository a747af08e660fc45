"""What is open for as long as its settings stay the same: upstream clients and the store, kept over reloads."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self, TypeVar

import httpx
from msgspec import Struct

from service.challenge import MAX_CONNECTIONS, ChallengeSettings, ChallengeVerifier
from service.checkout.ports import Clock
from service.providers.base import UpstreamSettings
from service.providers.calls import Calls, Limits, create_breaker, forget_breaker
from service.providers.http import Learned, Timeouts, UpstreamClient
from service.providers.transport import create_transport, prepare_tls
from service.resilience.breaker import Breaker
from service.settings import Settings
from service.store.open import OpenStore, open_store
from service.store.settings import StoreSettings

_BODY_AND_STORE_SECONDS = 10.0


class Seams(Struct, frozen=True, kw_only=True):
    """What tests replace, at the outermost edge: the network towards providers, and the clock."""

    create_transport: Callable[[int], httpx.AsyncBaseTransport] = create_transport
    clock: Clock = lambda: datetime.now(UTC)


class _Closable(Protocol):
    async def close(self) -> None: ...


R = TypeVar("R", bound=_Closable)
_Key = tuple[str, Struct, StoreSettings]
"""What is open, by its name and settings, and the store behind it."""


def create_client(
    upstream: UpstreamSettings,
    authorizations: tuple[str, ...],
    calls: Calls,
    transport: httpx.AsyncBaseTransport,
    learned: Learned | None = None,
) -> UpstreamClient:
    """A client of an account as it is configured; `authorizations` are its credentials or some of them."""
    timeouts = Timeouts(connect=upstream.connect_timeout, read=upstream.read_timeout, total=upstream.total_timeout)
    return UpstreamClient(upstream.base_url, authorizations, timeouts, transport, calls, learned=learned)


class _Account(NamedTuple):
    """What is known of an upstream whatever its other settings are: what it answered, and whether it is down."""

    learned: Learned
    breaker: Breaker


class Resources:
    """Opens what settings ask for, once; closes what newer settings no longer ask for when its requests have ended."""

    def __init__(self, embedded: Path | None, seams: Seams) -> None:
        self._embedded = embedded
        self._seams = seams
        self._open: list[tuple[_Key, _Closable]] = []
        self._accounts: dict[tuple[str, str, str], _Account] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._closing:
            task.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)
        for _, resource in self._open:
            await resource.close()

    def client(self, name: str, settings: Settings) -> UpstreamClient:
        """The client of an upstream, with its connections and what was learned of the account and its health."""
        upstream = settings.upstreams[name]
        key = name, upstream, settings.store
        client = self._find(UpstreamClient, key)
        if client is None:
            account = self._account(name, upstream)
            calls = self._calls(name, settings, account.breaker)
            transport = self._transport(upstream.base_url, upstream.max_concurrency)
            client = create_client(upstream, upstream.authorizations(), calls, transport, account.learned)
            self._open.append((key, client))
        return client

    def store(self, settings: StoreSettings) -> OpenStore:
        """The session store and the key of our hashes."""
        key = "", settings, settings
        store = self._find(OpenStore, key)
        if store is None:
            store = open_store(settings, self._embedded)
            self._open.append((key, store))
        return store

    def challenge(self, settings: Settings) -> ChallengeVerifier | None:
        """Who tells people from machines, where that is configured."""
        if settings.challenge is None:
            return None
        key = _challenge_key(settings.challenge, settings)
        verifier = self._find(ChallengeVerifier, key)
        if verifier is None:
            verifier = ChallengeVerifier(settings.challenge, self._transport("https:", MAX_CONNECTIONS))
            self._open.append((key, verifier))
        return verifier

    def close_unused(self, in_force: Settings) -> None:
        """Close what these settings do not ask for, once no request can still be using it."""
        used: list[_Key] = [(name, upstream, in_force.store) for name, upstream in in_force.upstreams.items()]
        used.append(("", in_force.store, in_force.store))
        if in_force.challenge is not None:
            used.append(_challenge_key(in_force.challenge, in_force))
        upstreams = [key[1] for key, _ in self._open if isinstance(key[1], UpstreamSettings)]
        longest_call = max((upstream.total_timeout for upstream in upstreams), default=0.0)
        for entry in [one for one in self._open if one[0] not in used]:
            self._open.remove(entry)
            self._later(_close_after(entry[1], longest_call + _BODY_AND_STORE_SECONDS))
        for gone in self._accounts.keys() - {_identity(*one) for one in in_force.upstreams.items()}:
            forget_breaker(gone[0], self._accounts.pop(gone).breaker)

    def _account(self, name: str, upstream: UpstreamSettings) -> _Account:
        identity = _identity(name, upstream)
        if identity not in self._accounts:
            self._accounts[identity] = _Account(Learned(), create_breaker(name))
        return self._accounts[identity]

    def _calls(self, name: str, settings: Settings, breaker: Breaker) -> Calls:
        upstream = settings.upstreams[name]
        limits = Limits(
            max_attempts=upstream.max_attempts,
            max_concurrency=upstream.max_concurrency,
            read_timeout=upstream.read_timeout,
        )
        per_minute = upstream.rate_limit_per_minute
        if not per_minute:
            return Calls(name, limits, breaker=breaker)
        rate = self.store(settings.store).rate(name, per_minute, workers=settings.server.workers)
        return Calls(name, limits, rate, breaker)

    def _transport(self, url: str, max_connections: int) -> httpx.AsyncBaseTransport:
        if url.startswith("https:"):
            asyncio.get_running_loop().run_in_executor(None, prepare_tls)
        return self._seams.create_transport(max_connections)

    def _find(self, kind: type[R], key: _Key) -> R | None:
        return next((one for held, one in self._open if held == key and isinstance(one, kind)), None)

    def _later(self, closing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(closing)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


def _challenge_key(challenge: ChallengeSettings, settings: Settings) -> _Key:
    return "", challenge, settings.store


def _identity(name: str, upstream: UpstreamSettings) -> tuple[str, str, str]:
    return name, upstream.provider, upstream.base_url


async def _close_after(resource: _Closable, seconds: float) -> None:
    try:
        await asyncio.sleep(seconds)
    finally:
        await resource.close()
