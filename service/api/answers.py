"""Answers as bytes, encoded once."""

from http import HTTPStatus

import msgspec
from litestar.response.base import ASGIResponse
from litestar.types import HTTPResponseBodyEvent, HTTPResponseStartEvent, Receive, Scope, Send

from service.api.access import note
from service.api.runtime import AppRequest
from service.api.schemas import CheckoutAnswer
from service.api.texts import warning_answer
from service.checkout.enrichment import accepted_languages, primary_tag
from service.checkout.outcome import Outcome

_encode = msgspec.json.Encoder().encode


class JsonAnswer(ASGIResponse):
    """Bytes as they are, without what the framework's response is prepared for."""

    __slots__ = ("_events",)

    def __init__(self, body: bytes, status: int, *headers: tuple[bytes, bytes]) -> None:
        length = (b"content-length", b"%d" % len(body))
        start: HTTPResponseStartEvent = {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", b"application/json"), length, *headers],
        }
        whole: HTTPResponseBodyEvent = {"type": "http.response.body", "body": body, "more_body": False}
        self._events = (start, whole)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # as ASGI has it
        """Send it."""
        for event in self._events:
            await send(event)


def json_answer(answer: msgspec.Struct, status: int, *headers: tuple[bytes, bytes]) -> ASGIResponse:
    """A struct as JSON."""
    return JsonAnswer(_encode(answer), status, *headers)


def checkout_answer(request: AppRequest, outcome: Outcome, language: str | None) -> ASGIResponse:
    """201 for a new session, 200 for one handed out again or an answer given again; texts in the asked language."""
    session = outcome.session
    result = "replayed" if outcome.replayed else "reused" if outcome.reused else "created"
    note(request, outcome=result, reference=session.reference)
    asked = [primary_tag(language)] if language else accepted_languages(request.headers.get("accept-language"))
    warnings = tuple(warning_answer(warning, asked) for warning in session.warnings)
    status = HTTPStatus.CREATED if result == "created" else HTTPStatus.OK
    headers = [(b"idempotent-replayed", b"true")] if outcome.replayed else []
    return json_answer(CheckoutAnswer.of(outcome, warnings), status, *headers)
