"""What is no HTTP, too large or too slow before a request is whole."""

import json
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from service.api.protocol import BoundedProtocol
from service.app import create_app
from service.store.embedded import EmbeddedStore
from tests.support.config import default_toml, settings_of
from tests.support.raw import RawAnswer, connect, exchange, read_to_end, request_bytes
from tests.support.servers import Sandbox, serving


@pytest.fixture(scope="module")
def url(store: EmbeddedStore, _sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """A broker behind the protocol that `serve` runs it with."""
    folder: Path = tmp_path_factory.mktemp("protocol")
    settings = settings_of(default_toml(_sandbox_server.url), folder)
    with serving(create_app(settings, embedded=store.directory), http=BoundedProtocol) as base:
        yield base


def check_problem(answer: RawAnswer, status: int, slug: str) -> None:
    """A hardened problem document, after which the connection ends."""
    problem = json.loads(answer.body)

    assert (status, status, f"/problems/{slug}") == (answer.status, problem["status"], problem["type"])
    assert answer.headers["request-id"] == problem["instance"]
    assert "application/problem+json" == answer.headers["content-type"]
    assert ("close", "no-store", "nosniff") == tuple(
        answer.headers[name] for name in ("connection", "cache-control", "x-content-type-options")
    )


@pytest.mark.parametrize(
    "data",
    [
        b"canary\r\n\r\n",
        b"FOO / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nA b\r\n\r\n",
        b"POST /checkout HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"POST /checkout HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_no_http_is_a_problem(url: str, data: bytes) -> None:
    """An unknown method, a malformed head, two lengths, TLS on the wrong port: 400, and nothing of it is repeated."""
    answer = exchange(url, data)

    check_problem(answer, 400, "invalid-request")
    assert b"canary" not in answer.body


def test_head_without_an_end_is_refused(url: str) -> None:
    """Headers that never end are cut off before they fill the memory."""
    with connect(url) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
        sent = 0
        try:
            for number in range(100):
                sent += connection.send(f"X-{number}: {'a' * 4096}\r\n".encode())
                time.sleep(0.001)  # separate reads, as a slow stranger would cause
        except OSError:
            pass

    assert sent < 100 * 4096


def test_head_that_does_not_come_is_given_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request line without the rest is 408 after its time."""
    monkeypatch.setattr("service.api.protocol.HEAD_SECONDS", 0.2)
    with connect(url) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
        answer = RawAnswer(read_to_end(connection))

    check_problem(answer, 408, "request-timeout")


def test_idle_connection_is_not_a_slow_head(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two requests of one connection no head has begun, so no time runs."""
    monkeypatch.setattr("service.api.protocol.HEAD_SECONDS", 0.1)
    with connect(url) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
        first = connection.recv(65536)
        time.sleep(0.3)  # three times what a head may take
        connection.sendall(request_bytes("GET", "/livez"))
        second = read_to_end(connection)

    assert (200, 200) == (RawAnswer(first).status, RawAnswer(second).status)
