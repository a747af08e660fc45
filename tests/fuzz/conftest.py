"""An application for many requests: no limit of its own stands before a parser, and it can sign and take quotes."""

import asyncio
import secrets
from collections.abc import Callable, Generator
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


@pytest.fixture(scope="module")
def send(store: EmbeddedStore, _sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Generator[Send]:
    """Sends requests to the application in this process: `send(method, path, **httpx options)`."""
    _sandbox_server.reset()
    folder = tmp_path_factory.mktemp("fuzz")
    settings = settings_of(fuzz_toml(_sandbox_server.url, folder), folder)
    with asyncio.Runner() as runner:
        context = running(create_app(settings, embedded=store.directory))
        client = runner.run(context.__aenter__())

        def send_one(method: str, path: str, **options: object) -> httpx.Response:
            return runner.run(client.request(method, path, **options))  # type: ignore[arg-type]  # httpx's own options

        yield send_one
        runner.run(context.__aexit__(None, None, None))
