"""Which sites may ask, and what their pages may read."""

import re
from itertools import product

import httpx
import pytest

from tests.api.conftest import Send
from tests.conftest import MakeBroker
from tests.support.config import PLAIN_CHECKOUT, default_toml
from tests.support.servers import Sandbox

CART = {"items": [{"product": "pro-license"}]}
LISTED = "https://shop.example"
FOREIGN = [
    "null",
    "",
    "https://shop.example.evil.test",
    "https://evilshop.example",
    "https://evil.test/https://shop.example",
    "https://www.shop.example",
    "https://shop.example.",
    "https://shop.example/",
    "https://shop.example:443",
    "https://shop.example:8443",
    "http://shop.example",
    "HTTPS://SHOP.EXAMPLE",
    "https://Shop.example",
    "https://shop-example",
    "https://shopxexample",
    "https://user@shop.example",
    "https://xn--shp-hoa.example",
    "https://shop.example, https://evil.test",
    "file://",
    "*",
]
SITES = ["cross-site", "same-site", "same-origin", "none", None]
READABLE = "access-control-allow-origin"
CONTENT_TYPES = {
    "application/json": True,
    "Application/JSON; charset=utf-8": True,
    "text/plain": False,
    "text/plain; application/json": False,
    "application/x-www-form-urlencoded": False,
    "multipart/form-data; boundary=x": False,
    "application/csp-report": False,
    None: False,
}


def headers_of(origin: str | None, site: str | None = None) -> dict[str, str]:
    named = {"Origin": origin, "Sec-Fetch-Site": site}
    return {name: value for name, value in named.items() if value is not None}


@pytest.mark.parametrize(("origin", "site"), [*product(FOREIGN, SITES)])
def test_foreign_origin(send: Send, sandbox: Sandbox, origin: str, site: str | None) -> None:
    """An origin that is not on a list, letter for letter, is 403 on every route of the storefront, whatever else holds.

    Nothing tells its page that it may read the answer, nor that it may send the request at all.
    """
    headers = headers_of(origin, site)
    created = send("POST", "/checkout", json=CART, headers=headers)
    read = send("GET", "/checkout/cs_01kb2w8z4e6m3q9r7t5v1x0y2a", headers=headers)
    preflight = send("OPTIONS", "/checkout", headers=headers | {"Access-Control-Request-Method": "POST"})

    assert [(403, "/problems/origin-not-allowed")] * 2 == [
        (answer.status_code, answer.json()["type"]) for answer in (created, read)
    ]
    assert [] == [name for answer in (created, read, preflight) for name in answer.headers if "access-control" in name]
    assert [] == sandbox.requests()


@pytest.mark.parametrize("site", SITES)
def test_listed_origin(send: Send, site: str | None) -> None:
    """A listed origin is served, whatever `Sec-Fetch-Site` says, and its page may read the answer."""
    answer = send("POST", "/checkout", json=CART, headers=headers_of(LISTED, site))

    assert 201 == answer.status_code
    assert LISTED == answer.headers[READABLE]


@pytest.mark.parametrize(("site", "status"), [*zip(SITES, [403, 201, 201, 201, 201], strict=True)])
def test_no_origin(send: Send, site: str | None, status: int) -> None:
    """A request without `Origin` is taken unless the browser says that another site made it."""
    answer = send("POST", "/checkout", json=CART, headers=headers_of(None, site))

    assert status == answer.status_code
    assert READABLE not in answer.headers


@pytest.mark.parametrize("origin", [*FOREIGN, LISTED, None])
def test_sites_by_content_types(send: Send, sandbox: Sandbox, origin: str | None) -> None:
    """Each origin with each content type that a form or a script can send, each `Sec-Fetch-Site`, asked before or not.

    JSON alone is taken, from a listed site alone, or from no page; only that site's page hears that it may send JSON at
    all, and may read the answer. Whatever is refused reaches no provider.
    """
    expected, heard = {}, {}
    for kind, site, asks_first in product(CONTENT_TYPES, SITES, (True, False)):
        cell = kind, site, asks_first
        refused = origin not in {LISTED, None} or (origin is None and site == "cross-site")
        status = 415 if not CONTENT_TYPES[kind] else 403 if refused else 201
        readable = LISTED if origin == LISTED else None
        expected[cell] = (status, readable, readable if asks_first else None)
        heard[cell] = _cell(send, headers_of(origin, site), kind, asks_first=asks_first)

    assert expected == heard
    taken = [status for status, *_ in heard.values() if status == 201]
    assert len(taken) == len(sandbox.requests())


def _cell(
    send: Send, headers: dict[str, str], kind: str | None, *, asks_first: bool
) -> tuple[int, str | None, str | None]:
    """What a create is answered, whether its page may read that, and what a preflight said before."""
    allowed = None
    if asks_first:
        asking = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
        preflight = send("OPTIONS", "/checkout", headers=headers | asking)
        assert (204, "Origin") == (preflight.status_code, preflight.headers["vary"])
        assert (READABLE in preflight.headers) == ("access-control-allow-headers" in preflight.headers)
        allowed = preflight.headers.get(READABLE)
    typed = headers if kind is None else headers | {"Content-Type": kind}
    answer = send("POST", "/checkout", content=b'{"items": [{"product": "pro-license"}]}', headers=typed)
    assert "Origin" == answer.headers["vary"]
    return answer.status_code, answer.headers.get(READABLE), allowed


