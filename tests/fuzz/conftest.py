"""An application for many requests: no limit of its own stands before a parser, and it can sign and take quotes."""

import asyncio
import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from service.app import create_app
from service.store.embedded import EmbeddedStore
from tests.support.config import default_toml, settings_of
from tests.support.quotes import PRIVATE
from tests.support.running import running
from tests.support.servers import Sandbox

Send = Callable[..., httpx.Response]
QUOTES = """
[quotes]
sign_with = "own"
[quotes.keys.own]
algorithm = "EdDSA"
private_key = {{ file = "{folder}/private" }}
"""


def fuzz_toml(url: str, folder: Path) -> str:
    """The usual configuration without a rate limit, and with quotes."""
    (folder / "private").write_text(PRIVATE)
    (folder / "private").chmod(0o600)
    text = default_toml(url).replace(
        'provider = "fastspring_v2"', 'provider = "fastspring_v2"\nrate_limit_per_minute = 0'
    )
    text = text.replace('"metrics:read"]', '"metrics:read", "quotes:create"]') + QUOTES.format(folder=folder)
    return text + f'\n[store]\nkey_prefix = "fuzz-{secrets.token_hex(4)}"\n'


@contextmanager
def sending(toml: str, folder: Path, store: EmbeddedStore) -> Generator[Send]:
    """Sends requests to an application in this process: `send(method, path, **httpx options)`."""
    with asyncio.Runner() as runner:
        context = running(create_app(settings_of(toml, folder), embedded=store.directory))
        client = runner.run(context.__aenter__())

        def send_one(method: str, path: str, **options: object) -> httpx.Response:
            return runner.run(client.request(method, path, **options))  # type: ignore[arg-type]  # httpx's own options

        yield send_one
        runner.run(context.__aexit__(None, None, None))


@pytest.fixture(scope="module")
def send(store: EmbeddedStore, _sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Generator[Send]:
    """The same, with the usual application."""
    _sandbox_server.reset()
    folder = tmp_path_factory.mktemp("fuzz")
    with sending(fuzz_toml(_sandbox_server.url, folder), folder, store) as send_one:
        yield send_one
