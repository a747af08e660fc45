"""Reads a JSON body, bounded in size and time."""

import asyncio
import re

from litestar.exceptions import HTTPException, InternalServerException

from service.api.problems import AnyRequest

_BODY_SECONDS = 5.0
_BAD_REQUEST = 400
_REQUEST_TIMEOUT = 408
_UNSUPPORTED_MEDIA_TYPE = 415
_JSON_TYPE = re.compile(r"application/json[ \t]*(;.*)?", re.IGNORECASE)


async def read_json_body(request: AnyRequest) -> bytes:
    """The whole body. What is refused for its type was read first, so the client can read our answer.

    Raises:
        HTTPException: 413 too large, 415 not JSON, 408 too slow, 400 when the client left in its midst.
    """
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            body = await request.body()
    except TimeoutError as error:
        # Whoever is that slow would go on: the connection ends with the answer.
        raise HTTPException(status_code=_REQUEST_TIMEOUT, headers={"Connection": "close"}) from error
    except InternalServerException as error:  # the framework's word for a client that left
        raise HTTPException(status_code=_BAD_REQUEST) from error
    if not _JSON_TYPE.fullmatch(request.headers.get("content-type", "")):
        raise HTTPException(status_code=_UNSUPPORTED_MEDIA_TYPE)
    return body
