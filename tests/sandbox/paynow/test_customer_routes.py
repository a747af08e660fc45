"""Customers."""

import httpx
import pytest

from service.sandbox.paynow.catalogue import STORE
from tests.sandbox.paynow.calls import PATH, SERVER, Json, customer, get, token

STEAM = "76561198152492642"
UUID = "f84c6a79-0a4e-45e0-879b-cd49ebd4c4e2"
NOBODY = "411486491630370999"


async def test_create(buyer: httpx.AsyncClient) -> None:
    """A customer has an id, a store, a date and metadata, and else only what it was given."""
    bare, named = await customer(buyer), await customer(buyer, name="shop-7", metadata={"user": "7"})

    assert {"id": bare["id"], "store_id": STORE, "created_at": "2026-01-01T12:00:00.000Z", "metadata": {}} == bare
    assert {"name": "shop-7", "metadata": {"user": "7"}}.items() <= named.items()
    assert bare["id"] != named["id"]


@pytest.mark.parametrize(
    ("lookup", "value"), [("steam_id", STEAM), ("minecraft_uuid", UUID), ("xbox_xuid", "2535"), ("name", "shop-7")]
)
async def test_look_up(buyer: httpx.AsyncClient, lookup: str, value: str) -> None:
    """A customer is found by each identity that it has, and by its id."""
    await customer(buyer, **{lookup: "999"})
    made = await customer(buyer, **{lookup: value})

    assert made == (await get(buyer, "customers/lookup", **{lookup: value})).json()
    assert made == (await get(buyer, "customers/lookup", id=made["id"])).json()


@pytest.mark.parametrize(
    "lookup",
    ["id", "steam_id", "minecraft_uuid", "xbox_xuid", "minecraft_java_name", "minecraft_bedrock_name", "name"],
)
async def test_look_up_nobody(buyer: httpx.AsyncClient, lookup: str) -> None:
    """Who was never seen is 404."""
    await customer(buyer)

    assert 404 == (await get(buyer, "customers/lookup", **{lookup: NOBODY})).status_code


@pytest.mark.parametrize("query", [{}, {"name": "a", "steam_id": "1"}, {"email": "ada@example.org"}, {"name": ""}])
async def test_look_up_by_exactly_one(buyer: httpx.AsyncClient, query: dict[str, str]) -> None:
    """No parameter, two of them, another or an empty one is 400."""
    assert 400 == (await get(buyer, "customers/lookup", **query)).status_code


async def test_change(buyer: httpx.AsyncClient) -> None:
    """A change keeps what it leaves out and replaces metadata as a whole."""
    made = await customer(buyer, name="a", steam_id=STEAM, metadata={"a": "1"})
    answer = await buyer.patch(
        f"{PATH}/customers/{made['id']}", json={"name": None, "metadata": {"b": "2"}}, headers=SERVER
    )
    found = (await get(buyer, "customers/lookup", id=made["id"])).json()

    assert {"name": None, "steam_id": STEAM, "metadata": {"b": "2"}}.items() <= found.items()
    assert answer.json() == found


@pytest.mark.parametrize(
    "members",
    [
        {"email": "ada@example.org"},
        {"external_id": "7"},
        {"steam_id": 76561198152492642},
        {"steam_id": "x"},
        {"minecraft_platform": "console"},
        {"name": 7},
        {"metadata": {"user": 7}},
    ],
)
async def test_strict(buyer: httpx.AsyncClient, members: Json) -> None:
    """A customer has no e-mail and no other member, whether it is made or changed."""
    path = f"{PATH}/customers/{(await customer(buyer))['id']}"
    answers = [
        await buyer.post(f"{PATH}/customers", json=members, headers=SERVER),
        await buyer.patch(path, json=members, headers=SERVER),
    ]

    assert [400, 400] == [answer.status_code for answer in answers]


@pytest.mark.parametrize(("method", "path"), [("PATCH", ""), ("POST", "/tokens"), ("DELETE", "/tokens")])
async def test_unknown_customer(buyer: httpx.AsyncClient, method: str, path: str) -> None:
    """A customer that does not exist can neither be changed nor signed in nor out."""
    json: Json = {} if method == "PATCH" else None
    answer = await buyer.request(method, f"{PATH}/customers/{NOBODY}{path}", json=json, headers=SERVER)

    assert 404 == answer.status_code


async def test_tokens_end_together(buyer: httpx.AsyncClient) -> None:
    """Deleting ends every token of that customer and none of another."""
    first, second = [(await customer(buyer))["id"] for _ in range(2)]
    tokens = [await token(buyer, first), await token(buyer, first), await token(buyer, second)]
    before = [await is_signed_in(buyer, one) for one in tokens]
    ended = await buyer.delete(f"{PATH}/customers/{first}/tokens", headers=SERVER)
    after = [await is_signed_in(buyer, one) for one in tokens]

    assert (204, [True, True, True], [False, False, True]) == (ended.status_code, before, after)
    assert 3 == len(set(tokens))


async def is_signed_in(http: httpx.AsyncClient, token: str) -> bool:
    headers = {"Authorization": f"Customer {token}", "x-paynow-customer-countrycode": "DE"}
    return (await http.post("/v1/checkouts", json={}, headers=headers)).status_code != 401


async def test_list(buyer: httpx.AsyncClient) -> None:
    """Customers come newest first, or by what their members show, or by id."""
    ids = [(await customer(buyer, name=name))["id"] for name in ("ada", "bob", "Adam")]

    assert ids[::-1] == await listed(buyer)
    assert [ids[2], ids[0]] == await listed(buyer, search="ada")
    assert [ids[1]] == await listed(buyer, customer_id=ids[1])


async def test_pages(buyer: httpx.AsyncClient) -> None:
    """A page has at most so many, begins after an entry, ends before one, and may go upwards."""
    ids = [(await customer(buyer))["id"] for _ in range(4)]

    assert ids[:2] == await listed(buyer, asc="true", limit="2")
    assert ids[2:] == await listed(buyer, asc="true", after=ids[1])
    assert ids[:1] == await listed(buyer, asc="true", before=ids[1])
    assert [ids[1], ids[0]] == await listed(buyer, after=ids[2], asc="False")


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit", "0"), ("limit", "101"), ("limit", "x"), ("asc", "1"), ("after", NOBODY), ("before", "x")],
)
async def test_wrong_pages(buyer: httpx.AsyncClient, name: str, value: str) -> None:
    """A limit outside of 1 to 100, another order, or an entry that does not exist is 400."""
    assert 400 == (await get(buyer, "customers", **{name: value})).status_code


async def listed(http: httpx.AsyncClient, **query: str) -> list[str]:
    return [customer["id"] for customer in (await get(http, "customers", **query)).raise_for_status().json()]
