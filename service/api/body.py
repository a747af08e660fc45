"""Reads a JSON body, bounded in size and time."""

import asyncio
import re
from collections.abc import Callable

from litestar.exceptions import HTTPException

from service.api.asked import Asked, headers_of
from service.api.runtime import runtime_of

_BODY_SECONDS = 5.0
_BAD_REQUEST = 400
_REQUEST_TIMEOUT = 408
_TOO_LARGE = 413
_UNSUPPORTED_MEDIA_TYPE = 415
WHOLE_BODY = "whole_body"
"""Where a server may leave, in a request's state, a function for its body: None while it is not all there."""

_JSON_TYPE = re.compile(r"application/json[ \t]*(;.*)?", re.IGNORECASE)


async def read_json_body(asked: Asked) -> bytes:
    """The whole body. What is refused for its type was read first, so the client can read our answer.

    Raises:
        HTTPException: 413 too large, 415 not JSON, 408 too slow, 400 when the client left in its midst.
    """
    max_bytes, headers = runtime_of(asked).server.max_body_bytes, headers_of(asked.scope)
    announced = headers.first(b"content-length") or ""
    if announced.isdecimal() and int(announced) > max_bytes:
        raise HTTPException(status_code=_TOO_LARGE)
    take_whole: Callable[[], bytes | None] | None = asked.scope["state"].get(WHOLE_BODY)
    body = take_whole() if take_whole else None
    if body is None:
        body = await _read_in_time(asked, max_bytes)
    elif len(body) > max_bytes:
        raise HTTPException(status_code=_TOO_LARGE)
    media_type = headers.only(b"content-type")
    is_encoded = headers.first(b"content-encoding") not in {None, "identity"}
    if is_encoded or media_type is None or not _JSON_TYPE.fullmatch(media_type):
        raise HTTPException(status_code=_UNSUPPORTED_MEDIA_TYPE)
    return body


async def _read_in_time(asked: Asked, max_bytes: int) -> bytes:
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            return await _read(asked, max_bytes)
    except TimeoutError as error:
        # Whoever is that slow would go on: the connection ends with the answer.
        raise HTTPException(status_code=_REQUEST_TIMEOUT, headers={"Connection": "close"}) from error


async def _read(asked: Asked, max_bytes: int) -> bytes:
    body, is_whole = bytearray(), False
    while not is_whole:
        message = await asked.receive()
        if message["type"] != "http.request":
            raise HTTPException(status_code=_BAD_REQUEST)
        body += message["body"]
        if len(body) > max_bytes:
            raise HTTPException(status_code=_TOO_LARGE)
        is_whole = not message["more_body"]
    return bytes(body)
