"""One HTTP/1.1 connection: a request goes out in one write, an answer is read strictly, and anything odd ends it."""

import asyncio
import select
from itertools import chain
from typing import cast

import httpx
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

MAX_HEAD_BYTES = 64 * 1024
_PAUSE_ABOVE_BYTES = 128 * 1024  # unread; one more read of the socket may come on top
_FIRST_FINAL_STATUS = 200
_TO_BE_SKIPPED = range(100, 200)  # but for 101, which the parser takes for the end of HTTP
_LAST_LOOK_SECONDS = 0.001  # until the loop has read what came while it was late
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})


class Connection(asyncio.Protocol):
    """One exchange at a time: `send`, then `read` to the end. Whoever leaves earlier calls `abort`."""

    def __init__(self, origin: tuple[bytes, bytes, int]) -> None:
        self.origin = origin
        self.idle_since = 0.0
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self._loop = asyncio.get_running_loop()
        self._parser = HttpResponseParser(self)
        self._waiter: asyncio.Future[None] | None = None
        self._lost: tuple[type[httpx.TransportError], str] | None = None
        self._is_head = False  # of a HEAD, whose answer has no body whatever its header says
        self._has_status = False
        self._is_whole = True
        self._keeps_alive = True
        self._other_bytes = 0  # of the answer, that are no body
        self._parts: list[bytes] = []
        self._unread_bytes = 0
        self._read_seconds = self._deadline = 0.0  # of this exchange
        self._late_at = 0.0  # for this wait
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    @property
    def is_whole(self) -> bool:
        """Whether all of the answer has come."""
        return self._is_whole

    @property
    def is_clean(self) -> bool:
        """Whether another request may be sent: the last has left, its answer was read, and nothing else came."""
        is_over = self._is_whole and not self._parts and not self._transport.get_write_buffer_size()
        return is_over and self._keeps_alive and self._lost is None

    def is_silent(self) -> bool:
        """Whether nothing came that was not asked for, not even what the loop has yet to read.

        It would be taken for the answer to the next request. What comes later still is, as HTTP/1.1 has no numbers.
        """
        return not self._unseen.poll(0)

    async def send(self, request: bytes, *, is_head: bool, read_seconds: float, deadline: float) -> None:
        """Send a request and wait for the status and headers of its answer.

        Nothing may come for `read_seconds`, at most, and the answer must be there at the `deadline` (the loop's time).

        Raises:
            httpx.TransportError: they did not come. The request may have been carried out.
        """
        self._is_head, self._has_status, self._is_whole, self._other_bytes = is_head, False, False, 0
        self._read_seconds, self._deadline = read_seconds, deadline
        if self._lost is None:
            self._transport.write(request)
        while not self._has_status:
            await self._more()

    async def read(self) -> bytes:
        """What came of the body, waiting for at least a byte; empty at its end.

        Raises:
            httpx.TransportError: the body is broken off.
        """
        while not self._parts and not self._is_whole:
            await self._more()
        return self.take()

    def take(self) -> bytes:
        """What has come of the body and was not taken yet."""
        chunk = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        if self._unread_bytes > _PAUSE_ABOVE_BYTES and self._lost is None:
            self._transport.resume_reading()
        self._unread_bytes = 0
        return chunk

    def abort(self) -> None:
        """Close at once."""
        self._lose(httpx.ReadError, "The connection was given up.")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        self._transport = cast("asyncio.Transport", transport)
        self._unseen = select.poll()
        self._unseen.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        if self._is_whole or self._lost is not None:
            self._lose(httpx.RemoteProtocolError, "More came than was asked for.")
            return
        unread_bytes = self._unread_bytes
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._lose(httpx.RemoteProtocolError, f"The answer is no HTTP: {error}")
            return
        self._other_bytes += len(data) - (self._unread_bytes - unread_bytes)
        if self._other_bytes > MAX_HEAD_BYTES:
            self._lose(httpx.RemoteProtocolError, "The answer's header is too large.")
        elif self._unread_bytes > _PAUSE_ABOVE_BYTES:
            self._transport.pause_reading()
            self._keeps_alive = False  # what comes behind the answer is not seen in time
        self._wake()

    def eof_received(self) -> None:
        """Called by the loop; the transport closes itself then."""
        self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop."""
        self._end(exc)
        del self._parser  # leads back to here: nothing is to be left in a cycle

    def on_message_begin(self) -> None:
        """Called by the parser, as the next are; what they raise ends the connection."""
        if self._is_whole:
            raise HttpParserError("a second answer")
        self.headers = []

    def on_status(self, reason: bytes) -> None:
        if not reason.isascii():
            raise HttpParserError("a reason that is no text")

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._has_status:  # else it is a trailer
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status in _TO_BE_SKIPPED:
            return
        size = sum(map(len, chain.from_iterable(self.headers)))
        if status < _FIRST_FINAL_STATUS or size > MAX_HEAD_BYTES:
            raise HttpParserError("a status that nobody asked for, or too large a header")
        self.status, self._has_status, self._is_whole = status, True, self._is_head
        self._keeps_alive = self._parser.should_keep_alive() and not self._is_head

    def on_body(self, part: bytes) -> None:
        if self._is_whole:
            raise HttpParserError("a body where there is none")
        self._parts.append(part)
        self._unread_bytes += len(part)

    def on_message_complete(self) -> None:
        self._is_whole = self._has_status  # not after a 1xx

    async def _more(self) -> None:
        """Wait until something comes, or the end."""
        if self._lost is not None:
            kind, words = self._lost
            raise kind(words)
        self._waiter = self._loop.create_future()
        self._late_at = min(self._loop.time() + self._read_seconds, self._deadline)
        if self._timer is None or self._late_at < self._timer_at:
            self._set_timer()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _set_timer(self) -> None:
        """One for many waits: it looks when it comes, and is set again only then, as most waits end long before."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = self._late_at
        self._timer = self._loop.call_later(self._late_at - self._loop.time(), self._look)

    def _look(self) -> None:
        self._timer = None
        if self._waiter is None:
            return
        if self._loop.time() < self._late_at:
            self._set_timer()
        else:
            self._timer = self._loop.call_later(_LAST_LOOK_SECONDS, self._give_up, self._waiter)

    def _give_up(self, waiter: asyncio.Future[None]) -> None:
        if waiter is self._waiter and not waiter.done():
            self._lose(httpx.ReadTimeout, "Nothing came in time.")
        else:
            self._look()

    def _end(self, error: Exception | None) -> None:
        """The provider closed the connection, which is the end of an answer that says nothing of its length."""
        is_cut = self._has_status and not self._is_whole
        if self._lost is None and is_cut and error is None:
            self._is_whole = _FRAMING.isdisjoint(name.lower() for name, _ in self.headers)
        self._lose(httpx.RemoteProtocolError if is_cut else httpx.ReadError, "The connection was closed.")

    def _lose(self, kind: type[httpx.TransportError], words: str) -> None:
        """Use it no more; the first reason counts."""
        if self._lost is None:
            self._lost = kind, words
            self._transport.abort()
            if self._timer is not None:
                self._timer.cancel()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
