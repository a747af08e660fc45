"""A provider played by a bare socket server: it shows each request byte by byte and answers whatever a test says."""

import asyncio
import json
import ssl
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from msgspec import Struct

from service.providers.calls import Calls, Limits
from service.providers.http import Timeouts, UpstreamClient
from service.providers.transport import create_transport

TIMEOUTS = Timeouts(connect=1.0, read=2.0, total=4.0)
ASKING_ONCE = Limits(max_attempts=1)
AUTHORIZATION = "Basic c2FuZGJveDpzYW5kYm94"
_END_OF_HEAD = b"\r\n\r\n"


class Received(Struct, frozen=True):
    """One request as it came over the wire."""

    line: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The only value of a header, or None."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None


Handler = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


class Upstream:
    """What came, and what will be answered: `handler` writes to the connection; the connection stays open after it."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.url = ""
        self.requests: list[Received] = []
        self.connections = 0
        self.open_connections = 0
        self.bytes_received = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open_connections += 1
        try:
            while True:
                request = await self._receive(reader)
                self.requests.append(request)
                await self.handler(request, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client went, or the test ends
        finally:
            self.open_connections -= 1
            self._tasks.discard(task)
            writer.close()

    async def stop(self) -> None:
        """End every connection."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*list(self._tasks), return_exceptions=True)

    async def _receive(self, reader: asyncio.StreamReader) -> Received:
        head = await reader.readuntil(_END_OF_HEAD)
        line, *lines = head.removesuffix(_END_OF_HEAD).decode("latin-1").split("\r\n")
        headers = tuple((name, value) for name, _, value in (one.partition(": ") for one in lines))
        length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
        body = await reader.readexactly(length)
        self.bytes_received += len(head) + length
        return Received(line, headers, body)


@asynccontextmanager
async def upstream(
    handler: Handler, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncGenerator[Upstream]:
    """A running upstream on a free loopback port."""
    server = Upstream(handler)
    listener = await asyncio.start_server(server.serve, host, 0, ssl=tls)
    port = listener.sockets[0].getsockname()[1]
    server.url = f"{'https' if tls else 'http'}://{host}:{port}"
    try:
        yield server
    finally:
        listener.close()
        await server.stop()
        await listener.wait_closed()


@asynccontextmanager
async def client_of(  # noqa: PLR0913  # every knob of the real client
    url: str,
    *,
    timeouts: Timeouts = TIMEOUTS,
    authorizations: tuple[str, ...] = (AUTHORIZATION,),
    pool: int = 10,
    authorities: str | None = None,
    calls: Calls | None = None,
) -> AsyncGenerator[UpstreamClient]:
    """The real client, over the real transport; it asks once, as long as `calls` does not say otherwise."""
    transport = create_transport(pool, authorities=authorities)
    client = UpstreamClient(url, authorizations, timeouts, transport, calls or Calls("acme", ASKING_ONCE))
    try:
        yield client
    finally:
        await client.close()


def response(
    status: int = 201, body: bytes = b"{}", headers: tuple[str, ...] = ("Content-Type: application/json",)
) -> bytes:
    """A whole HTTP/1.1 answer."""
    lines = (f"HTTP/1.1 {status} Whatever", *headers, f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + _END_OF_HEAD + body


def json_response(status: int, document: object, headers: tuple[str, ...] = ()) -> bytes:
    """A JSON answer."""
    return response(status, json.dumps(document).encode(), ("Content-Type: application/json", *headers))


def answering(*answers: bytes) -> Handler:
    """Writes the answers in turn, the last one for ever."""
    left = list(answers)

    async def handler(_request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(left.pop(0) if len(left) > 1 else left[0])
        await writer.drain()

    return handler


def then_closing(*answers: bytes) -> Handler:
    """Like `answering`, and ends the connection after each."""
    answer = answering(*answers)

    async def handler(request: Received, writer: asyncio.StreamWriter) -> None:
        await answer(request, writer)
        writer.close()

    return handler


async def silent(_request: Received, _writer: asyncio.StreamWriter) -> None:
    """Reads the request and never answers."""
    await asyncio.Event().wait()


async def resetting(_request: Received, writer: asyncio.StreamWriter) -> None:
    """Reads the request and resets the connection."""
    writer.transport.abort()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; fail when it does not come."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
