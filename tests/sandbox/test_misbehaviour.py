"""Every fault, on a real connection."""

import time
from collections.abc import AsyncIterator

import httpx
import pytest

SESSIONS = "/v2/checkouts/acme/popup-checkout/sessions"
CART = {
    "orderTags": {"ref": "r1"},
    "cart": {"lineItems": [{"productPath": "pro-license", "quantityBehavior": "LOCK"}]},
}


@pytest.fixture(autouse=True)
async def no_fault(served: httpx.AsyncClient) -> AsyncIterator[None]:
    """Without a fault the very same request succeeds, so what is seen is the fault's doing."""
    assert 201 == (await create(served)).status_code
    yield
    [fault] = (await served.get("/_sandbox/faults")).json()
    assert fault["used"] >= 1


async def create(http: httpx.AsyncClient, patience_seconds: float = 10) -> httpx.Response:
    return await http.post(SESSIONS, json=CART, timeout=patience_seconds)


async def arm(http: httpx.AsyncClient, kind: str, **details: object) -> None:
    (await http.put("/_sandbox/faults", json=[{"kind": kind, **details}])).raise_for_status()


async def created_sessions(http: httpx.AsyncClient) -> int:
    return len((await http.get("/_sandbox/sessions")).json())


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("bad_request", "400 BAD_REQUEST"),
        ("unauthorized", "401 UNAUTHORIZED"),
        ("forbidden", "403 FORBIDDEN"),
        ("throttled_404", "404 NOT_FOUND"),
        ("too_many", "429 TOO_MANY_REQUESTS"),
        ("error_500", "500 INTERNAL_SERVER_ERROR"),
        ("unavailable_503", "503 SERVICE_UNAVAILABLE"),
    ],
)
async def test_refusals(served: httpx.AsyncClient, kind: str, status: str) -> None:
    """A refusal has the provider's own body, makes no session and, unless asked for, names no Retry-After."""
    await arm(served, kind)
    answer = await create(served)

    assert (int(status[:3]), status) == (answer.status_code, answer.json()["status"])
    assert "retry-after" not in answer.headers
    assert 1 == await created_sessions(served)


async def test_bad_request_names_the_field(served: httpx.AsyncClient) -> None:
    """A refused field comes with its code, its path and the value that was refused."""
    await arm(served, "bad_request")
    [error] = (await create(served)).json()["errors"]

    assert ("INVALID_EMAIL_FORMAT", "customer.billToContact.email") == (error["errorCode"], error["field"])


async def test_retry_after(served: httpx.AsyncClient) -> None:
    """A Retry-After is sent when it is asked for."""
    await arm(served, "too_many", retryAfter=7)

    assert "7" == (await create(served)).headers["retry-after"]


async def test_slow_answer_still_makes_the_session(served: httpx.AsyncClient) -> None:
    """A slow answer comes late and whole; a client that gives up has left a session behind."""
    await arm(served, "slow", seconds=0.4)
    began = time.monotonic()

    assert 201 == (await create(served)).status_code
    assert time.monotonic() - began >= 0.4
    with pytest.raises(httpx.ReadTimeout):
        await create(served, patience_seconds=0.1)
    assert 3 == await created_sessions(served)


async def test_trickled_answer_outlasts_read_timeouts(served: httpx.AsyncClient) -> None:
    """Each piece comes soon enough for a read timeout, the whole takes its time."""
    await arm(served, "trickle", seconds=0.6)
    began = time.monotonic()

    assert 201 == (await create(served, patience_seconds=0.5)).status_code
    assert time.monotonic() - began >= 0.55


async def test_silence_lasts_until_the_client_leaves(served: httpx.AsyncClient) -> None:
    """No byte comes back; the request is carried out only where that is asked for."""
    await arm(served, "silent")
    with pytest.raises(httpx.ReadTimeout):
        await create(served, patience_seconds=0.2)
    before = await created_sessions(served)
    await arm(served, "silent", processed=True)
    with pytest.raises(httpx.ReadTimeout):
        await create(served, patience_seconds=0.2)

    assert (1, 2) == (before, await created_sessions(served))


