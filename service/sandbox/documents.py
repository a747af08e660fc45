"""JSON documents by dotted path (`cart.lineItems.0.quantity`): read, put, drop and merge."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TypeGuard

import msgspec

Document = dict[str, object]

_encoder = msgspec.json.Encoder(decimal_format="number")


def encoded(document: object) -> bytes:
    return _encoder.encode(document)


def is_document(value: object) -> TypeGuard[Document]:
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def step(container: object, key: str) -> object:
    if is_document(container):
        return container.get(key)
    if is_list(container) and key.isdecimal() and int(key) < len(container):
        return container[int(key)]
    return None


def read(document: object, path: str) -> object:
    for key in path.split("."):
        document = step(document, key)
    return document


def put(document: object, path: str, value: object) -> None:
    """Sets the member where its parent exists; elsewhere nothing happens."""
    parent, _, key = path.rpartition(".")
    container = read(document, parent) if parent else document
    if is_document(container):
        container[key] = value
    elif is_list(container) and key.isdecimal() and int(key) < len(container):
        container[int(key)] = value


def drop(document: object, path: str) -> None:
    parent, _, key = path.rpartition(".")
    container = read(document, parent) if parent else document
    if is_document(container):
        container.pop(key, None)


def merged(document: Document, changes: Mapping[str, object]) -> Document:
    """The document with a JSON merge patch (RFC 7396) applied: null drops a member."""
    result = dict(document)
    for key, change in changes.items():
        present = result.get(key)
        if change is None:
            result.pop(key, None)
        elif is_document(change):
            result[key] = merged(present if is_document(present) else {}, change)
        else:
            result[key] = change
    return result


def decimal_of(value: object) -> Decimal:
    """An amount of a document as a decimal; zero when there is none."""
    return Decimal(str(value)) if isinstance(value, int | float | Decimal) else Decimal(0)
