"""A request as our own code reads it, whether the framework's object stands for it or none does."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from litestar.types import HTTPScope, Receive

_KEY = "headers"


class Asked(Protocol):
    """A request; the framework's is one."""

    @property
    def scope(self) -> HTTPScope:
        """Where the request came from and what it is."""
        ...

    @property
    def receive(self) -> Receive:
        """Where its body comes from."""
        ...


class BareRequest(NamedTuple):
    """A request without a framework."""

    scope: HTTPScope
    receive: Receive


class Headers:
    """The header lines of a request; names are in lower case, and each may come more than once."""

    __slots__ = ("_each_once", "_first", "_lines")

    def __init__(self, lines: Sequence[tuple[bytes, bytes]]) -> None:
        self._lines = lines
        self._first = dict(reversed(lines))
        self._each_once = len(self._first) == len(lines)

    def first(self, name: bytes) -> str | None:
        """The value of the first line of this name."""
        value = self._first.get(name)
        return None if value is None else value.decode("latin-1")

    def all(self, name: bytes) -> list[str]:
        """The values of all of them."""
        value = self._first.get(name)
        if value is None:
            return []
        if self._each_once:
            return [value.decode("latin-1")]
        return [value.decode("latin-1") for other, value in self._lines if other == name]

    def only(self, name: bytes) -> str | None:
        """The value of the only one; None also where there are two, as either may then be the proxy's."""
        values = self.all(name)
        return values[0] if len(values) == 1 else None


def headers_of(scope: Mapping[str, Any]) -> Headers:
    """The headers of a request, put in order once."""
    state = scope["state"]
    headers: Headers | None = state.get(_KEY)
    if headers is None:
        headers = state[_KEY] = Headers(list(scope["headers"]))
    return headers