async def test_truncated_answer(served: httpx.AsyncClient) -> None:
    """The connection ends before the promised length is there."""
    await arm(served, "truncated")

    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        await create(served)


async def test_cut_json(served: httpx.AsyncClient) -> None:
    """The answer is complete for HTTP and broken as JSON."""
    await arm(served, "cut_json")
    answer = await create(served)

    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        answer.json()


async def test_reset_connection(served: httpx.AsyncClient) -> None:
    """The connection is reset without an answer."""
    await arm(served, "reset")

    with pytest.raises(httpx.ReadError):
        await create(served)


@pytest.mark.parametrize(("kind", "body"), [("html", "<!doctype html>"), ("empty", "")])
async def test_good_status_without_json(served: httpx.AsyncClient, kind: str, body: str) -> None:
    """A page or nothing at all comes with a good status."""
    await arm(served, kind)
    answer = await create(served)

    assert (201, body) == (answer.status_code, answer.text[:15])


async def test_redirect_to_the_metadata_address(served: httpx.AsyncClient) -> None:
    """The answer sends its reader to an address inside the network."""
    await arm(served, "redirect")
    answer = await create(served)

    assert (302, "http://169.254.169.254/") == (answer.status_code, answer.headers["location"])


async def test_too_large_answer_is_streamed(served: httpx.AsyncClient) -> None:
    """The body has the size that was asked for and no Content-Length."""
    await arm(served, "too_large", mebibytes=2)
    answer = await create(served)

    assert "content-length" not in answer.headers
    assert 2 * 1024 * 1024 == len(answer.json()["id"])


async def test_too_large_answer_ends_when_the_client_leaves(served: httpx.AsyncClient) -> None:
    """A client that has read enough and leaves is let go at once, whatever size was asked for."""
    await arm(served, "too_large", mebibytes=10_000_000)
    async with served.stream("POST", SESSIONS, json=CART) as answer:
        async for _ in answer.aiter_bytes():
            break

    assert 1 == await created_sessions(served)


@pytest.mark.parametrize(
    ("kind", "path", "expected"),
    [
        ("missing_id", "id", None),
        ("hostile_id", "id", "OS1\r\nSet-Cookie: stolen=1"),
        ("wrong_types", "id", 17),
        ("wrong_live", "live", False),
        ("wrong_quantity", "cart.lineItems.0.quantity", 2),
        ("wrong_product", "cart.lineItems.0.productPath", "something-else"),
        ("missing_item", "cart.lineItems", []),
        ("missing_tag", "orderTags", {}),
        ("missing_tags", "orderTags", None),
        ("changed_tag", "orderTags.ref", "changed"),
        ("unlocked", "cart.lineItems.0.quantityBehavior", "ALLOW"),
        ("foreign_url", "checkoutUrls.webcheckoutUrl", "https://evil.example/checkout/session/OS1"),
        ("script_url", "checkoutUrls.webcheckoutUrl", "javascript:alert(1)//.onfastspring.com"),
        ("wrong_total", "cart.withTaxNetTotal", 50.0),
        ("wrong_currency", "currency", "GBP"),
        ("wrong_country", "country", "GB"),
        ("expired", "expires", "2020-01-01T00:00:00.000Z"),
        ("expired_status", "status", "EXPIRED"),
        ("not_ready", "checkoutStatus", ["PRODUCTS_REQUIRED"]),
        ("concluded", "checkoutStatus", ["CONCLUDED"]),
        ("extra_warning", "warnings.0.code", "INVALID_COUNTRY"),
    ],
)
async def test_lies(served: httpx.AsyncClient, kind: str, path: str, expected: object) -> None:
    """A lie is told in an answer that is otherwise good."""
    await arm(served, kind)
    answer = await create(served)
    value = answer.json()
    for key in path.split("."):
        value = value[int(key)] if isinstance(value, list) else value.get(key)

    assert (201, expected) == (answer.status_code, value)


async def test_lie_of_another_provider(served: httpx.AsyncClient) -> None:
    """A way to lie that this provider does not have is refused in words, instead of failing the sandbox."""
    await arm(served, "missing_token")
    answer = await create(served)

    assert 501 == answer.status_code
    assert "fastspring_v2 has no such fault: missing_token" in answer.text
