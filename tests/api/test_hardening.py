"""What leaves the service, by every route and every status: hardened headers, errors as problems, no banner."""

import asyncio
import json
import re
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest
from litestar import Litestar, get
from litestar.params import FromPath
from litestar.response.base import ASGIResponse
from litestar.types import ExceptionHandlersMap

from service.api.edge import Edge
from service.api.problems import PROBLEM_JSON, PROBLEMS, of_checkout_error
from service.app import create_app
from service.checkout.errors import CheckoutError, FieldError
from tests.api.conftest import Send
from tests.api.test_edge import HARDENED
from tests.support.config import default_toml, settings_of
from tests.support.process import served
from tests.support.raw import exchange, request_bytes
from tests.support.routes import inventory
from tests.support.servers import Sandbox

VALUES = {"reference": "cs_01kb2w8z4e6m3q9r7t5v1x0y2a", "product": "pro-license", "slug": "not-found"}
PAGES = {"/docs", "/problems/{slug}"}
WITHOUT_RUNTIME = {"/checkout.js", "/livez", "/readyz", "/docs", "/openapi.json", "/problems/{slug}"}
ROUTES = inventory()
TELLING = re.compile(rb"Traceback|File \"|\.py\b|litestar|uvicorn|python|RuntimeError", re.IGNORECASE)


def expected_headers(path: str, status: int, headers: dict[str, str]) -> dict[str, str]:
    """The hardened headers, with what a page or the script may say instead."""
    if status == 200 and path == "/checkout.js":
        return HARDENED | {"cross-origin-resource-policy": "cross-origin", "cache-control": "public, max-age=300"}
    if status == 200 and path in PAGES:
        policy = headers["content-security-policy"]
        assert re.fullmatch(
            r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]{44}'; base-uri 'none'; form-action 'none';"
            r" frame-ancestors 'none'",
            policy,
        )
        return HARDENED | {"content-security-policy": policy}
    return HARDENED


def check(method: str, path: str, status: int, headers: dict[str, str], body: bytes) -> None:
    """Everything that holds of any answer."""
    expected = expected_headers(path, status, headers)
    assert expected == {name: headers.get(name) for name in expected}
    assert re.fullmatch("[0-9a-f]{32}", headers["request-id"])
    assert set() == headers.keys() & {"server", "x-powered-by", "via", "set-cookie", "x-request-id"}
    if status >= 400:
        assert PROBLEM_JSON == headers["content-type"]
        assert not TELLING.search(body)
        assert method == "HEAD" or (status, headers["request-id"]) == (
            json.loads(body)["status"],
            json.loads(body)["instance"],
        )


def check_answer(method: str, path: str, answer: httpx.Response) -> None:
    """The same of an answer in this process; a header that came twice has a comma too many."""
    check(method, path, answer.status_code, dict(answer.headers.items()), answer.content)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route(send: Send, method: str, path: str) -> None:
    """As it is asked, by another method, with too much of an address, of headers, of a body, or with another kind."""
    target = path.format(**VALUES)
    json_type, text_type = {"Content-Type": "application/json"}, {"Content-Type": "text/plain"}
    answers = {
        "plain": (method, send(method, target, content=b"{}", headers=json_type)),
        "TRACE": ("TRACE", send("TRACE", target)),
        "invented": ("XYZZY", send("XYZZY", target)),
        "OPTIONS": ("OPTIONS", send("OPTIONS", target)),
        "long": (method, send(method, f"{target}?{'a' * 9000}")),
        "wide": (method, send(method, target, headers={"X-Padding": "a" * 40_000})),
        "below": (method, send(method, f"{target}/none/none/none/none")),
        "large": (method, send(method, target, content=b" " * 70_000, headers=json_type)),
        "text": (method, send(method, target, content=b"x", headers=text_type)),
    }
    for asked, answer in answers.values():
        check_answer(asked, path, answer)

    statuses = {name: answer.status_code for name, (_, answer) in answers.items()}
    assert {"TRACE": 405, "invented": 405, "OPTIONS": 204, "long": 414, "wide": 431, "below": 404} == {
        name: statuses[name] for name in ("TRACE", "invented", "OPTIONS", "long", "wide", "below")
    }
    if (method, path) == ("POST", "/checkout"):
        assert (400, 413, 415) == (statuses["plain"], statuses["large"], statuses["text"])


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_when_the_service_fails(tmp_path: Path, method: str, path: str) -> None:
    """An application that never started fails at every request that needs more than itself: 500, of which nobody
    learns more than the id to report.
    """
    app = create_app(settings_of(default_toml("http://127.0.0.1:9"), tmp_path))

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 50000))
        async with httpx.AsyncClient(transport=transport, base_url="http://broker", trust_env=False) as client:
            return await client.request(method, path.format(**VALUES), headers={"Authorization": "Bearer x"})

    answer = asyncio.run(ask())
    check_answer(method, path, answer)

    assert (200 if path in WITHOUT_RUNTIME else 500) == answer.status_code
    if path not in WITHOUT_RUNTIME:
        explained = PROBLEMS["internal-error"]
        assert answer.json() == {
            "type": "/problems/internal-error",
            "title": explained.title,
            "status": 500,
            "detail": explained.mend,
            "instance": answer.headers["request-id"],
        }


@get("/{slug:str}")
async def _fail(slug: FromPath[str]) -> ASGIResponse:
    kind: type[CheckoutError] = type("AnyError", (CheckoutError,), {"slug": slug})
    raise kind("Why.", errors=(FieldError(field="a", detail="b"),))


@pytest.mark.parametrize("slug", sorted(PROBLEMS))
def test_every_problem(slug: str) -> None:
    """Every status that there is leaves in the same form, whatever part of the service says it."""
    handlers: ExceptionHandlersMap = {CheckoutError: of_checkout_error}
    app = Litestar([_fail], exception_handlers=handlers, openapi_config=None, logging_config=None)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(Edge(app, lambda _: False))
        async with httpx.AsyncClient(transport=transport, base_url="http://broker") as client:
            return await client.get(f"/{slug}")

    answer = asyncio.run(ask())
    check_answer("GET", "/", answer)

    assert PROBLEMS[slug].status == answer.status_code
    assert ("Bearer" if answer.status_code == 401 else None) == answer.headers.get("www-authenticate")


@pytest.fixture(scope="module")
def url(_sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The service as `serve` runs it."""
    with served(default_toml(_sandbox_server.url), tmp_path_factory.mktemp("hardening")) as broker:
        yield broker.url


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_on_the_wire(url: str, method: str, path: str) -> None:
    """What the server itself adds is no banner, on any route, for any method."""
    target = path.format(**VALUES)
    for one in (method, "TRACE", "HEAD"):
        answer = exchange(url, request_bytes(one, target))
        check(one, path, answer.status, answer.headers, answer.body)


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 50,
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nX\r\n\r\n",
        b"POST /checkout HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /checkout HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xyzzy\r\n\r\n",
        b"XYZZY / HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["TLS", "no target", "no version", "no colon", "negative", "coding", "method"],
)
def test_what_is_no_http(url: str, data: bytes) -> None:
    """What the server refuses before there is a request is answered in the same form."""
    answer = exchange(url, data)

    assert 400 == answer.status
    check("", "/", answer.status, answer.headers, answer.body)
