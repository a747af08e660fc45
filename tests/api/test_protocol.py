"""What is no HTTP, too large or too slow before a request is whole."""

import errno
import json
import re
import socket
import time
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest

from service.api.protocol import MAX_FRAMING_BYTES, BoundedProtocol
from service.app import create_app
from service.store.embedded import EmbeddedStore
from tests.support.config import default_toml, settings_of
from tests.support.framing import AMBIGUOUS, INSIDE
from tests.support.raw import RawAnswer, connect, exchange, read_to_end, request_bytes
from tests.support.servers import Sandbox, serving


@pytest.fixture(scope="module")
def url(store: EmbeddedStore, _sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """A broker behind the protocol that `serve` runs it with."""
    folder: Path = tmp_path_factory.mktemp("protocol")
    settings = settings_of(default_toml(_sandbox_server.url), folder)
    with serving(create_app(settings, embedded=store.directory), http=BoundedProtocol) as base:
        yield base


@pytest.fixture
def impatient(
    store: EmbeddedStore, _sandbox_server: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Generator[str]:
    """The same, which waits a second for another request, and a second for its head."""
    monkeypatch.setattr("service.api.protocol.HEAD_SECONDS", 1.0)
    settings = settings_of(default_toml(_sandbox_server.url), tmp_path)
    app = create_app(settings, embedded=store.directory)
    with serving(app, http=BoundedProtocol, keep_alive_seconds=1) as base:
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
        b"GET /livez HTTP/1.1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /livez#a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"CONNECT /livez HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /checkout HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"POST /checkout HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /checkout HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
    ],
)
def test_what_is_no_http_is_a_problem(url: str, data: bytes) -> None:
    """A malformed head, two lengths or hosts, an odd coding, TLS on the wrong port: 400, nothing of it is repeated."""
    answer = exchange(url, data)

    check_problem(answer, 400, "invalid-request")
    assert b"canary" not in answer.body


@pytest.mark.parametrize("data", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_ambiguous_framing_is_refused(url: str, data: bytes) -> None:
    """Where a request ends in two ways there is one answer, a refusal, and nothing behind it is read as a request."""
    statuses, is_closed = said_to(url, data)

    assert ([400], True) == (statuses, is_closed)


@pytest.mark.parametrize("data", INSIDE.values(), ids=INSIDE)
def test_request_inside_a_request_is_none(url: str, data: bytes) -> None:
    """What stands in a body, a chunk or a trailer gets no answer of its own: none, while the body is not whole."""
    statuses, _ = said_to(url, data)

    assert 200 not in statuses
    assert len(statuses) <= 1


def said_to(url: str, data: bytes) -> tuple[list[int], bool]:
    """The statuses of every answer on a connection on which nothing more is sent, and whether it was closed."""
    received, is_closed = b"", False
    with connect(url) as connection:
        connection.settimeout(0.3)
        connection.sendall(data)
        with suppress(TimeoutError):
            while chunk := connection.recv(65536):
                received += chunk
            is_closed = True
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)], is_closed


def test_two_requests_are_two(url: str) -> None:
    """The control: what is framed well is answered each."""
    request = b"GET /livez HTTP/1.1\r\nHost: broker\r\n\r\n"

    assert ([200, 200], False) == said_to(url, request * 2)


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


ORDER = b'{"items":[{"product":"pro-license"}]}'
CREATE = b"POST /checkout HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"


def test_trailer_is_no_header(url: str, sandbox: Sandbox) -> None:
    """What follows a chunked body is not what a proxy has looked at: no address, no key, no origin comes from there."""
    chunk = b"%x\r\n%s\r\n0\r\n" % (len(ORDER), ORDER)
    trailers = b"Origin: https://evil.example\r\nX-Forwarded-For: 8.8.4.4\r\nContent-Type: text/plain\r\n\r\n"

    answer = exchange(url, CREATE + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + trailers)

    assert 201 == answer.status, answer.body
    assert [None] == [body.get("buyerIp") for body in sandbox.bodies()]


@pytest.mark.parametrize("name", ["trailers", "extensions", "line ends before a request", "line ends after one"])
def test_what_is_neither_head_nor_body_is_bounded(url: str, name: str) -> None:
    """It would cost memory, and time that every other request waits for."""
    chunked = CREATE + b"Transfer-Encoding: chunked\r\n\r\n"
    begun = {
        "trailers": chunked + b"0\r\nX-A: ",
        "extensions": chunked + b"1;",
        "line ends before a request": b"",
        "line ends after one": b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n",
    }[name]
    sent, more = 0, (b"\r\n" if name.startswith("line") else b"aa") * 8192
    with connect(url) as connection:
        connection.sendall(begun)
        with suppress(OSError):
            while sent < 50 * MAX_FRAMING_BYTES:
                sent += connection.send(more)

    assert sent < 50 * MAX_FRAMING_BYTES  # what the system itself takes in is some MiB


