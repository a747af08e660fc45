"""Pages of a list, newest first unless asked otherwise."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from litestar.datastructures import MultiDict

from service.sandbox.paynow.flake import is_flake_id
from service.sandbox.refusal import bad_field

LARGEST_PAGE = 100


class Listed(Protocol):
    @property
    def id(self) -> str: ...


ListedT = TypeVar("ListedT", bound=Listed)


def page_of(items: Iterable[ListedT], query: MultiDict[str]) -> list[ListedT]:
    """`after` and `before` are ids of entries: what follows the one, or stands in front of the other."""
    ordered = sorted(items, key=lambda item: int(item.id), reverse=not is_ascending(query))
    ids = [item.id for item in ordered]
    start = position(ids, query, "after", default=-1) + 1
    end = position(ids, query, "before", default=len(ids))
    return ordered[start:end][: limit(query)]


def is_ascending(query: MultiDict[str]) -> bool:
    text = query.get("asc", "false").lower()
    if text not in {"true", "false"}:
        raise bad_field("asc", "Not a boolean", value=text)
    return text == "true"


def limit(query: MultiDict[str]) -> int:
    text = query.get("limit", str(LARGEST_PAGE))
    if not text.isdecimal() or not 1 <= int(text) <= LARGEST_PAGE:
        raise bad_field("limit", f"Not a number from 1 to {LARGEST_PAGE}", value=text)
    return int(text)


def position(ids: list[str], query: MultiDict[str], name: str, *, default: int) -> int:
    flake = query.get(name)
    if flake is None:
        return default
    if not is_flake_id(flake) or flake not in ids:
        raise bad_field(name, "No such entry", value=flake)
    return ids.index(flake)
