"""uvicorn's side of one request and its answer, with what is there at once taken and sent at once."""

from uvicorn._types import ASGISendEvent, HTTPResponseStartEvent
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

_OF_ITS_OWN_FRAMING = frozenset({b"connection", b"transfer-encoding"})
_NO_TEXT = bytes(range(0x20)) + b"\x7f"


class Cycle(RequestResponseCycle):
    """Holds the head of an answer until its body comes: both go out in one write when that is all of the body."""

    _head: HTTPResponseStartEvent | None = None

    def take_whole_body(self) -> bytes | None:
        """The body of the request, once it is all there."""
        if self.more_body or self.disconnected:
            return None
        body = bytes(self.body)
        self.body.clear()
        return body

    async def send(self, message: ASGISendEvent) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start" and not self.response_started:
            self._head, self.response_started = message, True
            return
        head, self._head = self._head, None
        if head is not None:
            if message["type"] == "http.response.body" and not message.get("more_body"):
                whole = self._whole_answer(head, message.get("body", b""))
                if whole is not None:
                    await self._finish(whole)
                    return
            self.response_started = False
            await super().send(head)
        await super().send(message)

    def _whole_answer(self, head: HTTPResponseStartEvent, body: bytes) -> bytes | None:
        """The bytes of a usual answer; None for one that uvicorn has to look at."""
        headers = [*self.default_headers, *head.get("headers", ())]
        by_name = dict(headers)
        if (
            by_name.get(b"content-length") != b"%d" % len(body)
            or not by_name.keys().isdisjoint(_OF_ITS_OWN_FRAMING)
            or self.scope["method"] == "HEAD"
            or not self.keep_alive
        ):
            return None
        lines = b"".join([b"%b: %b\r\n" % line for line in headers])
        ends = 2 * len(headers)
        if len(lines) - len(lines.translate(None, _NO_TEXT)) != ends:
            return None  # a character that no header may have
        return b"%b%b\r\n%b" % (STATUS_LINE[head["status"]], lines, body)

    async def _finish(self, answer: bytes) -> None:
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        self.transport.write(answer)
        self.response_complete = True
        self.message_event.set()
        self.on_response()
