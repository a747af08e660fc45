"""PayNow.gg: the management call, its errors, and what the fault dial makes of them."""

from collections.abc import AsyncIterator

import httpx
import pytest

from service.sandbox.paynow.catalogue import STORE
from service.sandbox.paynow.flake import is_flake_id
from tests.sandbox.paynow.calls import PATH, SERVER, Json, checkout, customer, get, line, post_checkout, token

STOREFRONT = {"x-paynow-customer-countrycode": "DE"}


@pytest.fixture
async def wire(address: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a sandbox under a real server."""
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=10) as http:
        await http.post("/_sandbox/reset")
        yield http


async def arm(http: httpx.AsyncClient, kind: str, **details: object) -> None:
    (await http.put("/_sandbox/faults", json=[{"kind": kind, **details}])).raise_for_status()


async def test_create(buyer: httpx.AsyncClient) -> None:
    """A checkout answers 200 with its id, its token and its address, and nothing else."""
    first, second = [await checkout(buyer) for _ in range(2)]

    assert {"id": first["id"], "token": first["token"], "url": first["url"]} == first
    assert is_flake_id(first["id"])
    assert (True, True) == (first["id"] != second["id"], first["token"] != second["token"])


async def test_address_without_a_public_one(wire: httpx.AsyncClient, address: str) -> None:
    """Where no public address is set, the page is found where the request came to."""
    made = await checkout(wire)

    assert f"{address}/paynow/?t={made['token']}" == made["url"]


async def test_body_of_a_refusal(buyer: httpx.AsyncClient) -> None:
    """A refusal says its status, a code, a message, a trace and each error with its path."""
    document = (await post_checkout(buyer, line(quantity="1"))).json()
    [error] = document["errors"]

    assert {"status": 400, "code": "bad-request", "message": "Expected `int`, got `str`"}.items() <= document.items()
    assert (32, {"code", "message", "path", "validation"}) == (len(document["trace_id"]), set(error))
    assert "lines[0].quantity" == error["path"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/nope", 404), ("GET", f"{PATH}/checkouts", 405), ("GET", f"{PATH}/checkouts/1", 404)],
)
async def test_no_such_call(buyer: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    """No call reads or lists checkouts; whatever does not exist has PayNow's body too."""
    answer = await buyer.request(method, path, headers=SERVER)

    assert (status, status) == (answer.status_code, answer.json()["status"])


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("bad_request", 400),
        ("unauthorized", 401),
        ("forbidden", 403),
        ("throttled_404", 404),
        ("too_many", 429),
        ("error_500", 500),
        ("unavailable_503", 503),
    ],
)
async def test_refusals_by_the_dial(buyer: httpx.AsyncClient, kind: str, status: int) -> None:
    """Every call can be refused, in PayNow's own shape and with a Retry-After where that is asked for."""
    made = (await customer(buyer))["id"]
    await arm(buyer, kind, retryAfter=7)
    answers = [
        await buyer.post(f"{PATH}/checkouts", json={"customer_id": made, "lines": [line()]}, headers=SERVER),
        await get(buyer, "customers/lookup", id=made),
        await buyer.post("/v1/store/customer/auth", json={}, headers={"x-paynow-store-id": STORE}),
    ]

    assert [(status, status, "7")] * 3 == [
        (answer.status_code, answer.json()["status"], answer.headers["retry-after"]) for answer in answers
    ]


@pytest.mark.parametrize(
    ("shape", "path"), [("", "customer.billToContact.email"), ("path_list", ["customer", "billToContact", "email"])]
)
async def test_shapes_of_a_path(buyer: httpx.AsyncClient, shape: str, path: object) -> None:
    """The path of an error can be a text or a list."""
    await arm(buyer, "bad_request", shape=shape)

    assert [path] == [error["path"] for error in (await get(buyer, "orders")).json()["errors"]]


async def test_refusal_without_a_body(buyer: httpx.AsyncClient) -> None:
    """The body can be missing altogether."""
    await arm(buyer, "error_500", shape="no_body")
    answer = await get(buyer, "orders")

    assert (500, b"") == (answer.status_code, answer.content)


