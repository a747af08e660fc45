"""The OpenAPI 3.1 document, made from the routes and the structs they read and write.

Not by the framework's own generator: our routes take bytes, to decode them strictly, and answer with bytes, to encode
them once, so their signatures tell it nothing.
"""

import inspect
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from service import __version__
from service.api import examples
from service.api.problems import PROBLEM_JSON, PROBLEMS, Problem
from service.api.schemas import (
    BrowserRequest,
    BrowserSession,
    CheckoutAnswer,
    ClientIpAnswer,
    ItemReplacement,
    PreviewAnswer,
    Record,
    ReplacementRequest,
)
from service.api.spec import OPT_KEY, Answer, Header, Operation
from service.checkout.models import Customer, Item, OrderRequest
from service.checkout.quotes.claims import QuoteRequest, SignedQuote
from service.checkout.session import PaymentMethodChoice

Json = dict[str, Any]
_COMPONENT = "#/components/schemas/{name}"
_BODIES = (BrowserRequest, OrderRequest, QuoteRequest, ReplacementRequest, Item, ItemReplacement, Customer)
_ANSWERS = (
    CheckoutAnswer,
    SignedQuote,
    BrowserSession,
    Record,
    PaymentMethodChoice,
    PreviewAnswer,
    ClientIpAnswer,
    Problem,
)
_DESCRIPTION = """\
A server between a storefront's JavaScript and a merchant of record. It holds the credentials, adds what a browser must
not choose, creates the checkout session, and hands its id to a popup. Every error is RFC 9457
`application/problem+json`.
"""


def document_of(app: Litestar) -> Json:
    """The document of every documented route of an app."""
    paths: Json = {}
    for path, method, handler, operation in _operations(app):
        paths.setdefault(path, {})[method] = _operation(path, handler, operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "checkout-broker",
            "version": __version__,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "Where this document was read."}],
        "tags": [
            {"name": "Storefront", "description": "For browsers."},
            {"name": "Callers", "description": "For the shop's own services, each with a key."},
            {"name": "Operations", "description": "Probes, metrics and documentation."},
        ],
        "paths": {path: dict(sorted(methods.items())) for path, methods in sorted(paths.items())},
        "components": {
            "schemas": _schemas(),
            "parameters": _PARAMETERS,
            "securitySchemes": {
                "callerKey": {"type": "http", "scheme": "bearer", "description": "A caller's key or token."}
            },
            "headers": {"Request-Id": _REQUEST_ID, "Idempotent-Replayed": _REPLAYED},
        },
    }


_REQUEST_ID: Json = {
    "description": "The id of this request, also in its access line and in a problem's `instance`.",
    "schema": {"type": "string", "examples": ["6f1c2a9d0b7e4c5aa8d3e1f002b4c6d8"]},
}
_REPLAYED: Json = {
    "description": "There when this is the answer that was given to the same `Idempotency-Key` before.",
    "schema": {"type": "string", "enum": ["true"]},
}
_BUYER_KEY: Json = {
    "name": "Buyer-Key",
    "in": "header",
    "description": "Made at random by the client and known to one browser; without it nothing is re-used.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{22,128}$"},
    "example": examples.BUYER_KEY,
}
_PARAMETERS: Json = {
    "Buyer-Key": _BUYER_KEY | {"required": False},
    "BuyerKeyRequired": _BUYER_KEY | {"required": True},
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": (
            "1 to 255 printable ASCII characters, quoted or bare; a browser sends a `Buyer-Key` beside it. Whoever"
            " repeats a request with its key gets the first answer again, with `Idempotent-Replayed: true`, for a day"
            " at most; a failure is not kept."
        ),
        "required": False,
        "schema": {"type": "string", "maxLength": 257},
        "example": '"5f2b8c1e"',
    },
}


def _operations(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler, Operation]]:
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                if operation := handler.opt.get(OPT_KEY):
                    for method in handler.http_methods:
                        yield route.path_format, method.lower(), handler, operation


