"""Every request to a played provider, kept as it arrived."""

from collections import deque

import msgspec
from msgspec import Struct

KEPT_REQUESTS = 10_000


class RecordedRequest(Struct, frozen=True, rename="camel", kw_only=True):
    """`path` is as it stood on the wire, percent-encoding included; `body` is null where it is no JSON."""

    at: str
    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: object
    body_text: str
    fault: str | None


def json_or_none(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None


class RequestLog:
    def __init__(self) -> None:
        self._requests: deque[RecordedRequest] = deque(maxlen=KEPT_REQUESTS)

    def add(self, request: RecordedRequest) -> None:
        self._requests.append(request)

    def all(self) -> list[RecordedRequest]:
        return list(self._requests)

    def clear(self) -> None:
        self._requests.clear()
