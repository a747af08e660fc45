"""Which listener serves what, and that no spelling of a path gets around it: real processes, two workers each."""

import json
import re
from collections.abc import Generator

import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from service.app import ROUTES
from tests.support.config import CALLER_KEY, default_toml
from tests.support.patience import wait_until
from tests.support.ports import free_port
from tests.support.process import served
from tests.support.raw import RawAnswer, exchange, request_bytes
from tests.support.servers import Sandbox

PUBLIC = {"/checkout", "/checkout/{reference}", "/checkout.js"}
BOTH = {"/livez", "/readyz", "/problems/{slug}"}
INTERNAL = {
    "/internal/checkout",
    "/internal/checkout/preview",
    "/internal/client-ip",
    "/internal/quotes",
    "/internal/sessions/{reference}",
    "/internal/sessions/{reference}/customer",
    "/internal/sessions/{reference}/items",
    "/internal/sessions/{reference}/items/{product}",
    "/internal/sessions/{reference}/payment-methods",
    "/metrics",
    "/openapi.json",
    "/docs",
}
VALUES = {"reference": "cs_01kb2w8z4e6m3q9r7t5v1x0y2a", "product": "pro-license", "slug": "not-found"}
INVENTORY = sorted(
    (method, route.path_format)
    for route in Litestar(ROUTES, openapi_config=None, logging_config=None).routes
    if isinstance(route, HTTPRoute)
    for handler in route.route_handlers
    for method in handler.http_methods
)
CALLER = f"Authorization: Bearer {CALLER_KEY}"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
# As a stranger may write /internal/client-ip and its neighbours to pass a proxy that looks for a prefix.
SPELLINGS = [
    "//internal/client-ip",
    "///internal/client-ip",
    "/internal//client-ip",
    "/internal/client-ip/",
    "/internal/client-ip//",
    "/%69nternal/client-ip",
    "/%49nternal/client-ip",
    "/%2569nternal/client-ip",
    "/internal%2fclient-ip",
    "/internal%2Fclient-ip",
    "%2finternal/client-ip",
    "/%2finternal/client-ip",
    "/./internal/client-ip",
    "/.//internal/client-ip",
    "/internal/./client-ip",
    "/internal/../internal/client-ip",
    "/checkout/../internal/client-ip",
    "/checkout/%2e%2e/internal/client-ip",
    "/checkout/..%2finternal/client-ip",
    "/checkout/..;/internal/client-ip",
    "/;/internal/client-ip",
    "/internal;a/client-ip",
    "/internal/client-ip;a",
    "/internal/client-ip%00",
    "/internal/client-ip%20",
    "/internal/client-ip%23",
    "/internal/client-ip%3f",
    "/internal\\client-ip",
    "\\internal/client-ip",
    "internal/client-ip",
    "/Internal/client-ip",
    "/INTERNAL/CLIENT-IP",
    "/\xefnternal/client-ip",
    "/%c0%afinternal/client-ip",
    "/internal/client%2dip",
    "http://broker//internal/client-ip",
    "http://broker/%69nternal/client-ip",
    "//broker/internal/client-ip",
    "//internal/sessions/cs_01kb2w8z4e6m3q9r7t5v1x0y2a",
    "/%69nternal/sessions/cs_01kb2w8z4e6m3q9r7t5v1x0y2a",
    "/internal/sessions//cs_01kb2w8z4e6m3q9r7t5v1x0y2a",
    "/internal/sessions/cs_01kb2w8z4e6m3q9r7t5v1x0y2a/",
    "/internal%2fsessions/cs_01kb2w8z4e6m3q9r7t5v1x0y2a",
    "//metrics",
    "/metrics/",
    "/%6detrics",
    "/Metrics",
    "//docs",
    "/openapi%2ejson",
]


class Urls:
    """Where a service of two listeners answers."""

    def __init__(self, public: str, internal: str) -> None:
        self.public = public
        self.internal = internal


def two_workers(sandbox: Sandbox, addition: str) -> str:
    """The usual configuration with something more under [server]."""
    return default_toml(sandbox.url).replace("[server]", f"[server]\nworkers = 2\n{addition}", 1)


