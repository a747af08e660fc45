"""How a connection is made, and what is written to it: one whole request, or nothing."""

import asyncio
import socket
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest

from tests.support.certificates import Authority
from tests.support.transport import TIMEOUTS, exchange, request_to, transport_of
from tests.support.upstream import Received, answering, response, silent, until, upstream

WHOLE = response(200)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_connect_timeout_covers_the_handshake(scheme: str) -> None:
    """A host that accepts and then says nothing is no connection where TLS is spoken; without TLS it is silent."""
    async with upstream(silent) as server, transport_of(1) as transport:
        url = server.url.replace("http:", f"{scheme}:")
        started = time.monotonic()
        with pytest.raises(httpx.ConnectTimeout if scheme == "https" else httpx.ReadTimeout):
            await exchange(transport, request_to(url, connect=0.2, read=0.3))

    assert 0.2 <= time.monotonic() - started < 1.5


async def test_deadline_is_over_everything() -> None:
    """The wait for an answer, the connecting and the wait for a connection end at the deadline of the request."""

    def until_then(url: str) -> httpx.Request:
        request = request_to(url)
        request.extensions["deadline"] = asyncio.get_running_loop().time() + 0.1
        return request

    async with upstream(silent) as server, transport_of(1) as transport:
        started = time.monotonic()
        with pytest.raises(httpx.ReadTimeout):
            await exchange(transport, until_then(server.url))
        with pytest.raises(TimeoutError):  # nobody speaks TLS there
            await exchange(transport, until_then(server.url.replace("http:", "https:")))
        holding = asyncio.create_task(exchange(transport, request_to(server.url)))
        await until(lambda: len(server.requests) == 2)
        with pytest.raises(TimeoutError):
            await exchange(transport, until_then(server.url))
        took = time.monotonic() - started
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)

    assert 0.3 <= took < 1.5


async def test_each_request_has_timeouts_of_its_own() -> None:
    """On a connection that was used with a long read timeout, a short one ends in its time."""
    async with upstream(answering(WHOLE)) as server, transport_of(1) as transport:
        await exchange(transport, request_to(server.url, read=10.0))
        server.handler = silent
        started = time.monotonic()
        with pytest.raises(httpx.ReadTimeout):
            await exchange(transport, request_to(server.url, read=0.2))

    assert 0.2 <= time.monotonic() - started < 1.5
    assert 1 == server.connections


async def test_address_that_hangs_does_not_hold_up_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two addresses of a name the second is tried soon, whatever becomes of the first."""
    loop = asyncio.get_running_loop()
    resolve = loop.getaddrinfo
    with socket.socket() as full, socket.socket() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting.connect(full.getsockname())
        async with upstream(answering(WHOLE)) as server, transport_of(1) as transport:
            good = ("127.0.0.1", int(server.url.rpartition(":")[2]))

            async def two(host: str, port: int, **hints: int) -> object:
                if host != "two.test":  # uvloop looks up addresses as well
                    return await resolve(host, port, **hints)
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", one) for one in (full.getsockname(), good)]

            monkeypatch.setattr(loop, "getaddrinfo", two)
            started = time.monotonic()
            assert b"{}" == await exchange(transport, request_to("http://two.test", connect=5.0))

    assert 0.2 < time.monotonic() - started < 2.0


async def test_request_is_one_write() -> None:
    """Head and body come in one piece: no half of a request is ever under way."""
    pieces: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pieces.append(await reader.read(1 << 20))
        writer.write(response(200, b"{}", ("Connection: close",)))
        await writer.drain()
        writer.close()

    async with (
        await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20) as listener,
        transport_of(1) as transport,
    ):
        port = listener.sockets[0].getsockname()[1]
        for _ in range(20):
            await exchange(transport, request_to(f"http://127.0.0.1:{port}/a?b=c"))

    expected = f"POST /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 2\r\n\r\n{{}}"
    assert [expected.encode()] * 20 == pieces


@pytest.mark.parametrize("text", ["a\r\nX: b", "a\nb", "a\rb", "a\0b", "a\x7fb"])
@pytest.mark.parametrize("place", ["method", "name", "value"])
@pytest.mark.parametrize("is_usual", [False, True])
async def test_nothing_begins_another_line(text: str, place: str, is_usual: bool) -> None:  # noqa: FBT001  # a table's column
    """CR, LF, NUL or another control character, in whatever is sent, is refused before a connection is made."""
    async with upstream(answering(WHOLE)) as server, transport_of(1) as transport:
        request = request_to(server.url)
        request.extensions["is_usual"] = is_usual
        if place == "method":
            request.method = text
        else:
            request.headers[text if place == "name" else "X-Text"] = text
        with pytest.raises(httpx.LocalProtocolError):
            await exchange(transport, request)

    assert 0 == server.connections


@pytest.mark.parametrize("name", ["", "a b", "a:", "a:b", "ä"])
async def test_header_has_a_proper_name(name: str) -> None:
    """A name that is no token is refused, as another parser could read it as another header."""
    async with upstream(answering(WHOLE)) as server, transport_of(1) as transport:
        request = request_to(server.url)
        request.headers[name] = "1"
        with pytest.raises(httpx.LocalProtocolError):
            await exchange(transport, request)

    assert 0 == server.connections


async def test_body_is_whole() -> None:
    """A body of unknown length is refused, as it could be sent in part."""

    async def parts() -> AsyncGenerator[bytes]:
        yield b"{}"

    async with upstream(answering(WHOLE)) as server, transport_of(1) as transport:
        request = httpx.Request("POST", server.url, content=parts(), extensions={"timeout": TIMEOUTS})
        with pytest.raises(httpx.LocalProtocolError):
            await exchange(transport, request)

    assert 0 == server.connections


async def test_tls_speaks_http_1_1(tmp_path: Path) -> None:
    """A server that would rather speak HTTP/2 is told that we do not; large bodies come whole."""
    authority, chosen = Authority(tmp_path, "known"), []
    tls = authority.server("127.0.0.1")
    tls.set_alpn_protocols(["h2", "http/1.1"])

    async def large(_request: Received, writer: asyncio.StreamWriter) -> None:
        chosen.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
        writer.write(response(200, b"x" * 3_000_000))

    async with upstream(large, tls=tls) as server, transport_of(1, authority.file) as transport:
        sizes = [len(await exchange(transport, request_to(server.url))) for _ in range(3)]

    assert [3_000_000] * 3 == sizes
    assert ["http/1.1"] * 3 == chosen


async def test_connection_whose_request_has_not_left_is_not_used_again() -> None:
    """A provider that answers without reading the request gets no other request behind the rest of it."""
    connections: list[asyncio.StreamWriter] = []

    async def hasty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(WHOLE)

    async with await asyncio.start_server(hasty, "127.0.0.1", 0) as listener, transport_of(1) as transport:
        url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        for _ in range(2):
            request = httpx.Request("POST", url, content=b"x" * 30_000_000, extensions={"timeout": TIMEOUTS})
            await exchange(transport, request)
        for writer in connections:
            writer.close()

    assert 2 == len(connections)