@pytest.mark.parametrize("wish", [b"h2c", b"websocket", b"foo"])
@pytest.mark.parametrize("coding", ["length", "chunks"])
def test_upgrade_is_not_taken_up(url: str, sandbox: Sandbox, wish: bytes, coding: str) -> None:
    """Java's client offers HTTP/2 so: its request is served, whole, and what comes behind it is the next one."""
    wish = b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AA\r\nUpgrade: " + wish + b"\r\n"
    bodies = {
        "length": b"Content-Length: %d\r\n\r\n%s" % (len(ORDER), ORDER),
        "chunks": b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(ORDER), ORDER),
    }
    head, end, body = (CREATE + wish + bodies[coding]).partition(b"\r\n\r\n")
    following = b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    for parts in ([head + end + body + following], [head + end, body + following]):
        with connect(url) as connection:
            for part in parts:
                connection.sendall(part)
                time.sleep(0.05)
            received = read_to_end(connection)

        assert [b"201", b"200"] == re.findall(rb"HTTP/1.1 (\d+)", received), received
    assert 2 == len(sandbox.bodies())


def test_body_is_no_framing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a bound of its own."""
    monkeypatch.setattr("service.api.protocol.MAX_FRAMING_BYTES", 1000)
    body = ORDER + b" " * 60_000

    answer = exchange(url, CREATE + b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    assert 201 == answer.status


def test_refusal_is_no_answer_to_what_stands_before_it(url: str, sandbox: Sandbox) -> None:
    """What comes behind a request that waits for its answer is not refused in its place."""
    sandbox.put_fault("slow", seconds=0.3)
    with connect(url) as connection:
        connection.sendall(CREATE + b"Content-Length: %d\r\n\r\n%s" % (len(ORDER), ORDER))
        connection.sendall(b"no HTTP\r\n\r\n")
        received = read_to_end(connection)

    assert b"" == received


@pytest.mark.parametrize(
    ("first", "drip"), [(b"", b""), (b"", b"\r\n"), (b"G", b"")], ids=["silent", "line ends", "byte"]
)
def test_idle_connection_is_closed(impatient: str, first: bytes, drip: bytes) -> None:
    """After an answer the time for another request runs, whatever comes that does not begin one."""
    with connect(impatient) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
        assert 200 == RawAnswer(connection.recv(65536)).status
        connection.sendall(first)

        assert is_closed_in_time(connection, drip)


def test_connection_in_use_is_not_idle(impatient: str) -> None:
    """One that lives longer than it may be idle is served as long as requests come, and closed when none does."""
    started = time.monotonic()
    with connect(impatient) as connection:
        while time.monotonic() < started + 2.5:
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
            assert 200 == RawAnswer(connection.recv(65536)).status
            time.sleep(0.3)

        assert is_closed_in_time(connection, b"")


def is_closed_in_time(connection: socket.socket, drip: bytes) -> bool:
    """Whether the other side ends a connection on which something comes every tenth of a second."""
    deadline = time.monotonic() + 5
    connection.settimeout(0.1)
    while time.monotonic() < deadline:
        try:
            connection.sendall(drip)
            if not connection.recv(65536):
                return True
        except TimeoutError:
            continue
        except ConnectionError:
            return True
    return False


UPGRADE = b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
LAST = b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def statuses(url: str, *parts: bytes) -> list[bytes]:
    """Of all answers to parts that are sent one after the other."""
    with connect(url) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(0.02)
        return re.findall(rb"HTTP/1.1 (\d+)", read_to_end(connection))


def test_many_upgrades_at_once(url: str) -> None:
    """Each is answered; none costs more than the one before."""
    assert [b"200"] * 1001 == statuses(url, UPGRADE * 1000 + LAST)


def test_upgrade_on_a_last_request(url: str) -> None:
    """It is the last one, and its empty headers stay what they are."""
    wish = UPGRADE.replace(b"upgrade", b"close, upgrade").replace(b"\r\n\r\n", b"\r\nX-Empty:\r\n\r\n")

    assert [b"200"] == statuses(url, wish + LAST)


def test_refusal_of_what_stands_behind_is_no_answer(url: str, sandbox: Sandbox) -> None:
    """A request that is cut short in its body is not answered in the place of the one before it."""
    sandbox.put_fault("slow", seconds=0.3)
    first = CREATE + b"Content-Length: %d\r\n\r\n%s" % (len(ORDER), ORDER)

    assert [] == statuses(url, first + CREATE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")


def test_next_head_begins_in_the_segment_of_a_body(url: str) -> None:
    """The bytes of a body do not count as those of the head behind it."""
    body = ORDER + b" " * (65_500 - len(ORDER))
    first = CREATE + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)

    assert [b"201", b"200"] == statuses(url, first[:10], first[10:] + LAST[:5], LAST[5:])


def test_refused_client_that_does_not_read_is_dropped(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it does not read is held for it no longer than what others do not read."""
    monkeypatch.setattr("service.api.protocol.READ_SECONDS", 0.5)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        host, _, port = url.removeprefix("http://").partition(":")
        connection.connect((host, int(port)))
        connection.sendall(b"GET /checkout.js HTTP/1.1\r\nHost: a\r\n\r\n" * 275)
        time.sleep(0.5)
        connection.sendall(b"FOO BAR\r\n\r\n")
        deadline = time.monotonic() + 20
        while not (error := connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)) and time.monotonic() < deadline:
            time.sleep(0.05)

    assert errno.ECONNRESET == error
