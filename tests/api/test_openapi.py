"""The OpenAPI document: complete, true, and what a running server serves."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types
from litestar import Litestar
from litestar.routes import HTTPRoute
from openapi_spec_validator import OpenAPIV31SpecValidator

from service.api.openapi import document_of
from service.api.problems import PROBLEMS
from service.app import ROUTES
from tests.support.servers import Sandbox

Json = dict[str, Any]
APP = Litestar(ROUTES, openapi_config=None, logging_config=None)
DOCUMENT: Json = json.loads(json.dumps(document_of(APP)))
OPERATIONS: list[tuple[str, str, Json]] = [
    (method, path, operation) for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()
]
IDS = [operation["operationId"] for _, _, operation in OPERATIONS]
each_operation = pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=IDS)
CART = {"items": [{"product": "pro-license"}], "coupon": "NONE", "returnUrl": "https://shop.example/thanks"}
LATER = {
    # explained on their pages, and answered by what is still to come
    "not-acceptable",
}


def faults(schema: Json, instance: object) -> list[str]:
    """What of an instance is against a schema of the document."""
    validator = Draft202012Validator({"components": DOCUMENT["components"], **schema})
    return [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(instance)]  # pyright: ignore[reportArgumentType]  # any JSON


def contents(operation: Json) -> Iterator[tuple[str, Json]]:
    """(where, media type object) of the body and of each response."""
    if "requestBody" in operation:
        yield "body", operation["requestBody"]["content"]["application/json"]
    for status, response in operation["responses"].items():
        for content in response.get("content", {}).values():
            yield status, content


def test_document_is_openapi_3_1() -> None:
    """It is valid by the specification."""
    OpenAPIV31SpecValidator(DOCUMENT).validate()

    assert "3.1.0" == DOCUMENT["openapi"]


def test_every_route_is_documented() -> None:
    """Whatever the application answers is in the document, except the automatic OPTIONS."""
    routes = {
        (method.lower(), route.path_format)
        for route in APP.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods
        if method != "OPTIONS"
    }

    assert routes == {(method, path) for method, path, _ in OPERATIONS}
    assert 21 == len(routes)


@each_operation
def test_operation_is_described(method: str, path: str, operation: Json) -> None:
    """Each has a summary, one tag of the list, its security, a request id on each answer, and an example of each."""
    tags = [tag["name"] for tag in DOCUMENT["tags"]]

    assert operation["summary"].endswith(".")
    assert 1 == len(operation["tags"])
    assert operation["tags"][0] in tags
    assert bool(operation["security"]) == (path.startswith("/internal") or path == "/metrics")
    assert all("Request-Id" in response["headers"] for response in operation["responses"].values())
    assert [] == [where for where, content in contents(operation) if not content.keys() & {"example", "examples"}]


@each_operation
def test_examples_are_true(method: str, path: str, operation: Json) -> None:
    """Each example is valid by the schema beside it."""
    examples = [
        (where, content["schema"], example)
        for where, content in contents(operation)
        for example in [
            *([content["example"]] if "example" in content else []),
            *(one["value"] for one in content.get("examples", {}).values()),
        ]
    ]

    assert examples
    assert [] == [(where, found) for where, schema, example in examples if (found := faults(schema, example))]


def test_parameters_have_true_examples() -> None:
    """The same holds for headers and path parameters, and each parameter in a path is described."""
    for _, path, operation in OPERATIONS:
        own = {one["name"]: one for one in operation.get("parameters", ()) if "name" in one}
        assert set(re.findall(r"{(\w+)}", path)) == own.keys()
        assert [] == [
            faults(one["schema"], one["example"]) for one in own.values() if faults(one["schema"], one["example"])
        ]
    for parameter in DOCUMENT["components"]["parameters"].values():
        assert [] == faults(parameter["schema"], parameter["example"])


def test_every_problem_is_used_or_to_come() -> None:
    """Each slug of the table is an answer of some operation; the few that are not yet are named here."""
    used = {
        slug
        for _, _, operation in OPERATIONS
        for _, content in contents(operation)
        for slug in content.get("examples", ())
    }

    assert PROBLEMS.keys() - used == LATER


def test_browsers_schema_has_no_server_only_field() -> None:
    """What is there to be refused is not offered by the document, and unknown members are excluded."""
    schemas = DOCUMENT["components"]["schemas"]

    assert set() == {"orderTags", "live", "buyerIp", "metadata"} & schemas["BrowserRequest"]["properties"].keys()
    assert set() == {"pricing", "customPrice", "metadata"} & schemas["BrowserItem"]["properties"].keys()
    assert {"orderTags", "live", "buyerIp"} <= schemas["OrderRequest"]["properties"].keys()
    assert all(schemas[name]["additionalProperties"] is False for name in ("BrowserRequest", "BrowserItem", "Item"))


def test_patterns_are_those_of_json_schema() -> None:
    """No pattern needs Python to be read."""
    assert "(?!\\n)" not in json.dumps(DOCUMENT).replace("\\\\", "\\")


def test_server_serves_the_document(broker: httpx.Client) -> None:
    """What is generated for the repository is what a running server says."""
    assert DOCUMENT == broker.get("/openapi.json").json()


def test_committed_document_is_the_present_one() -> None:
    """`openapi/openapi.json` is up to date; `python -m service openapi` writes it."""
    committed = Path(__file__).parents[2] / "openapi" / "openapi.json"

    assert DOCUMENT == json.loads(committed.read_text())


def _schema(method: str, path: str, answer: httpx.Response) -> Json:
    response = DOCUMENT["paths"][path][method]["responses"][str(answer.status_code)]
    content: Json = response["content"][answer.headers["content-type"].partition(";")[0]]
    return content["schema"]  # type: ignore[no-any-return]  # plain JSON


def _changes(
    broker: httpx.Client, record: str, caller_headers: dict[str, str]
) -> Iterator[tuple[str, str, httpx.Response]]:
    """(method, documented path, answer) of each route that previews or changes a session; the retiring comes last."""
    yield (
        "post",
        "/internal/checkout/preview",
        broker.post("/internal/checkout/preview", json=CART, headers=caller_headers),
    )
    body, path = {"product": "handbook"}, "/internal/sessions/{reference}"
    for method, below, sent in (
        ("get", "/payment-methods", None),
        ("post", "/items", body),
        ("put", "/items/{product}", {"quantity": 2}),
        ("delete", "/items/{product}", None),
        ("delete", "/items/{product}", None),
        ("put", "/customer", {"email": "ada@example.org"}),
        ("put", "", {"items": [body]}),
        ("put", "", {"items": []}),
        ("put", "", {"items": [body], "live": True}),
    ):
        url = record + below.replace("{product}", "handbook")
        yield method, path + below, broker.request(method, url, json=sent, headers=caller_headers)
    assert 204 == broker.delete(record, headers=caller_headers).status_code
    yield "put", f"{path}/customer", broker.put(f"{record}/customer", json={}, headers=caller_headers)


def test_live_answers_are_as_documented(
    broker: httpx.Client, sandbox: Sandbox, caller_headers: dict[str, str], buyer_key: str
) -> None:
    """An answer of each kind, problems included, is valid by the schema that the document gives for it."""
    buyer = {"Buyer-Key": buyer_key}
    created = broker.post("/checkout", json=CART, headers=buyer)
    reference = created.json()["reference"]
    record = f"/internal/sessions/{reference}"
    answers = [
        ("post", "/checkout", created),
        ("post", "/checkout", broker.post("/checkout", json=CART, headers=buyer)),
        ("post", "/checkout", broker.post("/checkout", json=CART | {"live": True})),
        ("post", "/checkout", broker.post("/checkout", content=b"[")),
        ("get", "/checkout/{reference}", broker.get(f"/checkout/{reference}", headers=buyer)),
        ("get", "/checkout/{reference}", broker.get(f"/checkout/{reference}")),
        ("post", "/internal/checkout", broker.post("/internal/checkout", json=CART, headers=caller_headers)),
        ("get", "/internal/sessions/{reference}", broker.get(record, headers=caller_headers)),
        ("get", "/internal/sessions/{reference}", broker.get(record)),
        *(changes := list(_changes(broker, record, caller_headers))),
        ("get", "/internal/client-ip", broker.get("/internal/client-ip", headers=caller_headers)),
        ("get", "/livez", broker.get("/livez")),
        ("get", "/readyz", broker.get("/readyz")),
        ("get", "/openapi.json", broker.get("/openapi.json")),
    ]
    for fault in ("bad_request", "unavailable_503", "cut_json"):
        sandbox.put_fault(fault)
        answers.append(("post", "/checkout", broker.post("/checkout", json=CART)))

    expected = [200, 200, 200, 200, 200, 422, 200, 200, 400, 400, 409]
    assert expected == [answer.status_code for _, _, answer in changes]
    assert [201, 200, 403, 415, 200, 404, 201, 200, 401] == [answer.status_code for _, _, answer in answers[:9]]
    assert [] == [
        (path, answer.status_code, found)
        for method, path, answer in answers
        if (found := faults(_schema(method, path, answer), answer.json()))
    ]
    texts = {path: broker.get(path, headers=caller_headers) for path in ("/checkout.js", "/docs", "/metrics")}
    assert all({"type": "string"} == _schema("get", path, answer) for path, answer in texts.items())
