"""uvicorn's HTTP/1.1 protocol, bounded before a request is whole, with problem documents for what is no HTTP.

httptools keeps whatever comes before a body without a limit, and an application hears of a request only after that.
"""

import asyncio
import secrets
import socket
import struct
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from service.api.edge import HARDENED_HEADERS
from service.api.problems import PROBLEM_JSON, PROBLEMS, encoded_problem

MAX_HEAD_BYTES = 64 * 1024  # above what the edge refuses in words of its own
HEAD_SECONDS = 10.0
_NOTHING_LINGERS = struct.pack("ii", 1, 0)
READ_SECONDS = 10.0  # for the client to make room for more of an answer


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose request head is too large or too slow, after an answer that says so.

    So is one closed on which no request begins, whatever else comes, and one whose client does not read its answer.
    """

    _head_bytes: int | None = None  # None outside of a head
    _head_deadline: asyncio.TimerHandle | None = None
    _read_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """A first request has to come."""
        super().connection_made(transport)
        self._expect_request(HEAD_SECONDS)

    def on_response_complete(self) -> None:
        """Another request may come; uvicorn's own timer is ended by any byte."""
        super().on_response_complete()
        self._expect_request(self.timeout_keep_alive)

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
        """Count what comes while a head stays incomplete; the chunk that begins it is bounded by the read size."""
        was_in_head = self._head_bytes is not None
        super().data_received(data)
        if was_in_head and self._head_bytes is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse("headers-too-large")

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._end_head()
        self._head_bytes = 0
        self._head_deadline = self.loop.call_later(HEAD_SECONDS, self._refuse, "request-timeout")

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._end_head()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more will come."""
        self._end_head()
        self._end_read_deadline()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # the problem says more than uvicorn's sentence
        """What came is no HTTP."""
        self._refuse("invalid-request")

    def _expect_request(self, seconds: float) -> None:
        if self._head_bytes is None:  # else the next one has begun already
            self._end_head()
            self._head_deadline = self.loop.call_later(seconds, self._close_idle)

    def _close_idle(self) -> None:
        self._head_deadline = None
        served = cast("RequestResponseCycle | None", self.cycle)  # none before the first request
        if served is None or served.response_complete:
            self.transport.abort()

    def _reset(self) -> None:
        """Drop the connection, and what the system still holds for a client that does not read."""
        connection: socket.socket = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NOTHING_LINGERS)
        self.transport.abort()

    def _end_read_deadline(self) -> None:
        if self._read_deadline is not None:
            self._read_deadline.cancel()
            self._read_deadline = None

    def _end_head(self) -> None:
        self._head_bytes = None
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None

    def _refuse(self, slug: str) -> None:
        self._end_head()
        if self.transport.is_closing():
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