@pytest.mark.parametrize("kind", ["silent", "reset", "truncated"])
async def test_faults_on_the_wire(wire: httpx.AsyncClient, kind: str) -> None:
    """Faults befall PayNow's paths as they do any provider's, each path by itself."""
    await arm(wire, kind, match={"pathPattern": "/v1/stores/*/checkouts"})
    body = {"customer_id": (await customer(wire))["id"], "lines": [line()]}

    with pytest.raises(httpx.TransportError):
        await wire.post(f"{PATH}/checkouts", json=body, headers=SERVER, timeout=0.3)
    [seen] = (await wire.get("/_sandbox/faults")).json()
    assert 1 == seen["used"]


@pytest.mark.parametrize("kind", ["html", "empty", "cut_json", "too_large", "redirect"])
async def test_faulty_answers(buyer: httpx.AsyncClient, kind: str) -> None:
    """Broken answers come for PayNow's paths too."""
    good = (await get(buyer, "orders")).content
    await arm(buyer, kind, mebibytes=1)
    answer = await get(buyer, "orders")

    assert good != answer.content


@pytest.mark.parametrize(
    ("kind", "member", "expected"),
    [
        ("missing_id", "id", None),
        ("missing_token", "token", None),
        ("missing_url", "url", None),
        ("too_large_id", "id", "9223372036854775808"),
        ("hostile_id", "id", "4114\r\nSet-Cookie: stolen=1"),
        ("hostile_token", "token", "c4qq\r\nSet-Cookie: stolen=1"),
        ("wrong_types", "id", 17),
        ("wrong_types", "token", True),
        ("wrong_types", "url", ["none"]),
        ("foreign_url", "url", "https://evil.example/?t=c4qq"),
        ("script_url", "url", "javascript:alert(1)//checkout.paynow.gg"),
    ],
)
async def test_lies_about_a_checkout(buyer: httpx.AsyncClient, kind: str, member: str, expected: object) -> None:
    """A lie is told in an answer that is otherwise good."""
    made = (await customer(buyer))["id"]
    await arm(buyer, kind)
    body = {"customer_id": made, "lines": [line()]}
    answer = await buyer.post(f"{PATH}/checkouts", json=body, headers=SERVER)

    assert (200, expected) == (answer.status_code, answer.json().get(member))


async def test_id_as_a_number(buyer: httpx.AsyncClient) -> None:
    """The id can come as a JSON number, and is the right one."""
    made = (await customer(buyer))["id"]
    await arm(buyer, "number_id")

    assert int(made) == (await get(buyer, "customers/lookup", id=made)).json()["id"]


@pytest.mark.parametrize(
    ("kind", "member", "expected"),
    [
        ("missing_id", "id", None),
        ("wrong_store", "store_id", "1"),
        ("wrong_types", "metadata", "none"),
        ("missing_token", "id", "as it was"),
        ("foreign_url", "url", None),
    ],
)
async def test_lies_about_a_customer(buyer: httpx.AsyncClient, kind: str, member: str, expected: object) -> None:
    """Customers are lied about too, in the members that they have."""
    made = await customer(buyer)
    await arm(buyer, kind)
    seen: Json = (await get(buyer, "customers/lookup", id=made["id"])).json()

    assert (made["id"] if expected == "as it was" else expected) == seen.get(member)
    assert "token" not in seen


@pytest.mark.parametrize("kind", ["missing_token", "number_id"])
async def test_lies_about_a_token(buyer: httpx.AsyncClient, kind: str) -> None:
    """The token of a customer can be missing; an answer without an id gets none from a lie."""
    made = (await customer(buyer))["id"]
    await arm(buyer, kind)
    answer = await buyer.post(f"{PATH}/customers/{made}/tokens", headers=SERVER)

    assert (set() if kind == "missing_token" else {"token"}) == set(answer.json())


async def test_requests_are_seen(buyer: httpx.AsyncClient) -> None:
    """Every call is kept as it arrived."""
    made = await token(buyer, (await customer(buyer))["id"])
    headers = {**STOREFRONT, "Authorization": f"Customer {made}"}
    await buyer.post("/v1/checkouts", json={"lines": [line()]}, headers=headers)
    requests = (await buyer.get("/_sandbox/requests")).json()

    assert ("/v1/checkouts", {"lines": [line()]}) == (requests[-1]["path"], requests[-1]["body"])
    assert 3 == len(requests)
