"""Answers whose bytes are known: without what the framework's response is prepared for."""

from litestar.response.base import ASGIResponse
from litestar.types import HTTPResponseBodyEvent, HTTPResponseStartEvent, Receive, Scope, Send

JSON = b"application/json"


class JsonAnswer(ASGIResponse):
    """Bytes as they are."""

    __slots__ = ("_events",)

    def __init__(self, body: bytes, status: int, *headers: tuple[bytes, bytes], media_type: bytes = JSON) -> None:
        length = (b"content-length", b"%d" % len(body))
        start: HTTPResponseStartEvent = {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", media_type), length, *headers],
        }
        whole: HTTPResponseBodyEvent = {"type": "http.response.body", "body": body, "more_body": False}
        self._events = (start, whole)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # as ASGI has it
        """Send it."""
        for event in self._events:
            await send(event)
