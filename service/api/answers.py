"""Answers as bytes, encoded once."""

from http import HTTPStatus

import msgspec
from litestar.response.base import ASGIResponse

from service.api.access import note
from service.api.runtime import AppRequest
from service.api.schemas import CheckoutAnswer
from service.api.texts import warning_answer
from service.checkout.enrichment import accepted_languages, primary_tag
from service.checkout.outcome import Outcome

_encode = msgspec.json.Encoder().encode


def json_answer(answer: msgspec.Struct, status: int, headers: dict[str, str] | None = None) -> ASGIResponse:
    """A struct as JSON."""
    return ASGIResponse(body=_encode(answer), status_code=status, media_type="application/json", headers=headers)


def checkout_answer(request: AppRequest, outcome: Outcome, language: str | None) -> ASGIResponse:
    """201 for a new session, 200 for one handed out again or an answer given again; texts in the asked language."""
    session = outcome.session
    result = "replayed" if outcome.replayed else "reused" if outcome.reused else "created"
    note(request, outcome=result, reference=session.reference)
    asked = [primary_tag(language)] if language else accepted_languages(request.headers.get("accept-language"))
    warnings = tuple(warning_answer(warning, asked) for warning in session.warnings)
    status = HTTPStatus.CREATED if result == "created" else HTTPStatus.OK
    headers = {"Idempotent-Replayed": "true"} if outcome.replayed else None
    return json_answer(CheckoutAnswer.of(outcome, warnings), status, headers)
