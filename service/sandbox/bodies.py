"""Bodies of the sandbox's own routes and of what it answers."""

from http import HTTPStatus
from typing import TypeAlias, TypeVar

import msgspec
from litestar import Request, Response
from litestar.datastructures import State

from service.sandbox.documents import encoded
from service.sandbox.refusal import RefusalError

PlainRequest: TypeAlias = Request[object, object, State]
BodyT = TypeVar("BodyT")


def response(document: object, status: int = HTTPStatus.OK) -> Response[bytes]:
    return Response(encoded(document), status_code=status, media_type="application/json")


async def body_as(request: PlainRequest, kind: type[BodyT]) -> BodyT:
    try:
        return msgspec.json.decode(await request.body() or b"{}", type=kind)
    except msgspec.DecodeError as error:
        raise RefusalError(HTTPStatus.BAD_REQUEST, str(error)) from error
