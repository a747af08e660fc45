"""One connection, byte by byte: what counts as an answer, what ends it, and what it may cost."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from service.providers.connection import MAX_HEAD_BYTES
from service.providers.transport import create_transport
from tests.support.upstream import Handler, Received, answering, resetting, silent, then_closing, until, upstream

SECONDS = {"connect": 2.0, "read": 2.0, "pool": 2.0}
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
WHOLE = HEAD + b"Content-Length: 2\r\n\r\n{}"


@asynccontextmanager
async def answer_of(handler: Handler, method: str = "GET", read: float = 2.0) -> AsyncGenerator[httpx.Response]:
    """The answer to one request, its body not read yet."""
    transport = create_transport(1)
    async with upstream(handler) as server:
        request = httpx.Request(method, server.url, extensions={"timeout": {**SECONDS, "read": read}})
        try:
            response = await transport.handle_async_request(request)
            try:
                yield response
            finally:
                await response.aclose()
        finally:
            await transport.aclose()


async def body_of(handler: Handler, method: str = "GET", read: float = 2.0) -> bytes:
    async with answer_of(handler, method, read) as response:
        return await response.aread()


def in_pieces(*pieces: bytes, seconds: float = 0.02, closing: bool = False) -> Handler:
    """Writes one piece after the other, with a pause after each."""

    async def handler(_request: Received, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(seconds)
        if closing:
            writer.close()

    return handler


def endless(start: bytes, again: bytes) -> Handler:
    """Writes the start, and then the same for ever."""

    async def handler(_request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while not writer.is_closing():
            writer.write(again)
            await writer.drain()

    return handler


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        pytest.param(WHOLE, b"{}", id="length"),
        pytest.param(CHUNKED + b"2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n", b"abc", id="chunks"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE, b"{}", id="after-100"),
        pytest.param(b"HTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 102 X\r\n\r\n" + WHOLE, b"{}", id="after-103"),
        pytest.param(b"HTTP/1.1 204 None\r\n\r\n", b"", id="204"),
        pytest.param(b"HTTP/1.1 304 Same\r\nContent-Length: 9\r\n\r\n", b"", id="304"),
        pytest.param(HEAD + b"Content-Length: 0\r\n\r\n", b"", id="nothing"),
        pytest.param(HEAD + b"X-Long: " + b"x" * (MAX_HEAD_BYTES - 100) + b"\r\nContent-Length: 2\r\n\r\n{}", b"{}"),
    ],
)
async def test_answer_is_read(answer: bytes, body: bytes) -> None:
    """A body by length or in chunks, or none by its status; what comes before the final status is skipped."""
    assert body == await body_of(answering(answer))
    assert body == await body_of(in_pieces(answer[:9], answer[9:40], answer[40:]))


@pytest.mark.parametrize("method", ["HEAD", "GET"])
async def test_head_has_no_body(method: str) -> None:
    """The length in an answer to HEAD is that of another body; the same answer to GET has one."""
    assert (b"" if method == "HEAD" else b"{}") == await body_of(answering(WHOLE), method)


async def test_body_until_the_end_of_the_connection() -> None:
    """An answer that says nothing of its length ends with its connection."""
    assert b"abc" == await body_of(then_closing(HEAD + b"\r\nabc"))


async def test_interim_headers_are_not_the_answers() -> None:
    """Neither the headers of a 103 nor trailers are taken for headers of the answer."""
    trailed = CHUNKED + b"1\r\na\r\n0\r\nRetry-After: 9\r\n\r\n"
    async with answer_of(answering(b"HTTP/1.1 103 Early\r\nRetry-After: 9\r\n\r\n" + trailed)) as response:
        assert b"a" == await response.aread()

    assert ["transfer-encoding"] == list(response.headers)


BOTH = b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(HEAD + BOTH + b"2\r\n{}\r\n0\r\n\r\n", id="length-and-chunks"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}", id="chunks-and-length"),
        pytest.param(HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", id="two-lengths"),
        pytest.param(HEAD + b"Content-Length: -2\r\n\r\n{}", id="negative-length"),
        pytest.param(HEAD + b"Content-Length: 2, 2\r\n\r\n{}", id="list-of-lengths"),
        pytest.param(HEAD + b"Transfer-Encoding: gzip\r\n\r\n{}", id="unknown-coding"),
        pytest.param(CHUNKED + b"zz\r\n{}\r\n", id="chunk-without-size"),
        pytest.param(CHUNKED + b"2\r\n{}x\r\n0\r\n\r\n", id="chunk-too-long"),
        pytest.param(CHUNKED + b"2\n{}\n0\n\n", id="chunks-of-bare-line-feeds"),
        pytest.param(CHUNKED + b"fffffffffffffffff\r\n{}", id="size-too-large"),
        pytest.param(b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", id="bare-line-feeds"),
        pytest.param(HEAD + b"X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}", id="folded-header"),
        pytest.param(HEAD + b"X : a\r\nContent-Length: 2\r\n\r\n{}", id="space-before-the-colon"),
        pytest.param(HEAD + b"X: a\0b\r\nContent-Length: 2\r\n\r\n{}", id="nul-in-a-header"),
        pytest.param(b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\n{}", id="status-of-four-digits"),
        pytest.param(b"HTTP/1.1 042 OK\r\nContent-Length: 2\r\n\r\n{}", id="status-below-100"),
        pytest.param(b"HTTP/1.1 101 Switch\r\n\r\n" + WHOLE, id="101"),
        pytest.param(b"HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + WHOLE, id="upgrade"),
        pytest.param(b"HTTP/1.1 200 \xff\xfe\r\nContent-Length: 2\r\n\r\n{}", id="reason-that-is-no-text"),
        pytest.param(b"\x15\x03\x01\x00\x02\x02", id="tls-alert"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n\r\n", id="ssh"),
        pytest.param(HEAD + b"X: " + b"x" * MAX_HEAD_BYTES + b"\r\nContent-Length: 2\r\n\r\n{}", id="large-header"),
        pytest.param(HEAD + b"X: x\r\n" * (MAX_HEAD_BYTES // 2) + b"Content-Length: 2\r\n\r\n{}", id="many-headers"),
        pytest.param(HEAD + b"Content-Length: 10\r\n\r\nabc", id="cut-by-length"),
        pytest.param(CHUNKED + b"5\r\nabc", id="cut-in-a-chunk"),
        pytest.param(CHUNKED + b"3\r\nabc\r\n", id="without-the-last-chunk"),
    ],
)
async def test_what_can_be_read_in_two_ways_is_not_read(answer: bytes) -> None:
    """Framing that two parsers would see differently, a header without measure, or half an answer: refused."""
    with pytest.raises(httpx.RemoteProtocolError):
        await body_of(then_closing(answer))


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(endless(HEAD + b"X: ", b"x" * 1000), id="header"),
        pytest.param(endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), id="100"),
        pytest.param(endless(CHUNKED + b"1\r\na\r\n0\r\nX: ", b"x" * 1000), id="trailer"),
        pytest.param(endless(CHUNKED + b"1;", b"x" * 1000), id="chunk-extension"),
    ],
)
async def test_what_never_becomes_a_body_is_given_up(handler: Handler) -> None:
    """A header, interim answers, a trailer or a chunk's extension without an end are not collected."""
    with pytest.raises(httpx.RemoteProtocolError):
        await body_of(handler)


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        pytest.param(resetting, httpx.ReadError, id="reset"),
        pytest.param(then_closing(b""), httpx.ReadError, id="closed"),
        pytest.param(then_closing(b"HTTP/1.1 2"), httpx.ReadError, id="closed-in-the-head"),
        pytest.param(silent, httpx.ReadTimeout, id="silent"),
        pytest.param(in_pieces(HEAD, seconds=9), httpx.ReadTimeout, id="silent-in-the-head"),
        pytest.param(in_pieces(HEAD + b"\r\nabc", seconds=9), httpx.ReadTimeout, id="silent-in-an-open-body"),
        pytest.param(in_pieces(WHOLE[:-1], seconds=9), httpx.ReadTimeout, id="silent-in-the-body"),
    ],
)
async def test_answer_that_does_not_come(handler: Handler, kind: type[Exception]) -> None:
    """A connection that ends, or a silence longer than the read timeout, has its own error wherever it happens."""
    with pytest.raises(kind):
        await body_of(handler, read=0.2)


