"""How a body is taken off the wire: its size, its type, its pace, and a client that leaves. Mirrors `api/body.py`."""

import gzip
import json
from collections.abc import Iterator

import httpx
import pytest
from prometheus_client import REGISTRY

from tests.api.conftest import Send
from tests.support.patience import wait_until
from tests.support.raw import RawAnswer, connect, exchange, read_to_end, request_bytes

CART = {"items": [{"product": "pro-license"}]}
BODY = json.dumps(CART).encode()
LIMIT = 65536
TOO_LARGE = (413, "/problems/payload-too-large")
ORIGIN = "https://shop.example"


def problem_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"]


def padded(length: int) -> bytes:
    """A good body of exactly this many bytes."""
    return BODY + b" " * (length - len(BODY))


def in_chunks(body: bytes) -> Iterator[bytes]:
    yield from (body[start : start + 8192] for start in range(0, len(body), 8192))


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", ["/checkout", "/internal/checkout"])
def test_largest_body(broker: httpx.Client, caller_headers: dict[str, str], path: str, chunked: bool) -> None:  # noqa: FBT001  # a case
    """The limit itself passes and one byte more is 413, with and without a declared length."""
    headers = caller_headers | {"Content-Type": "application/json"}
    bodies = [padded(LIMIT), padded(LIMIT + 1)]
    largest, larger = (
        broker.post(path, content=in_chunks(body) if chunked else body, headers=headers) for body in bodies
    )

    assert 201 == largest.status_code
    assert TOO_LARGE == problem_of(larger)


def test_declared_size_is_enough_to_refuse(broker: httpx.Client) -> None:
    """A length above the limit is answered before a byte of the body has come."""
    head = request_bytes("POST", "/checkout", ("Content-Type: application/json", "Content-Length: 70000"))

    assert 413 == exchange(str(broker.base_url), head).status


def test_refused_body_is_drained(broker: httpx.Client) -> None:
    """Who sends a megabyte gets the whole 413, and the same connection serves the next request."""
    body = padded(1024 * 1024)
    head = f"POST /checkout HTTP/1.1\r\nHost: broker\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    with connect(str(broker.base_url)) as connection:
        connection.sendall(f"{head}\r\n\r\n".encode() + body)
        connection.sendall(request_bytes("GET", "/livez"))
        received = read_to_end(connection)

    assert 413 == RawAnswer(received).status
    assert b"/problems/payload-too-large" in received
    assert received.endswith(b'{"status":"ok"}')


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8; x=y",
        "Application/JSON",
        "application/json ; charset=utf-8",
    ],
)
def test_json_is_taken_with_parameters(broker: httpx.Client, media_type: str) -> None:
    """The type is compared without its parameters and without regard to case."""
    assert 201 == broker.post("/checkout", content=BODY, headers={"Content-Type": media_type}).status_code


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/json-patch+json",
        "application/problem+json",
        "text/json",
        "text/plain, application/json",
        "application/json, text/plain",
        "",
        None,
    ],
)
@pytest.mark.parametrize("path", ["/checkout", "/internal/checkout"])
def test_other_types_are_refused(
    broker: httpx.Client, caller_headers: dict[str, str], path: str, media_type: str | None
) -> None:
    """Whatever a form could send across sites, and everything else that is not JSON, is 415."""
    headers = caller_headers | ({} if media_type is None else {"Content-Type": media_type})

    assert (415, "/problems/unsupported-media-type") == problem_of(broker.post(path, content=BODY, headers=headers))


def test_compressed_body_is_not_unpacked(broker: httpx.Client) -> None:
    """A small body that would grow is refused, and so is a plain one that says it is packed: others would unpack it."""
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}

    assert 415 == broker.post("/checkout", content=BODY, headers=headers).status_code
    assert 415 == broker.post("/checkout", content=gzip.compress(BODY), headers=headers).status_code


def test_slow_body_is_given_up(broker: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that does not come in time is 408, and the connection ends with the answer."""
    monkeypatch.setattr("service.api.body._BODY_SECONDS", 0.2)
    head = "POST /checkout HTTP/1.1\r\nHost: broker\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n{"
    with connect(str(broker.base_url)) as connection:
        connection.sendall(head.encode())
        answer = RawAnswer(read_to_end(connection))

    assert 408 == answer.status
    assert "close" == answer.headers["connection"]
    assert b"/problems/request-timeout" in answer.body


def test_client_that_leaves_is_no_failure_of_ours(broker: httpx.Client) -> None:
    """A body that breaks off is counted as the client's error, not as a 5xx."""

    def counted() -> list[float]:
        labels = {"method": "POST", "route": "/checkout"}
        return [
            REGISTRY.get_sample_value("checkout_requests_total", labels | {"status": status}) or 0
            for status in ("400", "500")
        ]

    before = counted()
    with connect(str(broker.base_url)) as connection:
        connection.sendall(request_bytes("POST", "/checkout", ("Content-Type: application/json",), BODY)[:-5])
    wait_until(lambda: counted() != before)

    assert [before[0] + 1, before[1]] == counted()


ORDER = [
    # each request breaks every rule from its own on, so the answer shows which is looked at first
    ({"Content-Type": "text/plain", "Origin": "https://evil.example"}, b"{" * (LIMIT + 1), "payload-too-large"),
    ({"Content-Type": "text/plain", "Origin": "https://evil.example"}, b"{", "unsupported-media-type"),
    ({"Content-Type": "application/json", "Origin": "https://evil.example"}, b"{", "origin-not-allowed"),
    ({"Content-Type": "application/json", "Origin": ORIGIN}, b'{"checkout": "none", "x": 1}', "invalid-request"),
    (
        {"Content-Type": "application/json", "Origin": ORIGIN},
        b'{"checkout": "none", "live": true, "items": []}',
        "unknown-checkout",
    ),
    (
        {"Content-Type": "application/json", "Origin": ORIGIN},
        b'{"live": true, "items": [{"product": "a", "quantity": 101}]}',
        "restricted-field",
    ),
    (
        {"Content-Type": "application/json", "Origin": ORIGIN},
        b'{"items": [{"product": "a", "quantity": 101}], "country": "DE"}',
        "cart-not-allowed",
    ),
]


@pytest.mark.parametrize(("headers", "body", "slug"), ORDER, ids=[slug for _, _, slug in ORDER])
def test_order_of_checks(send: Send, headers: dict[str, str], body: bytes, slug: str) -> None:
    """Size, type, origin, decoding, checkout, server-only fields, policy: the first broken rule answers."""
    answer = send("POST", "/checkout", content=body, headers=headers)

    assert f"/problems/{slug}" == answer.json()["type"]


def test_two_types(broker: httpx.Client) -> None:
    """A body of two types has none, also when both are the right one."""
    headers = [("Content-Type", "application/json"), ("Content-Type", "application/json")]
    answer = broker.post("/checkout", content=BODY, headers=headers)

    assert (415, "/problems/unsupported-media-type") == problem_of(answer)