def _operation(path: str, handler: HTTPRouteHandler, operation: Operation) -> Json:
    summary, _, rest = (inspect.getdoc(handler.fn) or "").partition("\n")
    document: Json = {
        "operationId": operation.id,
        "tags": sorted(handler.resolve_tags()),
        "summary": summary.strip(),
        "responses": _responses(operation),
    }
    if rest.strip():
        document["description"] = rest.strip()
    if parameters := _parameters(path, operation.headers):
        document["parameters"] = parameters
    document["security"] = [{"callerKey": []}] if operation.for_callers else []
    if operation.body:
        content = {"schema": _reference(operation.body), "example": operation.body_example}
        document["requestBody"] = {"required": True, "content": {"application/json": content}}
    return document


def _parameters(path: str, headers: tuple[Header, ...]) -> list[Json]:
    in_path = [_PATH_PARAMETERS[name] for name in re.findall(r"{(\w+)}", path)]
    return in_path + [{"$ref": f"#/components/parameters/{header}"} for header in headers]


_PATH_PARAMETERS: Json = {
    "reference": {
        "name": "reference",
        "in": "path",
        "required": True,
        "description": "Our id of a session.",
        "schema": {"type": "string", "pattern": "^cs_[0-9a-z]{26}$"},
        "example": examples.REFERENCE,
    },
    "product": {
        "name": "product",
        "in": "path",
        "required": True,
        "description": "A product of the cart.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,256}$"},
        "example": "pro-license",
    },
    "slug": {
        "name": "slug",
        "in": "path",
        "required": True,
        "description": "The last part of a problem's `type`.",
        "schema": {"type": "string", "enum": sorted(PROBLEMS)},
        "example": "restricted-field",
    },
}


def _responses(operation: Operation) -> Json:
    responses = {str(status): _answer(answer) for status, answer in operation.answers.items()}
    by_status: dict[int, list[str]] = {}
    for slug in sorted(operation.problems):
        by_status.setdefault(PROBLEMS[slug].status, []).append(slug)
    responses |= {str(status): _problems(slugs) for status, slugs in by_status.items()}
    return dict(sorted(responses.items()))


def _problems(slugs: Sequence[str]) -> Json:
    """The problems of one status. Python's own phrase for that is another one in each version."""
    examples = {slug: {"summary": PROBLEMS[slug].title, "value": problem_example(slug)} for slug in slugs}
    return {
        "description": "; ".join(PROBLEMS[slug].title for slug in slugs),
        "headers": {"Request-Id": {"$ref": "#/components/headers/Request-Id"}},
        "content": {PROBLEM_JSON: {"schema": _reference(Problem), "examples": examples}},
    }


def _answer(answer: Answer) -> Json:
    schema = _reference(answer.kind) if answer.kind else answer.schema or {"type": "string"}
    document: Json = {
        "description": answer.description,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in ("Request-Id", *answer.headers)},
    }
    if answer.media_type:
        document["content"] = {answer.media_type: {"schema": schema, "example": answer.example}}
    return document


def problem_example(slug: str) -> Json:
    """A problem of this kind, as it would be sent."""
    explanation = PROBLEMS[slug]
    return {
        "type": f"/problems/{slug}",
        "title": explanation.title,
        "status": explanation.status,
        "detail": explanation.mend,
        "instance": "6f1c2a9d0b7e4c5aa8d3e1f002b4c6d8",
    }


def _reference(kind: type) -> Json:
    return {"$ref": _COMPONENT.format(name=kind.__name__)}


def _schemas() -> Json:
    _, schemas = msgspec.json.schema_components(
        (*_BODIES, *_ANSWERS), schema_hook=_schema_of_anything, ref_template=_COMPONENT
    )
    for schema in schemas.values():
        # What takes any value is there to be refused by name; a document of what may be sent leaves it out.
        properties = {name: one for name, one in schema.get("properties", {}).items() if one != {}}
        if properties:
            schema["properties"] = properties
        if "description" in schema:
            schema["description"] = inspect.cleandoc(schema["description"])  # the kind's docstring, as it is indented
        # Python's `$` also matches before a line end at the very end; ECMA's does not.
        _strip_guards(schema)
    return dict(sorted(schemas.items()))


def _schema_of_anything(kind: type) -> Json:
    if kind is object:
        return {"description": "Any JSON value."}
    raise NotImplementedError


def _strip_guards(node: object) -> None:
    if isinstance(node, dict):
        if isinstance(pattern := node.get("pattern"), str):
            node["pattern"] = pattern.removesuffix(r"(?!\n)")
        for child in node.values():
            _strip_guards(child)
    elif isinstance(node, list):
        for child in node:
            _strip_guards(child)
