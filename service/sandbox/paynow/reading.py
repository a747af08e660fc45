"""Reads a request strictly: its media type, its JSON, then the documented schema."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import TypeVar

import msgspec
from litestar.datastructures import MultiDict

from service.sandbox.bodies import PlainRequest
from service.sandbox.documents import Document, is_document
from service.sandbox.refusal import RefusalError, bad_field

WireT = TypeVar("WireT")
JSON_MEDIA_TYPE = re.compile(r"(?:application|text)/json|application/[^;\s]+\+json")


async def document_of(request: PlainRequest) -> Document:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not JSON_MEDIA_TYPE.fullmatch(media_type):
        raise RefusalError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "JSON is required")
    try:
        document: object = msgspec.json.decode(await request.body())
    except msgspec.DecodeError as error:
        raise RefusalError(HTTPStatus.BAD_REQUEST, "The body is no JSON") from error
    if not is_document(document):
        raise RefusalError(HTTPStatus.BAD_REQUEST, "The body must be a JSON object")
    return document


def converted(document: Document, kind: type[WireT]) -> WireT:
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at ")
        raise bad_field(path.strip("`").removeprefix("$").lstrip(".") or "body", message) from error


async def body_of(request: PlainRequest, kind: type[WireT]) -> WireT:
    return converted(await document_of(request), kind)


def only_parameter(query: MultiDict[str], allowed: Sequence[str]) -> tuple[str, str]:
    """The one parameter that there must be."""
    given = list(query.multi_items())
    if len(given) != 1 or given[0][0] not in allowed or not given[0][1]:
        raise bad_field("query", f"Exactly one of {', '.join(allowed)} is required")
    return given[0]
