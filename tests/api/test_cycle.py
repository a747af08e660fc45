"""How answers go out, and what is taken of a request at once, by an application of a few lines behind the protocol."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest

from service.api.body import WHOLE_BODY
from service.api.edge import Edge
from service.api.protocol import BoundedProtocol
from tests.support.patience import wait_until
from tests.support.raw import connect, read_to_end, request_bytes
from tests.support.servers import serving

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
Headers = list[tuple[bytes, bytes]]


@contextmanager
def answering(parts: list[bytes], headers: Headers, status: int = 200) -> Generator[str]:
    """Where an application answers with these parts, past the edge; it takes no lifespan."""

    async def application(scope: Message, _receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for number, part in enumerate(parts, 1):
            await send({"type": "http.response.body", "body": part, "more_body": number < len(parts)})

    with serving(application, http=BoundedProtocol) as url:  # type: ignore[arg-type]  # any application will do
        yield url


@pytest.mark.parametrize(
    ("parts", "headers", "sent"),
    [
        ([b"abc"], [(b"content-length", b"3")], b"abc"),
        ([b"ab", b"c"], [(b"content-length", b"3")], b"abc"),
        ([b"ab", b"c"], [], b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"),
        ([b"abc"], [], b"3\r\nabc\r\n0\r\n\r\n"),
        ([b""], [(b"content-length", b"0")], b""),
        ([b"abc"], [(b"content-length", b"3"), (b"connection", b"close")], b"abc"),
    ],
)
def test_answer_arrives_whole(parts: list[bytes], headers: Headers, sent: bytes) -> None:
    """In one part or several, with a length or without, on a connection that stays or ends: two in a row."""
    with answering(parts, headers) as url, connect(url) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.sendall(request_bytes("GET", "/"))
        received = read_to_end(connection)

    answers = re.split(rb"(?=HTTP/1\.1 200 OK\r\n)", received)[1:]
    assert [sent] * (1 if (b"connection", b"close") in headers else 2) == [
        answer.partition(b"\r\n\r\n")[2] for answer in answers
    ]


@pytest.mark.parametrize(("method", "status", "body"), [(b"HEAD", 200, b"abc"), (b"GET", 204, b"")])
def test_answer_without_a_body(method: bytes, status: int, body: bytes) -> None:
    """One to HEAD, and a 204, end with their headers: what follows is the next answer."""
    with answering([body], [(b"content-length", b"%d" % len(body))], status) as url, connect(url) as connection:
        connection.sendall(method + b" / HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.sendall(request_bytes(method.decode(), "/"))
        received = read_to_end(connection)

    assert [b"", b""] == re.split(rb"HTTP/1\.1 %d .*?\r\n\r\n" % status, received, flags=re.DOTALL)[1:]


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: b", b"a\nb", b"a\x00b", b"a\rb", b"a\x7f"])
@pytest.mark.parametrize("close", [b"", b"Connection: close\r\n"])
def test_no_header_is_split(value: bytes, close: bytes) -> None:
    """A value that would be more than one is not sent, nor anything with it, however the answer would go out."""
    with answering([b"abc"], [(b"content-length", b"3"), (b"x-a", value)]) as url, connect(url) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n%b\r\n" % close)
        received = read_to_end(connection)

    assert b"" == received


@pytest.mark.parametrize("length", [b"2", b"4"])
def test_wrong_length_ends_the_connection(length: bytes) -> None:
    """An answer that is not as long as it says cannot be taken for the beginning of the next one."""
    with answering([b"abc"], [(b"content-length", length)]) as url, connect(url) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        received = read_to_end(connection)

    assert 1 == received.count(b"HTTP/1.1 ")


def test_whole_body_is_taken_when_it_is_there() -> None:
    """Before its end has come there is none to take; after it, it is all of it."""
    taken: list[bytes | None] = []

    async def application(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        take: Callable[[], bytes | None] = scope["state"][WHOLE_BODY]
        taken.append(take())
        while (body := take()) is None:  # noqa: ASYNC110  # it is there at once or not: nothing tells when
            await asyncio.sleep(0.01)
        taken.append(body)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with serving(Edge(application, lambda _: False), http=BoundedProtocol) as url, connect(url) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\nab")
        wait_until(lambda: taken, "the first look")
        connection.sendall(b"cd")
        read_to_end(connection)

    assert [None, b"abcd"] == taken
