"""What every answer carries, whatever it says."""

import asyncio

import httpx
import pytest
from prometheus_client import REGISTRY

from service.api.edge import Edge
from service.api.problems import PROBLEMS
from tests.api.conftest import Send
from tests.support.raw import exchange, request_bytes
from tests.support.servers import Sandbox

JSON_TYPE = {"Content-Type": "application/json"}
CART = b'{"items": [{"product": "pro-license"}]}'
HARDENED = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
PAGES = {"/docs", "/problems/not-found"}

# every route, with each status that a request alone can make, and what the framework answers itself
ANSWERS: list[tuple[str, str, bytes, dict[str, str], int]] = [
    ("POST", "/checkout", CART, JSON_TYPE, 201),
    ("POST", "/checkout", b"{", JSON_TYPE, 400),
    ("POST", "/checkout", CART, JSON_TYPE | {"Origin": "https://evil.test"}, 403),
    ("POST", "/checkout", b'{"items": [{"product": "a"}], "checkout": "none"}', JSON_TYPE, 404),
    ("POST", "/checkout", b" " * 70_000, JSON_TYPE, 413),
    ("POST", "/checkout", CART, {"Content-Type": "text/plain"}, 415),
    ("POST", "/checkout", b'{"items": [{"product": "a"}, {"product": "a"}]}', JSON_TYPE, 422),
    ("OPTIONS", "/checkout", b"", {"Origin": "https://shop.example"}, 204),
    *((method, "/checkout", b"", {}, 405) for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE", "PURGE")),
    ("GET", "/checkout/cs_01kb2w8z4e6m3q9r7t5v1x0y2a", b"", {}, 404),
    ("GET", "/checkout/%ff%00%0d%0a", b"", {}, 404),
    ("GET", "/checkout/..%2f..%2fetc%2fpasswd", b"", {}, 404),
    ("DELETE", "/checkout/x", b"", {}, 405),
    ("GET", "/checkout.js", b"", {}, 200),
    ("POST", "/internal/checkout", CART, JSON_TYPE, 401),
    ("GET", "/internal/sessions/x", b"", {}, 401),
    ("GET", "/internal/client-ip", b"", {}, 401),
    ("GET", "/metrics", b"", {}, 401),
    ("GET", "/livez", b"", {}, 200),
    ("HEAD", "/livez", b"", {}, 405),
    ("GET", "/readyz", b"", {}, 200),
    ("GET", "/openapi.json", b"", {}, 200),
    ("GET", "/docs", b"", {}, 200),
    ("GET", "/problems/not-found", b"", {}, 200),
    ("GET", "/problems/none", b"", {}, 404),
    ("GET", "/", b"", {}, 404),
    ("POST", "/none", b"x", {}, 404),
    ("GET", "/%c0%ae%c0%ae/", b"", {}, 404),
    ("GET", "/none?" + "a" * 9000, b"", {}, 414),
    ("GET", "/" + "a" * 9000, b"", {}, 414),
    ("GET", "/livez", b"", {"X-Padding": "a" * 40_000}, 431),
]


@pytest.mark.parametrize("case", ANSWERS, ids=lambda case: f"{case[0]} {case[1][:30]} {case[4]}")
def test_every_answer_is_hardened(send: Send, case: tuple[str, str, bytes, dict[str, str], int]) -> None:
    """Route by status: the security headers once each, a request id, no server; an error is a problem of that id."""
    method, path, content, headers, status = case
    answer = send(method, path, content=content, headers=headers)
    expected = dict(HARDENED)
    if path in PAGES:
        expected["content-security-policy"] = answer.headers["content-security-policy"]
        assert "default-src 'none'; style-src 'sha256-" in expected["content-security-policy"]
    if path == "/checkout.js":
        expected |= {"cross-origin-resource-policy": "cross-origin", "cache-control": "public, max-age=300"}

    assert status == answer.status_code
    assert expected == {name: ", ".join(answer.headers.get_list(name)) for name in expected}
    assert 32 == len(answer.headers["request-id"])
    assert "server" not in answer.headers
    if status >= 400 and method != "HEAD":
        problem = answer.json()
        assert "application/problem+json" == answer.headers["content-type"]
        assert (status, answer.headers["request-id"]) == (problem["status"], problem["instance"])
        assert PROBLEMS[problem["type"].removeprefix("/problems/")].status == status


@pytest.mark.parametrize(
    ("fault", "status"), [("unavailable_503", 503), ("cut_json", 502), ("bad_request", 422), ("reset", 503)]
)
def test_errors_of_the_provider_are_hardened(broker: httpx.Client, sandbox: Sandbox, fault: str, status: int) -> None:
    """The same holds for what comes of a provider's failure."""
    sandbox.put_fault(fault)
    answer = broker.post("/checkout", content=CART, headers=JSON_TYPE)

    assert status == answer.status_code
    assert HARDENED == {name: answer.headers[name] for name in HARDENED}
    assert answer.headers["request-id"] == answer.json()["instance"]


def test_refused_method_names_those_that_work(broker: httpx.Client) -> None:
    """A 405 carries `Allow`."""
    answer = broker.delete("/checkout")

    assert {"OPTIONS", "POST"} == set(answer.headers["allow"].split(", "))


def test_head_has_no_body(broker: httpx.Client) -> None:
    """On the wire an answer to HEAD ends with its headers."""
    answer = exchange(str(broker.base_url), request_bytes("HEAD", "/livez"))

    assert (405, b"") == (answer.status, answer.body)


def test_request_id_is_ours(broker: httpx.Client) -> None:
    """Each request has an id of its own, and none that a client sends is taken over."""
    ids = [broker.get("/livez", headers={"Request-Id": "x", "X-Request-Id": "x"}).headers["request-id"] for _ in "ab"]

    assert 2 == len({*ids} - {"x"})


def test_unknown_methods_share_a_label(send: Send) -> None:
    """A stranger cannot fill the metrics with methods or addresses of their own."""
    labels = {"method": "other", "route": "unmatched", "status": "404"}
    before = REGISTRY.get_sample_value("checkout_requests_total", labels) or 0
    send("PROPFIND", "/a-stranger-was-here")

    assert before + 1 == REGISTRY.get_sample_value("checkout_requests_total", labels)
    assert not [family for family in REGISTRY.collect() if "a-stranger-was-here" in str(family.samples)]


async def test_client_that_leaves_is_counted() -> None:
    """A request that is given up before its answer began is counted under a status of its own."""
    started = asyncio.Event()

    async def never(*_: object) -> None:
        started.set()
        await asyncio.Event().wait()

    labels = {"method": "GET", "route": "unmatched", "status": "499"}
    before = REGISTRY.get_sample_value("checkout_requests_total", labels) or 0
    scope = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "headers": []}
    request = asyncio.create_task(Edge(never, lambda _: False)(scope, never, never))  # type: ignore[arg-type]  # unused
    await started.wait()
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)

    assert before + 1 == REGISTRY.get_sample_value("checkout_requests_total", labels)
