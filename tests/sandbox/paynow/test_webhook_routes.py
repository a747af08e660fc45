"""Webhook subscriptions."""

import httpx
import pytest

from tests.sandbox.paynow.calls import CONTROL, PATH, SERVER, Json

HOOK = {"url": "https://shop.example/hook", "subscribed_to": "OnOrderCompleted", "type": "json_v1"}


async def subscribe(http: httpx.AsyncClient, **members: object) -> httpx.Response:
    return await http.post(f"{PATH}/webhooks", json={**HOOK, **members}, headers=SERVER)


async def test_subscribe(buyer: httpx.AsyncClient) -> None:
    """Each subscription has an id and a secret of its own."""
    made = [(await subscribe(buyer)).json() for _ in range(2)]

    assert [HOOK, HOOK] == [{name: one[name] for name in HOOK} for one in made]
    assert (2, 2) == (len({one["id"] for one in made}), len({one["secret"] for one in made}))
    assert made == (await buyer.get(f"{CONTROL}/webhooks/subscriptions")).json()


@pytest.mark.parametrize(
    "members",
    [
        {"subscribed_to": "ON_ORDER_COMPLETED"},
        {"subscribed_to": ["OnOrderCompleted"]},
        {"subscribed_to": "OnCheckoutOpened"},
        {"type": "xml"},
        {"url": None},
        {"secret": "mine"},
    ],
)
async def test_strict(buyer: httpx.AsyncClient, members: Json) -> None:
    """A subscription is to one event, in the spelling of the API."""
    assert 400 == (await subscribe(buyer, **members)).status_code


@pytest.mark.parametrize("is_reset", [True, False])
async def test_change(buyer: httpx.AsyncClient, is_reset: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """A change can give a new secret, and keeps the old one where it is not asked to."""
    made = (await subscribe(buyer)).json()
    change = {"url": "https://shop.example/2", "subscribed_to": "OnRefund", "reset_secret": is_reset}
    changed = (await buyer.patch(f"{PATH}/webhooks/{made['id']}", json=change, headers=SERVER)).json()

    assert {"id": made["id"], "url": "https://shop.example/2", "subscribed_to": "OnRefund"}.items() <= changed.items()
    assert is_reset == (made["secret"] != changed["secret"])


async def test_change_of_nothing(buyer: httpx.AsyncClient) -> None:
    """A subscription that does not exist is 404."""
    change = {"url": "https://shop.example/2", "subscribed_to": "OnRefund", "reset_secret": True}

    assert 404 == (await buyer.patch(f"{PATH}/webhooks/1", json=change, headers=SERVER)).status_code
