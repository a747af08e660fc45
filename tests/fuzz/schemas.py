"""Values by a JSON Schema of the OpenAPI document, and the same with one thing wrong."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.support.documents import changed, paths_of

Json = dict[str, Any]
DOCUMENT: Json = json.loads((Path(__file__).parents[2] / "openapi" / "openapi.json").read_text())
_WRONG: st.SearchStrategy[object] = st.sampled_from(
    [
        *(None, "", "x", 0, -1, 1.5, 2**70, True, [], {}, [[]], {"x": {}}, "a" * 3000, "\x00", "\ud7ff\r\n", "1e400"),
        *("../..", "%2e%2e", "4111 1111 1111 1111", "{country}", "\u2028", [None] * 101, [{"product": "a"}] * 2),
    ]
)


def resolved(schema: Json) -> Json:
    """What a reference leads to."""
    while "$ref" in schema:
        node: Any = DOCUMENT
        for step in schema["$ref"].removeprefix("#/").split("/"):
            node = node[step]
        schema = node
    return schema


def values(schema: Json) -> st.SearchStrategy[Any]:
    """Values that a schema takes."""
    return _values(json.dumps(schema))


@cache
def _values(text: str) -> st.SearchStrategy[Any]:
    schema = resolved(json.loads(text))
    if "anyOf" in schema:
        return st.one_of([values(one) for one in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return _OF_TYPE[schema["type"]](schema)


def _objects(schema: Json) -> st.SearchStrategy[Any]:
    members = {name: values(one) for name, one in schema.get("properties", {}).items()}
    required = {name: members.pop(name) for name in schema.get("required", ())}
    if members or required:
        return st.fixed_dictionaries(required, optional=members)
    names = values({"type": "string"} | schema.get("propertyNames", {}))
    return st.dictionaries(names, values(schema["additionalProperties"]), max_size=2)


def _arrays(schema: Json) -> st.SearchStrategy[Any]:
    return st.lists(values(schema["items"]), max_size=min(3, schema.get("maxItems", 3)))


def _strings(schema: Json) -> st.SearchStrategy[str]:
    examples: st.SearchStrategy[str] = st.sampled_from(schema["examples"]) if "examples" in schema else st.nothing()
    shortest, longest = schema.get("minLength", 0), min(schema.get("maxLength", 40), 40)
    if "pattern" not in schema:
        return examples | st.text(min_size=shortest, max_size=longest)
    pattern = schema["pattern"].removesuffix("$") + r"\Z"
    return examples | st.from_regex(pattern).filter(lambda text: shortest <= len(text) <= longest)


def _integers(schema: Json) -> st.SearchStrategy[int]:
    return st.integers(schema.get("minimum", -(2**31)), schema.get("maximum", 2**31))


def _numbers(schema: Json) -> st.SearchStrategy[float]:
    return st.floats(schema.get("minimum"), schema.get("maximum"), allow_nan=False, allow_infinity=False)


def _booleans(_: Json) -> st.SearchStrategy[bool]:
    return st.booleans()


def _null(_: Json) -> st.SearchStrategy[None]:
    return st.none()


_OF_TYPE: dict[str, Callable[[Json], st.SearchStrategy[Any]]] = {
    "object": _objects,
    "array": _arrays,
    "string": _strings,
    "integer": _integers,
    "number": _numbers,
    "boolean": _booleans,
    "null": _null,
}


def bodies(schema: Json) -> st.SearchStrategy[bytes]:
    """Bodies of a route: good ones, ones with a value or a member that is wrong, and bytes."""
    good = values(schema)
    documents = good | st.builds(_spoiled, good, st.integers(0, 2**16), _WRONG)
    encoded = documents.map(lambda value: json.dumps(value).encode())
    return encoded | encoded | encoded | st.builds(_cut, encoded, st.integers(0, 2**16), st.binary(max_size=4))


def _spoiled(document: Any, number: int, wrong: object) -> object:  # noqa: ANN401  # JSON
    """A document with one value left out, replaced, or put under a name that there is not."""
    places = list(paths_of(document))
    if not places:
        return wrong
    place, how = places[number % len(places)], number % 3
    if how == 0:
        return changed(document, place)
    unknown = (*place[:-1], f"{place[-1]}X")
    return changed(document, unknown if how == 1 and isinstance(place[-1], str) else place, wrong)


def _cut(body: bytes, at: int, junk: bytes) -> bytes:
    at %= len(body) + 1
    return body[:at] + junk + body[at + len(junk) + at % 2 :]
