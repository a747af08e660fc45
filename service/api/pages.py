"""The pages for developers, made on the server: the API's documentation and an explanation of each problem.

No script and nothing from elsewhere, so their content security policy allows one style sheet and nothing more.
"""

import asyncio
import base64
import json
import re
from collections.abc import Callable
from hashlib import sha256
from html import escape
from typing import Any

import msgspec
from litestar import Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response.base import ASGIResponse
from msgspec import Struct

from service.api import spec
from service.api.openapi import problem_example
from service.api.problems import PROBLEMS
from service.api.runtime import AppRequest

Json = dict[str, Any]

_STYLE = """\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a2e;background:#fff}
code,pre{font:14px/1.45 ui-monospace,monospace}pre{background:#f4f4f8;padding:1rem;overflow:auto;border-radius:6px}
h2{margin-top:3rem}h3{margin-top:2.5rem;border-top:1px solid #ddd;padding-top:1.5rem}
.method{display:inline-block;min-width:4rem;font-weight:700;color:#0a5c36}table{border-collapse:collapse}
td,th{text-align:left;padding:.25rem 1rem .25rem 0;vertical-align:top}summary{cursor:pointer;margin:.5rem 0}
@media(prefers-color-scheme:dark){body{color:#e8e8f0;background:#14141c}pre{background:#20202c}.method{color:#6fd6a0}}
"""
_STYLE_HASH = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    ),
}


@get("/openapi.json", **spec.DOCUMENT)
async def openapi_json(request: AppRequest) -> ASGIResponse:
    """This document."""
    documents = await _documents(request)
    return ASGIResponse(body=documents.openapi, media_type="application/json")


@get("/docs", **spec.DOCS)
async def docs(request: AppRequest) -> ASGIResponse:
    """This document as a page."""
    documents = await _documents(request)
    return ASGIResponse(body=documents.page, media_type="text/html", headers=_HEADERS)


@get("/problems/{slug:str}", **spec.EXPLAIN_PROBLEM)
async def explain_problem(slug: FromPath[str]) -> ASGIResponse:
    """What a problem means and how to mend it: where the `type` of a problem leads."""
    explanation = PROBLEMS.get(slug)
    if explanation is None:
        raise NotFoundException
    example = json.dumps(problem_example(slug), indent=2)
    content = (
        f"<h1>{escape(explanation.title)}</h1><p><code>{slug}</code>, status {explanation.status}</p>"
        f"<p>{escape(explanation.mend)}</p><pre>{escape(example)}</pre>"
    )
    body = _page(explanation.title, content)
    return ASGIResponse(body=body, media_type="text/html", headers=_HEADERS)


class Documents(Struct, frozen=True, kw_only=True):
    """The OpenAPI document as it is served."""

    openapi: bytes
    page: bytes

    @classmethod
    def of(cls, document: Json) -> "Documents":
        """Both forms of a document."""
        page = _page("checkout-broker API", _documentation(document))
        return cls(openapi=msgspec.json.encode(document), page=page)


async def _documents(request: AppRequest) -> Documents:
    made_once: Callable[[], Documents] = request.app.state["documents"]
    return await asyncio.to_thread(made_once)  # the first time takes longer than other requests should wait


def _page(title: str, content: str) -> bytes:
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport"'
        f' content="width=device-width"><title>{escape(title)}</title><style>{_STYLE}</style></head>'
        f"<body><main>{content}</main></body></html>"
    )
    return html.encode()


def _prose(text: str) -> str:
    """Text of a docstring, its `code` marked."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _documentation(document: Json) -> str:
    info = document["info"]
    parts = [f"<h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{_prose(info['description'])}</p>"]
    parts.append('<p>The machine-readable form is <a href="/openapi.json">/openapi.json</a>.</p>')
    for tag in document["tags"]:
        parts.append(f"<h2>{escape(tag['name'])}</h2><p>{escape(tag['description'])}</p>")
        for path, methods in document["paths"].items():
            parts += [_operation(path, method, one) for method, one in methods.items() if tag["name"] in one["tags"]]
    parts.append("<h2>Schemas</h2>")
    for name, schema in document["components"]["schemas"].items():
        parts.append(_details(name, schema, anchor=name))
    return "".join(parts)


def _operation(path: str, method: str, operation: Json) -> str:
    key = " (needs a caller's key)" if operation["security"] else ""
    title = f'<span class="method">{method.upper()}</span> <code>{escape(path)}</code>'
    parts = [f'<h3 id="{escape(operation["operationId"])}">{title}</h3><p>{_prose(operation["summary"])}{key}</p>']
    if "description" in operation:
        parts.append(f"<p>{_prose(operation['description'])}</p>")
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        parts.append(f"<p>Body: {_schema_link(content['schema'])}</p>{_details('Example', content['example'])}")
    rows = "".join(_response_row(status, response) for status, response in operation["responses"].items())
    parts.append(f"<table><tr><th>Status</th><th>Meaning</th></tr>{rows}</table>")
    parts += [
        _details(f"{status} example", content["example"])
        for status, response in operation["responses"].items()
        for content in response.get("content", {}).values()
        if "example" in content
    ]
    return "".join(parts)


def _response_row(status: str, response: Json) -> str:
    slugs = [slug for content in response.get("content", {}).values() for slug in content.get("examples", ())]
    links = ", ".join(f'<a href="/problems/{slug}">{slug}</a>' for slug in slugs)
    return f"<tr><td>{status}</td><td>{links or escape(response['description'])}</td></tr>"


def _schema_link(schema: Json) -> str:
    name = escape(schema.get("$ref", "").rpartition("/")[2])
    return f'<a href="#{name}">{name}</a>'


def _details(title: str, value: object, *, anchor: str = "") -> str:
    identity = f' id="{escape(anchor)}"' if anchor else ""
    text = escape(json.dumps(value, indent=2, ensure_ascii=False))
    return f"<details{identity}><summary>{escape(title)}</summary><pre>{text}</pre></details>"


documentation = Router("/", route_handlers=[openapi_json, docs], tags=["Operations"])
explanations = Router("/", route_handlers=[explain_problem], tags=["Operations"])
