"""Every operation of the OpenAPI document, with what it documents and what it does not: an answer is as documented."""

import json
import random
from collections import Counter
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from tests.fuzz.conftest import Send
from tests.fuzz.corpora import inputs
from tests.fuzz.mutations import UNCHECKED
from tests.fuzz.schemas import DOCUMENT, Json, bodies, resolved, values
from tests.support.config import CALLER_KEY, ORIGIN
from tests.support.full import IN_FULL

OPERATIONS: list[tuple[str, str, Json]] = [
    (method, path, operation) for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()
]
IDS = [operation["operationId"] for _, _, operation in OPERATIONS]
WITH_BODY, WITHOUT = 60, 10
SPOILED = 19  # times each is sent again, with a few bytes changed
MANY = 80  # times as many in a run in full: a million requests
CART = {"items": [{"product": "pro-license"}, {"product": "handbook"}]}
NASTY = st.sampled_from([data for name in ("paths", "references") for data in inputs(name).values() if len(data) < 300])
TYPES = ["application/json"] * 8 + ["application/json; charset=utf-8", "text/plain", "", "application/json\x00", "*/*"]
CALLER = [f"Bearer {CALLER_KEY}"] * 8 + ["Bearer wrong", "Basic Og==", "Bearer ", "Bearer \u00e9", "Bearer a.b.c"]


def parameter_values(parameter: Json, reference: str) -> st.SearchStrategy[bytes]:
    """What a parameter may be, that of a session that there is as often as not, and what it may not."""
    example = reference if parameter["name"] == "reference" else str(parameter["example"])
    good = st.just(example) | st.just(example) | values(parameter["schema"]).map(str)
    return good.map(lambda text: text.encode("utf-8", "replace")) | NASTY | st.binary(max_size=40)


@st.composite
def requests(draw: st.DrawFn, path: str, operation: Json, reference: str) -> dict[str, Any]:
    """Options of a request to an operation."""
    headers = [(b"content-type", draw(st.sampled_from(TYPES)).encode("latin-1"))]
    headers.append((b"authorization", draw(st.sampled_from(CALLER)).encode("latin-1")))
    for parameter in map(resolved, operation.get("parameters", ())):
        value = draw(parameter_values(parameter, reference))
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", quote(value, safe="" if draw(st.booleans()) else "/;=@"))
        elif draw(st.booleans()):
            headers.append((parameter["name"].lower().encode(), value.replace(b"\n", b" ")))
    for name, texts in (
        (b"origin", [ORIGIN, "null", "https://evil.example", "\xff"]),
        (b"accept-language", ["de", "*;q=x", ",,;"]),
    ):
        if draw(st.integers(0, 3)) == 0:
            headers.append((name, draw(st.sampled_from(texts)).encode("latin-1")))
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    return {"url": path or "/", "headers": headers, "content": draw(bodies(schema)) if schema else b""}


def check(method: str, path: str, operation: Json, answer: Any) -> None:  # noqa: ANN401  # an httpx answer
    """No failure; a status that is documented, with a body that its schema takes."""
    assert answer.status_code < 500, answer.text
    documented = operation["responses"].get(str(answer.status_code))
    elsewhere = answer.status_code == 404 and answer.json()["type"] == "/problems/not-found"  # the path is another one
    assert documented or elsewhere, (answer.status_code, answer.text)
    if documented and documented.get("content") and method != "head":
        kind = answer.headers["content-type"].partition(";")[0]
        schema = {"components": DOCUMENT["components"], **documented["content"][kind]["schema"]}
        if kind.endswith("json"):
            assert [] == [fault.message for fault in Draft202012Validator(schema).iter_errors(answer.json())]


def spoiled(options: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The same request with a few bytes of its body changed, or with a header once more, and changed."""
    if chance.random() < 0.7 and options["content"]:
        return options | {"content": edited(options["content"], chance)}
    name, value = chance.choice(options["headers"])
    return options | {"headers": [*options["headers"], (name, edited(value, chance).translate(None, b"\r\n"))]}


def edited(data: bytes, chance: random.Random) -> bytes:
    """Bytes with up to four changes."""
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randint(0, len(data)), chance.randint(0, 3)
        piece = chance.choice([chance.randbytes(1), data[at : at + length] * 2, b"", b'"', b"}", b"9", b"\\u0000"])
        data = data[:at] + piece + data[at + length :]
    return data


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=IDS)
def test_operation(send: Send, method: str, path: str, operation: Json) -> None:
    """Whatever is sent: never a 5xx, and each answer is one that the document has for this operation."""
    made = send("POST", "/internal/checkout", json=CART, headers={"Authorization": f"Bearer {CALLER_KEY}"})
    reference: str = made.json()["reference"]
    seen: Counter[int] = Counter()
    examples = (WITH_BODY if "requestBody" in operation else WITHOUT) * (MANY if IN_FULL else 1)

    @seed(19)
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=not IN_FULL,
        database=None,
        suppress_health_check=UNCHECKED,
    )
    @given(requests(path, operation, reference))
    def try_it(options: dict[str, Any]) -> None:
        chance = random.Random(repr(options))  # noqa: S311  # the same for the same request
        for each in (options, *(spoiled(options, chance) for _ in range(SPOILED))):
            answer = send(method.upper(), each["url"], headers=each["headers"], content=each["content"])
            seen[answer.status_code] += 1
            check(method, path, operation, answer)

    try_it()

    print(f"spec: {operation['operationId']} {json.dumps(seen)}")  # noqa: T201  # the figure of the run
    assert sum(seen.values()) >= examples
