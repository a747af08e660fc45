"""Who may call the v2 API, and for which checkout."""

from collections.abc import Callable

import httpx
import pytest
from litestar import Litestar

from service.sandbox.app import create_sandbox
from tests.support.fastspring import SESSIONS, SETTINGS, created, item, order, retrieved


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", {"content-type": "application/json"}, 400),
        (b"[]", {"content-type": "application/json"}, 400),
        (b"{}", {}, 415),
        (b"{}", {"content-type": "application/json", "user-agent": ""}, 403),
    ],
)
async def test_refuses_a_broken_call(
    seller: httpx.AsyncClient, content: bytes, headers: dict[str, str], status: int
) -> None:
    """Broken JSON, no object, no Content-Type or no User-Agent: refused."""
    assert status == (await seller.post(SESSIONS, content=content, headers=headers)).status_code


@pytest.mark.parametrize("path", ["acme%2Fpopup-checkout", "acme", "unknown/popup-checkout", "acme/popup/checkout"])
async def test_checkouts_that_do_not_exist(seller: httpx.AsyncClient, path: str) -> None:
    """A checkout is two segments with a real slash, in a store that is known; anything else is 404."""
    answer = await seller.post(f"/v2/checkouts/{path}/sessions", json={})

    assert (404, "404 NOT_FOUND") == (answer.status_code, answer.json()["status"])


async def test_checkout_switched_off(seller: httpx.AsyncClient) -> None:
    """A checkout can be made unknown."""
    await seller.put(SETTINGS, json={"checkouts": {"acme/popup-checkout": {"exists": False}}})

    assert 404 == (await seller.post(SESSIONS, json={})).status_code


async def test_credentials(seller: httpx.AsyncClient, buyer: httpx.AsyncClient) -> None:
    """Accepted credentials or none are taken; wrong ones are 401 in the API's own form."""
    wrong = await buyer.post(SESSIONS, json={}, auth=("sandbox", "wrong"))

    assert [201, 201] == [(await http.post(SESSIONS, json={})).status_code for http in (seller, buyer)]
    assert (401, "401 UNAUTHORIZED") == (wrong.status_code, wrong.json()["status"])


RESTRICTED = [
    {"orderTags": {"a": "b"}},
    {"buyerIp": "203.0.113.1"},
    {"hidePaymentMethods": ["WIRE"]},
    {"paymentMethodsOrder": ["CARD"]},
    {"customer": {"accountId": "x"}},
    {"customer": {"externalAccountId": "user_1"}},
    {"customer": {"accountTags": {"a": "b"}}},
    order(item(quantityBehavior="LOCK")),
    order(item(customPrice={"unitPrice": {"USD": 1}})),
    order(item(attributes={"a": "b"})),
]


@pytest.mark.parametrize("body", RESTRICTED)
async def test_restricted_members_are_refused(buyer: httpx.AsyncClient, body: object) -> None:
    """What only the seller may set is 401 without credentials."""
    assert 401 == (await buyer.post(SESSIONS, json=body)).status_code


async def test_restricted_members_are_ignored_by_a_switch(buyer: httpx.AsyncClient) -> None:
    """With the switch the same members are left out, and the rest is taken."""
    await buyer.put(SETTINGS, json={"restrictedWithoutAuth": "ignore"})
    body = order(item(customPrice={"unitPrice": {"USD": 1}}), orderTags={"a": "b"}, buyerIp="203.0.113.1", locale="fr")
    session = await created(buyer, body)

    assert ({}, "US", "fr", 49.0) == (
        session["orderTags"],
        session["country"],
        session["locale"],
        session["cart"]["netTotal"],
    )


async def test_account_ids_are_shown_to_the_seller_only(seller: httpx.AsyncClient, buyer: httpx.AsyncClient) -> None:
    """Whoever holds the session id can read the session, but not whose account it is."""
    body = {"customer": {"accountId": "acc", "externalAccountId": "user_1", "billToContact": {"email": "a@b.example"}}}
    session_id = (await created(seller, body))["id"]

    assert body["customer"] == (await retrieved(seller, session_id))["customer"]
    assert {"billToContact": {"email": "a@b.example"}} == (await retrieved(buyer, session_id))["customer"]


async def test_contact_required(seller: httpx.AsyncClient) -> None:
    """A checkout may insist on a buyer; an e-mail address is enough."""
    await seller.put(SETTINGS, json={"checkouts": {"acme/popup-checkout": {"contactRequired": True}}})
    answer = await seller.post(SESSIONS, json={})
    named = {"customer": {"billToContact": {"email": "a@b.example"}}}

    assert (400, "Purchaser account or contact required") == (answer.status_code, answer.json()["message"])
    assert 201 == (await seller.post(SESSIONS, json=named)).status_code


async def test_public_address_of_its_own(client_of: Callable[[Litestar], httpx.AsyncClient]) -> None:
    """Without a public address the hosted page is where the request came to."""
    async with client_of(create_sandbox()) as http:
        session = await created(http, {})

    assert f"http://sandbox.test/checkout/session/{session['id']}" == session["checkoutUrls"]["webcheckoutUrl"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "cart/items", item("team-seats", quantityBehavior="LOCK")),
        ("PUT", "cart/items/pro-license", {"attributes": {"a": "b"}}),
        ("PUT", "customer", {"accountId": "x"}),
    ],
)
async def test_restricted_members_of_items_and_customers(
    buyer: httpx.AsyncClient, method: str, path: str, body: object
) -> None:
    """The routes below a session keep the seller's members from a buyer too."""
    session_id = (await created(buyer, order(item())))["id"]

    assert 401 == (await buyer.request(method, f"{SESSIONS}/{session_id}/{path}", json=body)).status_code
