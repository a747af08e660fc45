"""uvicorn's HTTP/1.1 protocol, bounded before a request is whole, with problem documents for what is no HTTP.

httptools keeps whatever comes before a body without a limit, and an application hears of a request only after that.
"""

import asyncio
import secrets
import socket
import struct
from typing import cast
from urllib.parse import unquote

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser, parse_url
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from service.api.body import WHOLE_BODY
from service.api.connections import CONNECTIONS
from service.api.cycle import Cycle
from service.api.edge import HARDENED_HEADERS
from service.api.problems import PROBLEM_JSON, PROBLEMS, encoded_problem

MAX_HEAD_BYTES = 64 * 1024  # above what the edge refuses in words of its own
HEAD_SECONDS = 10.0
MAX_FRAMING_BYTES = 256 * 1024  # of one message: its head, chunk sizes, their extensions, trailers; not its body
_UPGRADING = {b"upgrade", b"http2-settings"}
_NOTHING_LINGERS = struct.pack("ii", 1, 0)
READ_SECONDS = 10.0  # for the client to make room for more of an answer


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose request head is too large or too slow, after an answer that says so.

    So is one closed on which no request begins, whatever else comes, and one whose client does not read its answer.

    An upgrade is not offered: a request that asks for one is served as if it had not.
    """

    _running: RequestResponseCycle | None = None  # the one that is answered; uvicorn's `cycle` is the latest
    _heads = _framing_bytes = 0
    _head_bytes: int | None = None  # None outside of a head
    _idle_until = 0.0
    _idle_timer: asyncio.TimerHandle | None = None  # stays over many requests: it looks at `_idle_until` when it fires
    _head_timer: asyncio.TimerHandle | None = None  # only for a head that does not come at once
    _read_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """A first request has to come."""
        super().connection_made(transport)
        CONNECTIONS.note_open(transport)
        self._expect_request(HEAD_SECONDS)

    def on_response_complete(self) -> None:
        """Another request may come, or came already; uvicorn's own timer for it would be ended by any byte."""
        self.server_state.total_requests += 1
        if self.cycle.response_complete:  # else another request came meanwhile
            CONNECTIONS.note_idle(self.transport)
        self._expect_request(self.timeout_keep_alive)
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())

    def pause_writing(self) -> None:
        """The client does not read."""
        super().pause_writing()
        if self._read_deadline is None:
            self._read_deadline = self.loop.call_later(READ_SECONDS, self._reset)

    def resume_writing(self) -> None:
        """It does."""
        super().resume_writing()
        self._end_read_deadline()

    def data_received(self, data: bytes) -> None:
        """Parse what comes; a request that asks for an upgrade is parsed again, without its wish."""
        parts = [memoryview(data)]
        while parts and not self.transport.is_closing():
            part = parts.pop()
            try:
                self._feed(part)
            except HttpParserUpgrade as upgrade:
                parts += [part[upgrade.args[0] :], memoryview(self._head_without_upgrade())]
            except HttpParserError:
                self._refuse("invalid-request")
        if self._head_bytes is not None and self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._refuse, "request-timeout")

    def _feed(self, data: memoryview) -> None:
        """Parse, and count what is no body; the chunk that begins a head is bounded by the read size."""
        head = self._heads if self._head_bytes is not None else None
        self._framing_bytes += len(data)
        self.parser.feed_data(data)
        if self._head_bytes is not None and head == self._heads:
            self._head_bytes += len(data)
        if (self._head_bytes or 0) > MAX_HEAD_BYTES or self._framing_bytes > MAX_FRAMING_BYTES:
            self._refuse("headers-too-large")

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._end_head()
        self._heads += 1
        self._head_bytes = self._framing_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Part of a head; a trailer, which no proxy has looked at, is not."""
        if self._head_bytes is not None:
            name = name.lower()
            if name == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is whole.

        Raises:
            HttpParserError: it is no request that a proxy would read as we do.
        """
        self._end_head()
        version, method = self.parser.get_http_version(), self.parser.get_method()
        if method == b"CONNECT" or not _is_unambiguous(version, self.url, self.headers):
            raise HttpParserError
        if not self.parser.should_upgrade():
            CONNECTIONS.note_busy(self.transport)
            self._begin(method.decode("ascii"), version)

    def on_body(self, body: bytes) -> None:
        """Bodies are bounded by whoever reads them."""
        self._framing_bytes -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """It is not, where the parser skipped the body as that of an upgrade."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more will come."""
        self._end_head()
        self._end_idle()
        self._end_read_deadline()
        CONNECTIONS.note_closed(self.transport)
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # the problem says more than uvicorn's sentence
        """What came is no HTTP."""
        self._refuse("invalid-request")

    def _begin(self, method: str, version: str) -> None:
        """Serve a request, or let it wait for those before it."""
        url, scope = parse_url(self.url), self.scope
        scope["method"], scope["http_version"] = method, version
        scope["raw_path"], scope["query_string"] = url.path, url.query or b""
        scope["path"] = unquote(url.path.decode("ascii"))
        self.cycle = cycle = self._make_cycle(keep_alive=version != "1.0")
        scope["state"] = self.app_state | {WHOLE_BODY: cycle.take_whole_body}
        app = cast("ASGI3Application", self.app)
        if self._is_answering():
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, app))
        else:
            self._start_asgi_task(cycle, app)

    def _make_cycle(self, *, keep_alive: bool) -> Cycle:
        return Cycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=keep_alive and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _head_without_upgrade(self) -> bytes:
        """The head once more, as its body is skipped where it asks for an upgrade, and then taken for a request."""
        version = self.parser.get_http_version().encode()
        head = [self.parser.get_method(), b" ", self.url, b" HTTP/", version, b"\r\n"]
        for name, value in self.headers:
            kept = _without_upgrade(value) if name == b"connection" else value
            if name != b"upgrade" and (kept or name != b"connection"):
                head += [name, b": ", kept, b"\r\n"]
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it
        return b"".join([*head, b"\r\n"])

    def _expect_request(self, seconds: float) -> None:
        if self._head_bytes is None:  # else the next one has begun already
            self._idle_until = self.loop.time() + seconds
            if self._idle_timer is None or self._idle_timer.when() > self._idle_until:
                self._watch_idle()

    def _watch_idle(self) -> None:
        self._end_idle()
        self._idle_timer = self.loop.call_at(self._idle_until, self._close_idle)

    def _close_idle(self) -> None:
        self._idle_timer = None
        if self._head_bytes is not None or self._is_answering():
            return  # after its answer a request is expected anew
        if self.loop.time() < self._idle_until:
            self._watch_idle()
        else:
            self.transport.abort()

    def _is_answering(self) -> bool:
        return self._running is not None and not self._running.response_complete

    def _reset(self) -> None:
        """Drop the connection, and what the system still holds for a client that does not read."""
        connection: socket.socket = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NOTHING_LINGERS)
        self.transport.abort()

    def _end_read_deadline(self) -> None:
        if self._read_deadline is not None:
            self._read_deadline.cancel()
            self._read_deadline = None

    def _end_idle(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    def _end_head(self) -> None:
        self._head_bytes = None
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, slug: str) -> None:
        self._end_head()
        self._end_idle()
        if self.transport.is_closing():
            return
        if self._is_answering() and (self.pipeline or self.cycle.response_started or not self.cycle.more_body):
            self.transport.abort()  # what is refused came behind a request that has its answer to come
            return
        request_id = secrets.token_hex(16)
        body = encoded_problem(slug, request_id)
        headers = {
            **HARDENED_HEADERS,
            b"content-type": PROBLEM_JSON.encode(),
            b"content-length": str(len(body)).encode(),
            b"connection": b"close",
            b"request-id": request_id.encode(),
        }
        status = PROBLEMS[slug].status
        head = b"".join(name + b": " + value + b"\r\n" for name, value in headers.items())
        self.transport.write(b"HTTP/1.1 %d Refused\r\n%s\r\n%s" % (status, head, body))
        self.transport.close()
        self._read_deadline = self.loop.call_later(READ_SECONDS, self._reset)


def _is_unambiguous(version: str, target: bytes, headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether a head says once where it goes, and how its body ends (RFC 9112, 3.2 and 6.1)."""
    names = [name for name, _ in headers]
    hosts, has_coding = names.count(b"host"), b"transfer-encoding" in names
    if version == "1.1":
        return hosts == 1 and (not has_coding or _codings(headers) == [b"chunked"]) and b"#" not in target
    return version == "1.0" and hosts <= 1 and not has_coding and b"#" not in target


def _codings(headers: list[tuple[bytes, bytes]]) -> list[bytes]:
    return [value.strip().lower() for name, value in headers if name == b"transfer-encoding"]


def _without_upgrade(connection: bytes) -> bytes:
    """The options of a `Connection` header that are not those of an upgrade."""
    options = (option.strip() for option in connection.split(b","))
    return b", ".join(option for option in options if option.lower() not in _UPGRADING)
