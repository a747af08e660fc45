"""One broker of the usual configuration for all tests of the edge: they differ by request, not by state."""

import asyncio
import secrets
from collections.abc import Callable, Generator

import httpx
import pytest

from service.app import create_app
from service.store.embedded import EmbeddedStore
from tests.support.config import default_toml, settings_of
from tests.support.running import running
from tests.support.servers import Sandbox, serving

Send = Callable[..., httpx.Response]


def _toml(sandbox: Sandbox) -> str:
    return default_toml(sandbox.url) + f'\n[store]\nkey_prefix = "edge-{secrets.token_hex(4)}"\n'


@pytest.fixture(scope="session")
def _shared_broker(
    store: EmbeddedStore, _sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Generator[httpx.Client]:
    settings = settings_of(_toml(_sandbox_server), tmp_path_factory.mktemp("edge"))
    with (
        serving(create_app(settings, embedded=store.directory)) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=20) as client,
    ):
        yield client


@pytest.fixture
def broker(_shared_broker: httpx.Client, sandbox: Sandbox) -> httpx.Client:
    """A running broker that other tests have used before, at a sandbox that has forgotten them."""
    return _shared_broker


@pytest.fixture(scope="session")
def _shared_send(
    store: EmbeddedStore, _sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Send]:
    settings = settings_of(_toml(_sandbox_server), tmp_path_factory.mktemp("send"))
    with asyncio.Runner() as runner:
        context = running(create_app(settings, embedded=store.directory))
        client = runner.run(context.__aenter__())

        def send_one(method: str, path: str, **options: object) -> httpx.Response:
            return runner.run(client.request(method, path, **options))  # type: ignore[arg-type]  # httpx's own options

        yield send_one
        runner.run(context.__aexit__(None, None, None))


@pytest.fixture
def send(_shared_send: Send, sandbox: Sandbox) -> Send:
    """Sends requests to an application in this process, for tests of many: `send(method, path, **httpx options)`."""
    return _shared_send
