"""A session that was paid, as the provider tells when it is asked: the whole way, from HTTP to the sandbox."""

import httpx
import pytest

from tests.conftest import MakeBroker
from tests.support.config import default_toml
from tests.support.servers import Sandbox

CART = {"items": [{"product": "pro-license"}], "country": "DE"}


@pytest.fixture
def broker(make_broker: MakeBroker, sandbox: Sandbox) -> httpx.Client:
    """A broker that asks every time."""
    at_once = default_toml(sandbox.url).replace("[checkouts.default]", "[checkouts.default]\nverify_after_seconds = 0")
    return make_broker(at_once)


def became(sandbox: Sandbox, session_id: str, outcome: str) -> None:
    """Let the buyer do something at the provider."""
    url = f"{sandbox.url}/_sandbox/sessions/{session_id}/pay"
    httpx.post(url, json={"outcome": outcome}, trust_env=False).raise_for_status()


def test_paid_session_is_not_handed_out_again(broker: httpx.Client, sandbox: Sandbox, buyer_key: str) -> None:
    """While it is open the session is used again; once it is paid the same cart is another session."""
    headers = {"Buyer-Key": buyer_key}
    first = broker.post("/checkout", json=CART, headers=headers).raise_for_status().json()
    again = broker.post("/checkout", json=CART, headers=headers)
    assert (200, first["sessionId"]) == (again.status_code, again.json()["sessionId"])

    became(sandbox, first["sessionId"], "paid")
    after = broker.post("/checkout", json=CART, headers=headers)

    assert 201 == after.status_code
    assert first["sessionId"] != after.json()["sessionId"]
    assert "completed" == broker.get(f"/checkout/{first['reference']}", headers=headers).json()["state"]


def test_payment_under_way(
    broker: httpx.Client, sandbox: Sandbox, buyer_key: str, caller_headers: dict[str, str]
) -> None:
    """While a payment is under way nothing is handed out, nor made, unless another session is wished for."""
    headers = {"Buyer-Key": buyer_key}
    first = broker.post("/checkout", json=CART, headers=headers).raise_for_status().json()
    became(sandbox, first["sessionId"], "pending")
    refused = broker.post("/checkout", json=CART, headers=headers)
    another = broker.post("/checkout", json=CART | {"fresh": True}, headers=headers)

    assert (409, "/problems/session-completing") == (refused.status_code, refused.json()["type"])
    assert 201 == another.status_code
    record = broker.get(f"/internal/sessions/{first['reference']}", headers=caller_headers).json()
    assert ("pending", ["minted", "pending"]) == (record["state"], [entry["event"] for entry in record["timeline"]])
