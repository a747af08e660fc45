"""The same spoofs through a real HAProxy to a whole service: what a provider hears of the buyer's address."""

import secrets
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from msgspec import Struct

from service.api.protocol import BoundedProtocol
from service.app import create_app
from service.store.embedded import EmbeddedStore
from tests.fuzz.test_spoofed_addresses import STRANGER, Headers, spoofs
from tests.support.config import default_toml, settings_of
from tests.support.full import IN_FULL
from tests.support.haproxy import connected_from, haproxy
from tests.support.process import served
from tests.support.raw import connect, read_to_end, request_bytes
from tests.support.servers import Sandbox, serving

SPOOFS = 10_000 if IN_FULL else 100
WANTED = "2a00:1450:4001:80b::200e"  # in no network of IPv4, so that a trust in all of IPv4 can steer to it
BODY = b'{"items":[{"product":"pro-license"}]}'


class Source(Struct, frozen=True):
    """A header that the service reads, how HAProxy sets it, and what a stranger would like to stand in it."""

    header: str
    rule: str
    wish: str


SOURCES = [
    Source("X-Forwarded-For", "option forwardfor", WANTED),
    Source("Forwarded", "http-request set-header Forwarded for=%[src]", f'for="[{WANTED}]"'),
    Source("Forwarded", "http-request add-header Forwarded for=%[src]", f'for="[{WANTED}]"'),
]
Behind = Callable[[Source, str], AbstractContextManager[str]]


@pytest.fixture
def behind_haproxy(store: EmbeddedStore, sandbox: Sandbox, tmp_path: Path) -> Behind:
    """`with behind_haproxy(source, trusted) as url`: a HAProxy before a service without limits.

    In full the service is a process of its own, which takes longer to start.
    """

    @contextmanager
    def start(source: Source, trusted: str) -> Generator[str]:
        text = default_toml(sandbox.url).replace('["127.0.0.1/32", "10.0.0.0/8"]', f'["{trusted}"]', 1)
        text = text.replace("[server]", f'[server]\nclient_ip_header = "{source.header}"', 1)
        text = text.replace("[checkouts.default]", "rate_limit_per_minute = 0\n[checkouts.default]", 1)
        with ExitStack() as running:
            if IN_FULL:
                url = running.enter_context(served(text, tmp_path)).url
            else:
                text += f'\n[store]\nkey_prefix = "spoofs-{secrets.token_hex(4)}"\n'
                app = create_app(settings_of(text, tmp_path), embedded=store.directory)
                url = running.enter_context(serving(app, http=BoundedProtocol))
            yield running.enter_context(haproxy(tmp_path, url, source.rule))

    return start


def heard(sandbox: Sandbox, url: str, requests: list[Headers]) -> list[object]:
    """The buyer's address in each create that came to the provider, of requests with these headers."""
    sandbox.reset()
    for headers in requests:
        lines = tuple((name + b": " + value).decode("latin-1") for name, value in headers)
        with connect(url) as connection, suppress(ConnectionError):  # HAProxy may refuse what is too large or no HTTP
            data = request_bytes("POST", "/checkout", ("Content-Type: application/json", *lines), BODY)
            connection.sendall(connected_from(STRANGER) + data)
            read_to_end(connection)
    return [body.get("buyerIp") for body in sandbox.bodies()]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.rule)
def test_no_stranger_is_believed_behind_haproxy(behind_haproxy: Behind, sandbox: Sandbox, source: Source) -> None:
    """Whatever a stranger types, the provider hears of the address that HAProxy saw, or of none.

    The control comes first: where all of IPv4 is trusted, HAProxy included, a header that it lets through steers.
    """
    plain: Headers = [(source.header.encode(), source.wish.encode())]
    with behind_haproxy(source, "0.0.0.0/0") as url:
        assert [None if "set-header" in source.rule else WANTED] == heard(sandbox, url, [plain])
    with behind_haproxy(source, "127.0.0.1/32") as url:
        addresses = heard(sandbox, url, [plain, *map(spoofs, range(SPOOFS - 1))])

    print(f"spoofs: {source.rule!r}: {SPOOFS} sent, {len(addresses)} created")  # noqa: T201  # the figure of the run
    assert STRANGER == addresses[0]
    assert {STRANGER, None} >= set(addresses)
    assert len(addresses) > SPOOFS / 2