async def test_reset_is_not_the_end_of_a_body() -> None:
    """Half of a body without a length does not pass for the whole when the connection is reset."""

    async def reset_later(_request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"\r\nabc")
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.get_extra_info("socket").setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER of nothing: a reset
        writer.transport.abort()

    with pytest.raises(httpx.RemoteProtocolError):
        await body_of(reset_later)


async def test_read_timeout_is_between_bytes() -> None:
    """An answer whose pieces each come in time may take longer in all."""
    pieces = [WHOLE[place : place + 8] for place in range(0, len(WHOLE), 8)]
    assert b"{}" == await body_of(in_pieces(*pieces, seconds=0.1), read=0.3)


async def test_reader_who_stops_stops_the_provider() -> None:
    """What nobody reads stays with its sender, but for the buffers of the system; then the rest comes as well."""
    sent = 0

    async def flooding(_request: Received, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(HEAD + b"\r\n")
        while not writer.is_closing():
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    async with answer_of(flooding) as response:
        await until(lambda: sent > 0)
        await until(stands_still(lambda: sent))
        assert sent < 32 << 20
        stopped_at, received = sent, 0
        async for chunk in response.aiter_raw():
            received += len(chunk)
            assert len(chunk) < 1 << 20
            if received > stopped_at + (8 << 20):
                break


def stands_still(value: Callable[[], int]) -> Callable[[], bool]:
    """Whether a value is the same as it was the last twenty times."""
    seen: list[int] = []

    def check() -> bool:
        seen.append(value())
        return len(seen) > 20 and len(set(seen[-20:])) == 1

    return check
