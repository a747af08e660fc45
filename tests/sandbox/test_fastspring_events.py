"""FastSpring's events API."""

import httpx
import pytest

SESSIONS = "/v2/checkouts/acme/popup-checkout/sessions"


@pytest.fixture
async def event_id(seller: httpx.AsyncClient) -> str:
    """An order that was paid while no webhook was set."""
    session = await seller.post(SESSIONS, json={"cart": {"lineItems": [{"productPath": "pro-license"}]}})
    paid = await seller.post(f"/_sandbox/sessions/{session.json()['id']}/pay")
    return str(paid.json()["event"]["id"])


async def unprocessed(http: httpx.AsyncClient) -> list[str]:
    return [event["id"] for event in (await http.get("/events/unprocessed")).json()["events"]]


async def test_unprocessed_until_marked(seller: httpx.AsyncClient, event_id: str) -> None:
    """An event that nobody acknowledged is listed until it is marked as processed."""
    before = await unprocessed(seller)
    await seller.post("/events", json={"events": [{"id": event_id, "processed": True}]})

    assert ([event_id], []) == (before, await unprocessed(seller))


async def test_marked_one_by_one(seller: httpx.AsyncClient, event_id: str) -> None:
    """An event can be marked under its own address; an unknown one is 404."""
    statuses = [(await seller.post(f"/events/{id_}", json={"processed": True})).status_code for id_ in (event_id, "x")]

    assert ([200, 404], []) == (statuses, await unprocessed(seller))


async def test_for_the_seller_only(buyer: httpx.AsyncClient) -> None:
    """Events are not shown without credentials."""
    assert 401 == (await buyer.get("/events/unprocessed")).status_code