def test_preflight_names_what_the_client_needs(broker: httpx.Client) -> None:
    """The page of a listed origin may send our three headers, for ten minutes without asking again."""
    headers = headers_of(LISTED, "cross-site") | {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,buyer-key,idempotency-key",
    }
    answer = broker.options("/checkout", headers=headers)

    assert 204 == answer.status_code
    assert {
        "access-control-allow-origin": LISTED,
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": "Content-Type, Buyer-Key, Idempotency-Key",
        "access-control-max-age": "600",
        "access-control-expose-headers": "Request-Id, Retry-After, Idempotent-Replayed",
    } == {name: value for name, value in answer.headers.items() if name.startswith("access-control")}


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("POST", "/checkout", b"{", 400),
        ("POST", "/checkout", b'{"items": [{"product": "a"}], "live": true}', 403),
        ("POST", "/checkout", b'{"items": [{"product": "a"}], "checkout": "none"}', 404),
        ("POST", "/checkout", b" " * 70_000, 413),
        ("POST", "/checkout", b'{"items": [{"product": "a"}, {"product": "a"}]}', 422),
        ("GET", "/checkout/none", b"", 404),
        ("GET", "/checkout/none/none", b"", 404),
        ("PUT", "/checkout", b"{}", 405),
        ("GET", "/checkout.js", b"", 200),
    ],
)
def test_page_can_read_every_answer(send: Send, method: str, path: str, content: bytes, status: int) -> None:
    """Errors are readable too, so that the client can show them in words; no answer allows credentials mode."""
    headers = headers_of(LISTED) | {"Content-Type": "application/json"}
    answer = send(method, path, content=content, headers=headers)

    assert status == answer.status_code
    assert LISTED == answer.headers[READABLE]
    assert "Request-Id" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", [None, LISTED, "https://evil.test"])
def test_answers_vary_by_origin(send: Send, origin: str | None) -> None:
    """No cache between may give one site's answer to another: `Vary` stands in each, also without an `Origin`."""
    answers = [send("POST", "/checkout", json=CART, headers=headers_of(origin))]
    answers += [send("OPTIONS", "/checkout", headers=headers_of(origin))]
    answers += [send("GET", "/checkout.js", headers=headers_of(origin))]

    assert ["Origin"] * 3 == [answer.headers["vary"] for answer in answers]


def test_internal_routes_are_for_no_page(send: Send, caller_headers: dict[str, str]) -> None:
    """What callers use is shared with no origin, not even a listed one."""
    answers = [send(method, "/internal/checkout", headers=headers_of(LISTED)) for method in ("POST", "OPTIONS")]

    assert [] == [name for answer in answers for name in answer.headers if "access-control" in name]


def test_checkout_of_another_site_does_not_exist(make_broker: MakeBroker, sandbox: Sandbox) -> None:
    """One that this origin may not use is answered, byte for byte, like one that there is not."""
    other = f'\n[checkouts.other]\n{PLAIN_CHECKOUT}allowed_origins = ["https://other.example"]\n'
    broker = make_broker(default_toml(sandbox.url) + other)
    foreign, unknown = (
        broker.post("/checkout", json=CART | {"checkout": name}, headers=headers_of(LISTED))
        for name in ("other", "none")
    )
    own = broker.post("/checkout", json=CART | {"checkout": "other"}, headers=headers_of("https://other.example"))

    def without_id(answer: httpx.Response) -> tuple[int, str, list[tuple[str, str]]]:
        headers = [(name, value) for name, value in answer.headers.items() if name not in {"request-id", "date"}]
        return answer.status_code, re.sub(r"[0-9a-f]{32}", "", answer.text), headers

    assert 201 == own.status_code
    assert (404, "/problems/unknown-checkout") == (foreign.status_code, foreign.json()["type"])
    assert without_id(unknown) == without_id(foreign)


def test_checkout_without_origins_is_for_requests_without(make_broker: MakeBroker, sandbox: Sandbox) -> None:
    """Where no site is listed, no page may ask; a request that no page made may."""
    bare = default_toml(sandbox.url).replace('allowed_origins = ["https://shop.example"]', "")
    broker = make_broker(bare)

    assert 403 == broker.post("/checkout", json=CART, headers=headers_of(LISTED)).status_code
    assert 201 == broker.post("/checkout", json=CART).status_code


@pytest.mark.parametrize(
    "headers",
    [
        [("Origin", LISTED), ("Origin", LISTED)],
        [("Origin", LISTED), ("Origin", "https://evil.test")],
        [("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")],
        [("Sec-Fetch-Site", "none"), ("Sec-Fetch-Site", "none")],
    ],
)
def test_a_site_that_is_named_twice_is_foreign(
    broker: httpx.Client, sandbox: Sandbox, headers: list[tuple[str, str]]
) -> None:
    """No browser names its page twice."""
    answers = [broker.post("/checkout", json=CART, headers=headers), broker.get("/checkout/cs_1", headers=headers)]

    assert [(403, "/problems/origin-not-allowed")] * 2 == [(one.status_code, one.json()["type"]) for one in answers]
    assert [] == sandbox.requests()


def test_a_session_of_another_checkout_s_page(make_broker: MakeBroker, sandbox: Sandbox) -> None:
    """A page that only another checkout lists learns of a session as little as of one that never was."""
    other = f'\n[checkouts.other]\n{PLAIN_CHECKOUT}allowed_origins = ["https://other.example"]\n'
    broker = make_broker(default_toml(sandbox.url) + other)
    key = {"Buyer-Key": "b" * 30}
    reference = broker.post("/checkout", json=CART, headers=key | {"Origin": LISTED}).json()["reference"]
    own, foreign, server = (
        broker.get(f"/checkout/{reference}", headers=key | origin)
        for origin in ({"Origin": LISTED}, {"Origin": "https://other.example"}, {})
    )
    never = broker.get("/checkout/cs_1", headers=key | {"Origin": "https://other.example"})

    assert (200, 404, 200) == (own.status_code, foreign.status_code, server.status_code)
    assert never.json() | {"instance": ""} == foreign.json() | {"instance": ""}
