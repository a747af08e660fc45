"""Requests whose end is in doubt, with another one inside: straight to the service, and through a real HAProxy.

HAProxy tells the service on whose behalf it sends each request. One that it has not seen names somebody else.
"""

import re
import time
from collections.abc import Generator
from contextlib import suppress

import pytest

from tests.support.config import default_toml
from tests.support.haproxy import connected_from, haproxy
from tests.support.process import served
from tests.support.raw import connect
from tests.support.servers import Sandbox

STRANGER, WANTED = "9.9.9.9", "1.1.1.1"
ORDER = b'{"items":[{"product":"pro-license"}]}'


def request(*lines: bytes, first: bytes = b"POST /checkout HTTP/1.1", body: bytes = b"") -> bytes:
    """A request as written."""
    return b"\r\n".join([first, b"Host: a", b"Content-Type: application/json", *lines, b"", body])


INNER = request(b"X-Forwarded-For: " + WANTED.encode(), b"Content-Length: %d" % len(ORDER), body=ORDER)
LAST = request(b"Connection: close", first=b"GET /readyz HTTP/1.1")
NEIGHBOUR = request(b"Connection: close", first=b"GET /nowhere HTTP/1.1")
CHUNKED, END = b"Transfer-Encoding: chunked", b"0\r\n\r\n"
LENGTH = b"Content-Length: %d" % len(INNER)
CHUNK = b"%x\r\n%s\r\n" % (len(INNER), INNER) + END


def sized(value: bytes, *lines: bytes) -> bytes:
    """A length, and the inner request after the head."""
    return request(b"Content-Length: " + value, *lines, body=INNER)


def coded(line: bytes, first: bytes = b"POST /checkout HTTP/1.1") -> bytes:
    """A coding that may or may not be one, against a length in which the inner request is body."""
    return request(line, b"Content-Length: %d" % len(END + INNER), first=first, body=END + INNER)


def chunks(body: bytes) -> bytes:
    """A chunked body."""
    return request(CHUNKED, body=body)


SIZE = b"%d" % len(INNER)
GET = b"GET /livez HTTP/1.1"
UPGRADE = (b"Connection: Upgrade, HTTP2-Settings", b"HTTP2-Settings: AAMAAABk")
VARIANTS = {
    # two framings
    "length and chunks": coded(CHUNKED),
    "chunks and length": request(CHUNKED, b"Content-Length: 5", body=END + INNER),
    "no length and chunks": request(b"Content-Length: 0", CHUNKED, body=CHUNK),
    "two lengths": sized(SIZE, b"Content-Length: 0"),
    "two lengths, turned": sized(b"0", LENGTH),
    "length twice": sized(SIZE, LENGTH),
    "chunked twice": coded(CHUNKED + b"\r\n" + CHUNKED),
    # lengths
    "list of lengths": sized(b"0, " + SIZE),
    "length with a sign": sized(b"+" + SIZE),
    "negative length": sized(b"-1"),
    "hexadecimal length": sized(b"0x%x" % len(INNER)),
    "length with an underscore": sized(b"0_" + SIZE),
    "two numbers": sized(b"0 " + SIZE),
    "zeros first": sized(b"000" + SIZE),
    "length of 2 to the 64": sized(b"18446744073709551616"),
    "empty length": sized(b""),
    "space before the colon": request(b"Content-Length : " + SIZE, body=INNER),
    "folded length": sized(b"\r\n " + SIZE),
    "vertical tab": sized(b"\x0b" + SIZE),
    "zero byte": sized(SIZE + b"\x00"),
    "underscore in the name": sized(SIZE, b"Content_Length: 0"),
    # codings
    "coding with a space before the colon": coded(b"Transfer-Encoding : chunked"),
    "coding after a tab": coded(b"Transfer-Encoding:\tchunked"),
    "coding after a vertical tab": coded(b"Transfer-Encoding:\x0bchunked"),
    "unknown coding": coded(b"Transfer-Encoding: xchunked"),
    "identity": coded(b"Transfer-Encoding: identity"),
    "chunked, then identity": coded(b"Transfer-Encoding: chunked, identity"),
    "quoted coding": coded(b'Transfer-Encoding: "chunked"'),
    "folded coding": coded(b"Transfer-Encoding:\r\n chunked"),
    "coding in a folded line": coded(b"X: y\r\n Transfer-Encoding: chunked"),
    "coding after a bare LF": coded(b"X: y\nTransfer-Encoding: chunked"),
    "coding after a bare CR": coded(b"X: y\rTransfer-Encoding: chunked"),
    "coding in HTTP/1.0": coded(CHUNKED, b"POST /checkout HTTP/1.0"),
    # chunks
    "chunk size with 0x": chunks(b"0x0\r\n\r\n" + INNER),
    "chunk size with a sign": chunks(b"+" + CHUNK),
    "chunk size with an underscore": chunks(b"0_" + CHUNK),
    "negative chunk size": chunks(b"-1\r\n" + INNER),
    "chunk size of 2 to the 64": chunks(b"10000000000000000\r\n" + INNER),
    "chunk longer than its size": chunks(b"1\r\nab\r\n" + END + INNER),
    "chunk without an end": chunks(b"1\r\na" + END + INNER),
    "last chunk ends in CR": chunks(b"0\r\r" + INNER),
    "last chunk ends in LF": chunks(b"0\n\n" + INNER),
    "last chunk with a space": chunks(b"0 \r\n\r\n" + INNER),
    # bodies where none is expected
    "body of a GET": request(LENGTH, first=GET, body=INNER),
    "chunks of a GET": request(CHUNKED, first=GET, body=CHUNK),
    "body of a HEAD": request(LENGTH, first=b"HEAD /livez HTTP/1.1", body=INNER),
    "body of a CONNECT": request(LENGTH, first=b"CONNECT a:80 HTTP/1.1", body=INNER),
    "length named in Connection": sized(SIZE, b"Connection: content-length"),
    "body of an upgrade to h2c": sized(SIZE, b"Upgrade: h2c", *UPGRADE),
    "body of an upgrade to a WebSocket": request(
        LENGTH, b"Connection: Upgrade", b"Upgrade: websocket", first=GET, body=INNER
    ),
    "chunks of an upgrade": request(CHUNKED, b"Upgrade: h2c", *UPGRADE, body=CHUNK),
    "HTTP/0.9": b"GET /livez\r\n" + INNER,
}
# Here Debian's HAProxy 2.6 ends the first request before the inner one, and sends that as one of the stranger's own.
TWO_FOR_HAPROXY = {
    "length of 2 to the 64",
    "last chunk ends in LF",
    "last chunk with a space",
    "body of a CONNECT",
}


