"""Answers as bytes, encoded once."""

from http import HTTPStatus

import msgspec
from litestar.response.base import ASGIResponse

from service.api.access import note
from service.api.asked import Asked, headers_of
from service.api.json_answer import JsonAnswer
from service.api.schemas import CheckoutAnswer, WarningAnswer
from service.api.texts import warning_answer
from service.checkout.enrichment import accepted_languages, primary_tag
from service.checkout.models import UpstreamWarning
from service.checkout.outcome import Outcome

_encode = msgspec.json.Encoder().encode


def json_answer(answer: msgspec.Struct, status: int, *headers: tuple[bytes, bytes]) -> ASGIResponse:
    """A struct as JSON."""
    return JsonAnswer(_encode(answer), status, *headers)


def checkout_answer(asked: Asked, outcome: Outcome, language: str | None) -> ASGIResponse:
    """201 for a new session, 200 for one handed out again or an answer given again; texts in the asked language."""
    session = outcome.session
    result = "replayed" if outcome.replayed else "reused" if outcome.reused else "created"
    note(asked, outcome=result, reference=session.reference)
    warnings = _warnings(asked, session.warnings, language) if session.warnings else ()
    status = HTTPStatus.CREATED if result == "created" else HTTPStatus.OK
    headers = [(b"idempotent-replayed", b"true")] if outcome.replayed else []
    return json_answer(CheckoutAnswer.of(outcome, warnings), status, *headers)


def _warnings(asked: Asked, given: tuple[UpstreamWarning, ...], language: str | None) -> tuple[WarningAnswer, ...]:
    accepted = headers_of(asked.scope).first(b"accept-language")
    languages = [primary_tag(language)] if language else accepted_languages(accepted)
    return tuple(warning_answer(warning, languages) for warning in given)
