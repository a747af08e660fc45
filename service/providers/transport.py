"""The connections to a provider, under httpx's interface: capped, kept a while, verified, and nothing sent twice."""

import asyncio
import math
import re
import socket
import ssl
from collections.abc import AsyncIterator
from functools import cache, lru_cache

import certifi
import httpx
from aiohappyeyeballs import start_connection

from service.providers.connection import Connection
from service.resilience.fair_timeout import fair_timeout
from service.resilience.slots import Slots

_IDLE_SECONDS = 15.0
_NEXT_ADDRESS_AFTER_SECONDS = 0.25
_MOST_HEADS = 256  # remembered: those of one path differ by the length of the body, mostly
_PORTS = {b"http": 80, b"https": 443}
# A request line and headers, without a way to begin another line.
_HEAD = re.compile(
    rb"[A-Z]+ /[!-~]* HTTP/1\.1\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t -~\x80-\xff]*\r\n)+\r\n",
)
Origin = tuple[bytes, bytes, int]


def create_transport(max_connections: int, *, authorities: str | None = None) -> httpx.AsyncBaseTransport:
    """Connections of our own, as httpx's pool loses slots for ever when calls are cancelled.

    (encode/httpcore issue 1093.)

    Certificates and host names are verified against `authorities` (a PEM file; Mozilla's list when None), with TLS
    1.2 or newer. Nothing is taken from the environment: no proxy, certificate or key-log variable can redirect or
    lay open our credentials.
    """
    return _Transport(max_connections, authorities or certifi.where())


def prepare_tls() -> None:
    """Read Mozilla's list: to be called in a thread, before somebody connects and all have to wait for it."""
    _tls(certifi.where())


