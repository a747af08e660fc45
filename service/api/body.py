"""Reads a JSON body, bounded in size and time."""

import asyncio
import re

from litestar.exceptions import HTTPException

from service.api.runtime import AppRequest, runtime_of

_BODY_SECONDS = 5.0
_BAD_REQUEST = 400
_REQUEST_TIMEOUT = 408
_TOO_LARGE = 413
_UNSUPPORTED_MEDIA_TYPE = 415
_JSON_TYPE = re.compile(r"application/json[ \t]*(;.*)?", re.IGNORECASE)


async def read_json_body(request: AppRequest) -> bytes:
    """The whole body. What is refused for its type was read first, so the client can read our answer.

    Raises:
        HTTPException: 413 too large, 415 not JSON, 408 too slow, 400 when the client left in its midst.
    """
    max_bytes = runtime_of(request).server.max_body_bytes
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise HTTPException(status_code=_TOO_LARGE)
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            body = await _read(request, max_bytes)
    except TimeoutError as error:
        # Whoever is that slow would go on: the connection ends with the answer.
        raise HTTPException(status_code=_REQUEST_TIMEOUT, headers={"Connection": "close"}) from error
    types = request.headers.getall("content-type", [])
    is_encoded = request.headers.get("content-encoding", "identity") != "identity"
    if is_encoded or len(types) != 1 or not _JSON_TYPE.fullmatch(types[0]):
        raise HTTPException(status_code=_UNSUPPORTED_MEDIA_TYPE)
    return body


async def _read(request: AppRequest, max_bytes: int) -> bytes:
    body, is_whole = bytearray(), False
    while not is_whole:
        message = await request.receive()
        if message["type"] != "http.request":
            raise HTTPException(status_code=_BAD_REQUEST)
        body += message["body"]
        if len(body) > max_bytes:
            raise HTTPException(status_code=_TOO_LARGE)
        is_whole = not message["more_body"]
    return bytes(body)
