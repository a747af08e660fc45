"""Who may call."""

import httpx
import pytest

from tests.sandbox.paynow.calls import PATH, SERVER, customer, line, token


@pytest.mark.parametrize("authorization", ["APIKey sandbox", "apikey sandbox", "APIKEY sandbox"])
async def test_key_with_its_prefix(buyer: httpx.AsyncClient, authorization: str) -> None:
    """The prefix of a key may be written in either case."""
    headers = {"Authorization": authorization}

    assert 200 == (await buyer.post(f"{PATH}/customers", json={}, headers=headers)).status_code


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "sandbox"},
        {"Authorization": "Bearer sandbox"},
        {"Authorization": "Basic c2FuZGJveDpzYW5kYm94"},
        {"Authorization": "APIKey other"},
        {"Authorization": "APIKey sandbox:sandbox"},
        {"Authorization": "APIKey"},
        {"Authorization": "Customer sandbox"},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "checkouts"), ("GET", "customers/lookup"), ("GET", "orders"), ("POST", "webhooks")],
)
async def test_no_key(buyer: httpx.AsyncClient, headers: dict[str, str], method: str, path: str) -> None:
    """A bare key, another scheme or another key is 401, before anything of the request is read."""
    answer = await buyer.request(method, f"{PATH}/{path}", content=b"{", headers=headers)

    assert (401, "unauthorized") == (answer.status_code, answer.json()["code"])


async def test_keys_rotate(buyer: httpx.AsyncClient) -> None:
    """The accepted keys are the second parts of the sandbox's credentials, and change with them."""
    await buyer.put("/_sandbox/credentials", json=[["acme", "key-2"], ["acme", "key-1"]])
    keys = ("key-1", "key-2", "sandbox", "acme")
    answers = [await buyer.get(f"{PATH}/orders", headers={"Authorization": f"APIKey {key}"}) for key in keys]

    assert [200, 200, 401, 401] == [answer.status_code for answer in answers]


async def test_unknown_store(buyer: httpx.AsyncClient) -> None:
    """Another store is not found."""
    assert 404 == (await buyer.get("/v1/stores/411486491630370899/orders", headers=SERVER)).status_code


@pytest.mark.parametrize(
    ("headers", "seen"),
    [
        ({"x-paynow-customer-ip": "203.0.113.7"}, ("203.0.113.7", None)),
        ({"x-paynow-customer-ip": "2001:db8::1"}, ("2001:db8::1", None)),
        ({"x-paynow-customer-countrycode": "DE"}, (None, "DE")),
        ({"x-paynow-customer-ip": "203.0.113.7", "x-paynow-customer-countrycode": "DE"}, ("203.0.113.7", "DE")),
    ],
)
async def test_whereabouts(buyer: httpx.AsyncClient, headers: dict[str, str], seen: tuple[str, str]) -> None:
    """An IPv4 or IPv6 address, a country or both say where the buyer is."""
    answer = await buyer.post("/v1/checkouts", json={"lines": [line()]}, headers=await signed_in(buyer, headers))
    [checkout] = (await buyer.get("/_sandbox/paynow/checkouts")).json()

    assert (200, seen) == (answer.status_code, (checkout["ip"], checkout["country"]))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-paynow-customer-ip": "203.0.113"},
        {"x-paynow-customer-ip": ""},
        {"x-paynow-customer-ip": "203.0.113.7:80"},
        {"x-paynow-customer-ip": "203.0.113.7, 203.0.113.8"},
        {"x-paynow-customer-ip": "fe80::1%eth0"},
        {"x-paynow-customer-countrycode": "de"},
        {"x-paynow-customer-countrycode": "DEU"},
        {"x-paynow-customer-countrycode": ""},
        {"x-paynow-customer-ip": "203.0.113.7", "x-paynow-customer-countrycode": "1"},
    ],
)
async def test_no_whereabouts(buyer: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """Neither an address nor a country is 400, and so is either in another form."""
    answer = await buyer.post("/v1/checkouts", json={"lines": [line()]}, headers=await signed_in(buyer, headers))

    assert 400 == answer.status_code


async def signed_in(http: httpx.AsyncClient, headers: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"customer {await token(http, (await customer(http))['id'])}", **headers}