@pytest.fixture(scope="module")
def split(_sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Generator[Urls]:
    """A service with an internal listener."""
    port = free_port()
    toml = two_workers(_sandbox_server, f"internal_port = {port}")
    with served(toml, tmp_path_factory.mktemp("split")) as broker:
        yield Urls(broker.url, f"http://127.0.0.1:{port}")


@pytest.fixture(scope="module")
def single(_sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """A service with one listener."""
    with served(two_workers(_sandbox_server, ""), tmp_path_factory.mktemp("single")) as broker:
        yield broker.url


def ask(url: str, method: str, target: str, *headers: str) -> RawAnswer:
    """One request, byte by byte as written."""
    return exchange(url, request_bytes(method, target, headers))


def is_not_found(answer: RawAnswer) -> bool:
    """Whether there is nothing at that address, as opposed to nothing of that name."""
    return answer.status == 404 and json.loads(answer.body)["type"] == "/problems/not-found"


def shape(answer: RawAnswer) -> tuple[object, ...]:
    """All of an answer but its time and its id."""
    headers = {name: value for name, value in answer.headers.items() if name not in {"date", "request-id"}}
    return answer.status, headers, re.sub(rb"[0-9a-f]{32}", b"", answer.body)


def test_inventory() -> None:
    """There is no route but those of the list above: a new one must say here which listener it belongs to."""
    assert PUBLIC | INTERNAL | BOTH == {path for _, path in INVENTORY}


@pytest.mark.parametrize(("method", "path"), INVENTORY)
def test_route_is_on_its_listener_alone(split: Urls, single: str, method: str, path: str) -> None:
    """Each route by listener: found where it belongs, unknown elsewhere also with a key; one listener has them all."""
    target = path.format(**VALUES)
    found = {
        name: not is_not_found(ask(url, method, target, CALLER))
        for name, url in (("public", split.public), ("internal", split.internal), ("single", single))
    }

    assert {"public": path not in INTERNAL, "internal": path not in PUBLIC, "single": True} == found


@pytest.mark.parametrize("method", METHODS)
def test_public_listener_does_not_tell_what_it_hides(split: Urls, method: str) -> None:
    """A hidden route answers exactly as one that never was, with any method and with a caller's key."""
    never = shape(ask(split.public, method, "/never-was", CALLER))

    for path in INTERNAL:
        assert never == shape(ask(split.public, method, path.format(**VALUES), CALLER))


def test_what_is_sent_does_not_choose_the_listener(split: Urls) -> None:
    """No header or absolute address moves a request of the public listener to the internal one."""
    host = split.internal.removeprefix("http://")
    headers = (
        f"Host: {host}",
        f"X-Forwarded-Host: {host}",
        f"X-Forwarded-Port: {host[-5:]}",
        "X-Original-URL: /metrics",
    )
    data = "\r\n".join(["GET /metrics HTTP/1.1", "Connection: close", CALLER, *headers, "", ""]).encode()

    assert is_not_found(exchange(split.public, data))
    assert is_not_found(ask(split.public, "GET", f"{split.internal}/metrics", CALLER))


def test_key_is_still_needed(split: Urls) -> None:
    """Being inside is no right: callers' routes ask for a key there too."""
    paths = [(method, path.format(**VALUES)) for method, path in INVENTORY if path.startswith("/internal/")]
    statuses = {ask(split.internal, method, path).status for method, path in paths if method != "OPTIONS"}

    assert {401} == statuses


def counted(split: Urls) -> float:
    """How often all workers together have answered the script, by the internal listener's metrics."""
    text = ask(split.internal, "GET", "/metrics").body.decode()
    sample = 'checkout_requests_total{method="GET",route="/checkout.js",status="200"} '
    found = re.search(f"^{re.escape(sample)}(.+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_metrics(split: Urls, single: str) -> None:
    """On the internal listener they are open, and of all workers; on a sole listener they need the scope."""
    before = counted(split)
    for _ in range(20):
        assert 200 == ask(split.public, "GET", "/checkout.js").status

    wait_until(lambda: before + 20 == counted(split), "the counts of both workers")
    assert 401 == ask(single, "GET", "/metrics").status
    assert 200 == ask(single, "GET", "/metrics", CALLER).status


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_other_spellings_are_no_route(split: Urls, single: str, spelling: str) -> None:
    """What a proxy may not recognise as /internal is not /internal here either, on any listener, whoever asks."""
    for url in (split.public, split.internal, single):
        answer = ask(url, "GET", spelling, CALLER)

        assert (answer.status, json.loads(answer.body)["type"]) in {
            (404, "/problems/not-found"),
            (400, "/problems/invalid-request"),  # no HTTP at all
        }


def test_usual_spelling_is_a_route(split: Urls, single: str) -> None:
    """The control: the same addresses spelt as documented are found, also with a query or as absolute addresses."""
    for url in (split.internal, single):
        for target in ("/internal/client-ip", "/internal/client-ip?x=//", f"{url}/internal/client-ip"):
            assert 200 == ask(url, "GET", target, CALLER).status
        assert not is_not_found(ask(url, "GET", f"/internal/sessions/{VALUES['reference']}", CALLER))


@pytest.mark.parametrize("path", ["/checkout", "/checkout.js", "/livez", "/problems/not-found"])
@pytest.mark.parametrize("spelling", ["/{0}", "{0}/", "{0}//", "/.{0}", "/%{1:02x}{2}"])
def test_public_routes_have_one_spelling_too(single: str, path: str, spelling: str) -> None:
    """The rule is of all routes."""
    target = spelling.format(path, ord(path[1]), path[2:])

    assert is_not_found(ask(single, "GET", target))
