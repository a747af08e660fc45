"""The storefront API."""

import httpx
import pytest

from service.sandbox.paynow.catalogue import COUPON, STORE
from tests.sandbox.paynow.calls import Json, checkout, customer, fault, get, line, put, token

SIGN_IN = "/v1/store/customer/auth"
STORE_ID = {"x-paynow-store-id": STORE}


@pytest.fixture
async def shopper(buyer: httpx.AsyncClient) -> dict[str, str]:
    """The headers of a signed-in customer."""
    made = await token(buyer, (await customer(buyer, name="shopper"))["id"])
    return {"Authorization": f"Customer {made}", "x-paynow-customer-ip": "203.0.113.7"}


async def test_create(buyer: httpx.AsyncClient, shopper: dict[str, str]) -> None:
    """A checkout is the token's customer's, with every member that the storefront may set."""
    members = {
        "lines": [line(subscription=True, trial=False, gift_to={"platform": "paynow_name", "id": "bob"})],
        "coupon_id": COUPON,
        "promo_codes": ["SPRING10"],
        "affiliate_code": "friend",
        "return_url": "https://shop.example/thanks",
        "cancel_url": None,
        "auto_redirect": False,
    }
    answer = await buyer.post("/v1/checkouts", json=members, headers=shopper)
    [made] = (await buyer.get("/_sandbox/paynow/checkouts")).json()
    owner = (await get(buyer, "customers/lookup", name="shopper")).json()

    assert (200, {"id", "token", "url"}) == (answer.status_code, set(answer.json()))
    assert (owner["id"], answer.json()["id"]) == (made["request"]["customer_id"], made["id"])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata", {"ref": "r1"}),
        ("customer_id", "411486491630370816"),
        ("customer_details", {}),
        ("lines", [line(metadata={"a": "1"})]),
        ("lines", [line(payout_splits=[])]),
        ("lines", [{"inline_product": {"name": "x"}, "quantity": 1}]),
        ("lines", [{"quantity": 1}]),
        ("lines", [{"product_id": "411486491630370817"}]),
        ("lines", [put(line(), "product_id", None)]),
        ("lines", [line("411486491630370999")]),
        ("lines", []),
    ],
)
async def test_refused(buyer: httpx.AsyncClient, shopper: dict[str, str], path: str, value: object) -> None:
    """Metadata, the management call's members and incomplete lines are 400."""
    body = put({"lines": [line()]}, path, value)

    assert 400 == (await buyer.post("/v1/checkouts", json=body, headers=shopper)).status_code


@pytest.mark.parametrize("authorization", [None, "Customer nobody", "Customer", "APIKey sandbox", "Bearer {}", "{}"])
async def test_bad_token(buyer: httpx.AsyncClient, shopper: dict[str, str], authorization: str | None) -> None:
    """No token, an unknown one or one under another scheme is 401."""
    good = shopper.pop("Authorization").removeprefix("Customer ")
    if authorization is not None:
        shopper["Authorization"] = authorization.format(good)

    assert 401 == (await buyer.post("/v1/checkouts", json={"lines": [line()]}, headers=shopper)).status_code


@pytest.mark.parametrize(
    ("platform", "lookup", "account"),
    [
        ("minecraft", "minecraft_java_name", "Notch"),
        ("minecraft_java_name", "minecraft_java_name", "Notch"),
        ("minecraft_bedrock_name", "minecraft_bedrock_name", "Notch"),
        ("minecraft_uuid", "minecraft_uuid", "f84c6a79-0a4e-45e0-879b-cd49ebd4c4e2"),
        ("xbox_xuid", "xbox_xuid", "2535"),
        ("steam", "steam_id", "76561198152492642"),
        ("paynow_name", "name", "ada"),
        ("paynow", "name", "ada"),
    ],
)
async def test_sign_in(buyer: httpx.AsyncClient, platform: str, lookup: str, account: str) -> None:
    """Whoever signs in is made a customer the first time, and found by that account from then on."""
    answers = [
        await buyer.post(SIGN_IN, json={"platform": platform, "id": account}, headers=STORE_ID) for _ in range(2)
    ]
    tokens = {answer.json()["customer_token"] for answer in answers}
    found = await get(buyer, "customers/lookup", **{lookup: account})

    assert (2, 200) == (len(tokens), found.status_code)
    assert [found.json()] == (await get(buyer, "customers")).json()


async def test_name_of_a_platform_is_no_name(buyer: httpx.AsyncClient) -> None:
    """The name that a platform gave does not find a customer by `name`, nor on the other platform."""
    await buyer.post(SIGN_IN, json={"platform": "minecraft_java_name", "id": "Notch"}, headers=STORE_ID)
    lookups = ("name", "minecraft_bedrock_name")

    assert [404, 404] == [(await get(buyer, "customers/lookup", **{name: "Notch"})).status_code for name in lookups]


async def test_token_of_a_sign_in_buys(buyer: httpx.AsyncClient) -> None:
    """The token of a sign-in makes checkouts."""
    answer = await buyer.post(SIGN_IN, json={"platform": "minecraft", "id": "Notch"}, headers=STORE_ID)
    headers = {"Authorization": f"Customer {answer.json()['customer_token']}", "x-paynow-customer-countrycode": "DE"}

    assert 200 == (await buyer.post("/v1/checkouts", json={"lines": [line()]}, headers=headers)).status_code


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ({"platform": "minecraft", "id": "Notch"}, {}, 400),
        ({"platform": "minecraft", "id": "Notch"}, {"x-paynow-store-id": "1"}, 404),
        ({"platform": "invalid", "id": "Notch"}, STORE_ID, 400),
        ({"platform": "minecraft", "id": ""}, STORE_ID, 400),
        ({"platform": "steam", "id": "Notch"}, STORE_ID, 400),
        ({"platform": "email", "id": "a@example.org"}, STORE_ID, 400),
        ({"platform": "minecraft"}, STORE_ID, 400),
        ({"platform": "minecraft", "id": "Notch", "name": "x"}, STORE_ID, 400),
    ],
)
async def test_no_sign_in(buyer: httpx.AsyncClient, body: Json, headers: dict[str, str], status: int) -> None:
    """Without the store's header, or with another store or account, nobody is signed in."""
    assert status == (await buyer.post(SIGN_IN, json=body, headers=headers)).status_code
    assert [] == (await get(buyer, "customers")).json()


async def test_rules_hold_here_too(buyer: httpx.AsyncClient, shopper: dict[str, str]) -> None:
    """What cannot be bought by the management call cannot be bought here."""
    body = {"lines": [line()], "promo_codes": ["no"]}

    assert (400, "promo_codes[0]") == fault(await buyer.post("/v1/checkouts", json=body, headers=shopper))
    assert await checkout(buyer)