class _Transport(httpx.AsyncBaseTransport):
    """At most `max_connections`; who finds none waits in turn. The one that was used last is used first."""

    def __init__(self, max_connections: int, authorities: str) -> None:
        self._max_connections = max_connections
        self._authorities = authorities
        self._slots = Slots(max_connections)
        self._open = 0  # or being opened
        self._idle: list[Connection] = []  # the latest last
        self._tidying: asyncio.TimerHandle | None = None
        self._is_closed = False
        self._usual_head = lru_cache(_MOST_HEADS)(_head)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request once; its body is whole, and `connect`, `read` and `pool` timeouts are given.

        Two extensions are of our own: a `deadline`, in the loop's time, is that of everything, and a TimeoutError says
        that it came before anything was sent; `is_usual` says that the head is not of one buyer, and so may be
        remembered.
        """
        message, url, timeouts = self._message(request), request.url, request.extensions["timeout"]
        deadline = request.extensions.get("deadline", math.inf)
        if not self._slots.take():
            await self._wait_for_slot(timeouts["pool"], deadline)
        connection = None
        try:
            origin = (url.raw_scheme, url.raw_host, url.port or _PORTS[url.raw_scheme])
            connection = self._take_idle(origin) or await self._connect(origin, timeouts["connect"], deadline)
            is_head, read_seconds = request.method == "HEAD", timeouts["read"]
            await connection.send(message, is_head=is_head, read_seconds=read_seconds, deadline=deadline)
        except BaseException:
            self.release(connection)
            raise
        return httpx.Response(connection.status, headers=connection.headers, stream=self._body(connection))

    def release(self, connection: Connection | None) -> None:
        """Keep a connection for the next if all of its answer was read; `None` where there was none to be had."""
        self._slots.give_back()
        if connection is None:
            return
        if self._is_closed or not connection.is_clean:
            self._drop(connection)
            return
        connection.idle_since = asyncio.get_running_loop().time()
        self._idle.append(connection)
        self._tidy_later()

    async def aclose(self) -> None:
        """Close every connection; one in use as soon as it is not."""
        self._is_closed = True
        if self._tidying is not None:
            self._tidying.cancel()
        while self._idle:
            self._drop(self._idle.pop())
        await asyncio.sleep(0)  # it is the loop that closes them

    def _message(self, request: httpx.Request) -> bytes:
        if not isinstance(request.stream, httpx.ByteStream):
            raise httpx.LocalProtocolError("The body of a request is sent whole.")
        head_of = self._usual_head if request.extensions.get("is_usual") else _head
        return b"".join((head_of(request.method, request.url.raw_path, *request.headers.raw), *request.stream))

    def _body(self, connection: Connection) -> httpx.AsyncByteStream:
        """What comes after the headers; where it is all there, the connection is free for the next."""
        if not connection.is_whole:
            return _Body(self, connection)
        body = httpx.ByteStream(connection.take())
        self.release(connection)
        return body

    async def _wait_for_slot(self, seconds: float, deadline: float) -> None:
        latest = asyncio.get_running_loop().time() + seconds
        try:
            await self._slots.wait(min(latest, deadline))
        except TimeoutError as error:
            if deadline < latest:
                raise
            raise httpx.PoolTimeout("No connection became free in time.") from error

    def _take_idle(self, origin: Origin) -> Connection | None:
        for place in reversed(range(len(self._idle))):
            if self._idle[place].origin == origin:
                connection = self._idle.pop(place)
                if connection.is_clean and connection.is_silent():
                    return connection
                self._drop(connection)
        return None

    async def _connect(self, origin: Origin, seconds: float, deadline: float) -> Connection:
        if self._open >= self._max_connections and self._idle:
            self._drop(self._idle.pop(0))  # to another host
        self._open += 1
        try:
            async with asyncio.timeout_at(deadline):
                return await _open(origin, self._authorities, seconds)
        except BaseException:
            self._open -= 1
            raise

    def _drop(self, connection: Connection) -> None:
        self._open -= 1
        connection.abort()

    def _tidy_later(self) -> None:
        if self._tidying is None and self._idle:
            first = self._idle[0].idle_since
            self._tidying = asyncio.get_running_loop().call_at(first + _IDLE_SECONDS, self._tidy)

    def _tidy(self) -> None:
        self._tidying = None
        old = asyncio.get_running_loop().time() - _IDLE_SECONDS
        while self._idle and self._idle[0].idle_since <= old:
            self._drop(self._idle.pop(0))
        self._tidy_later()


class _Body(httpx.AsyncByteStream):
    """What has yet to come after the headers; it gives its connection back when it is closed."""

    def __init__(self, transport: _Transport, connection: Connection) -> None:
        self._transport = transport
        self._connection = connection
        self._is_open = True

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self._is_open and (chunk := await self._connection.read()):
            yield chunk

    async def aclose(self) -> None:
        if self._is_open:
            self._is_open = False
            self._transport.release(self._connection)


async def _open(origin: Origin, authorities: str, seconds: float) -> Connection:
    try:
        async with fair_timeout(seconds):
            return await _open_in_time(origin, authorities)
    except TimeoutError as error:
        raise httpx.ConnectTimeout("The connection took too long.") from error
    except (OSError, UnicodeError, RuntimeError) as error:  # the last is uvloop's, the one before of a name
        raise httpx.ConnectError("There is no connection to be had.") from error


async def _open_in_time(origin: Origin, authorities: str) -> Connection:
    scheme, host, port = origin[0], origin[1].decode(), origin[2]
    loop = asyncio.get_running_loop()
    addresses = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # uvloop by itself tries one address after the other, and the first may be of an IPv6 that leads nowhere.
    connected = await start_connection(addresses, happy_eyeballs_delay=_NEXT_ADDRESS_AFTER_SECONDS, loop=loop)
    context, name = (_tls(authorities), host) if scheme == b"https" else (None, None)
    opened = await loop.create_connection(lambda: Connection(origin), sock=connected, ssl=context, server_hostname=name)
    return opened[1]


def _head(method: str, target: bytes, *headers: tuple[bytes, bytes]) -> bytes:
    lines = b"\r\n".join(map(b": ".join, headers))
    head = b"%s %s HTTP/1.1\r\n%s\r\n\r\n" % (method.encode(), target, lines)
    if not _HEAD.fullmatch(head) or head.count(b"\n") != len(headers) + 2:
        raise httpx.LocalProtocolError("The request cannot be written as HTTP.")
    return head


@cache  # for all upstreams and reloads: reading the authorities holds up every request meanwhile
def _tls(authorities: str) -> ssl.SSLContext:
    # `create_default_context` would read SSL_CERT_FILE and SSLKEYLOGFILE.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authorities)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context
