"""JSON documents: walked, read and spoiled one value at a time."""

import json
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]


def paths_of(node: object, path: Path = ()) -> Iterator[Path]:
    """The path of every value in a document, the inner ones too."""
    steps = enumerate(node) if isinstance(node, list) else node.items() if isinstance(node, dict) else ()
    for step, value in steps:
        yield (*path, step)
        yield from paths_of(value, (*path, step))


def value_at(document: object, path: Path) -> object:
    """What stands at a path."""
    node: Any = document
    for step in path:
        node = node[step]
    return node


def changed(document: object, path: Path, *values: object) -> object:
    """A copy of a document with one value replaced, or left out where none is given."""
    copy: object = json.loads(json.dumps(document))
    node: Any = copy
    for step in path[:-1]:
        node = node[step]
    if values:
        node[path[-1]] = values[0]
    else:
        del node[path[-1]]
    return copy


def messages_of(answer: object) -> Iterator[str]:
    """The free texts of an answer: what has a space, an @ or a control character."""
    if isinstance(answer, dict | list):
        for value in answer.values() if isinstance(answer, dict) else answer:
            yield from messages_of(value)
    elif isinstance(answer, str) and any(character in answer for character in " @\r\n<"):
        yield answer