class Way:
    """A way to the service: what a connection begins with, and where it goes."""

    def __init__(self, url: str, preface: bytes = b"") -> None:
        self._url = url
        self._preface = preface

    def statuses(self, *parts: bytes) -> list[int]:
        """The statuses of all answers on one connection to parts that are read apart, until it is closed."""
        received = b""
        with connect(self._url) as connection, suppress(ConnectionError):  # it may be closed before all was sent
            connection.sendall(self._preface + parts[0])
            for part in parts[1:]:
                time.sleep(0.005)  # long enough to be read; else it is one part, and so it is sent as well
                with suppress(ConnectionError):
                    connection.sendall(part)
            while chunk := connection.recv(65536):
                received += chunk
        return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", received)]


@pytest.fixture(scope="module")
def ways(_sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Generator[dict[str, Way]]:
    """The ways to the service as it is run: directly, and through HAProxy."""
    _sandbox_server.reset()
    folder = tmp_path_factory.mktemp("framing")
    with (
        served(default_toml(_sandbox_server.url), folder) as service,
        haproxy(folder, service.url, "option forwardfor") as url,
    ):
        yield {"direct": Way(service.url), "haproxy": Way(url, connected_from(STRANGER))}


def heard(sandbox: Sandbox) -> list[object]:
    """The buyer's address in each create that came to the provider; forgets them."""
    addresses = [body.get("buyerIp") for body in sandbox.bodies()]
    if addresses:
        sandbox.reset()
    return addresses


@pytest.mark.parametrize(("way", "address"), [("direct", WANTED), ("haproxy", STRANGER)])
def test_inner_request_would_be_seen(ways: dict[str, Way], sandbox: Sandbox, way: str, address: str) -> None:
    """The control: behind a request that ends where it says, the inner one is answered, on whose behalf is seen."""
    first = request(b"Content-Length: 2", body=b"[]")

    assert [400, 201, 200] == ways[way].statuses(first + INNER + LAST)
    assert [address] == heard(sandbox)


def test_thirty_variants() -> None:
    """There are as many as were promised, without those that are two requests for HAProxy."""
    assert len(VARIANTS.keys() - TWO_FOR_HAPROXY) >= 30
    assert VARIANTS.keys() >= TWO_FOR_HAPROXY


@pytest.mark.parametrize("way", ["direct", "haproxy"])
@pytest.mark.parametrize("name", VARIANTS)
def test_inner_request_is_none(ways: dict[str, Way], sandbox: Sandbox, name: str, way: str) -> None:
    """It is body, or refused with the rest: never answered, never sent on; and whoever comes next gets its own answer.

    Where HAProxy takes it for a second request, the service does so as well: it comes from the stranger.
    """
    head, end, body = VARIANTS[name].partition(b"\r\n\r\n")
    is_second = way == "haproxy" and name in TWO_FOR_HAPROXY
    for parts in ([VARIANTS[name] + LAST], [head + end, body + LAST]):
        statuses = ways[way].statuses(*parts)
        assert statuses[1:] in ([], [200], [201, 200] if is_second else []), statuses
        assert set(heard(sandbox)) <= ({STRANGER} if is_second else set())
        assert [404] == ways[way].statuses(NEIGHBOUR)
