"""Orders."""

import httpx
import pytest

from service.sandbox.paynow.catalogue import COINS, VIP
from tests.sandbox.paynow.calls import checkout, customer, get, line, pay, token


async def test_order_of_a_checkout(buyer: httpx.AsyncClient) -> None:
    """An order ties back to its checkout; there is none before somebody tries to pay."""
    made = await checkout(buyer, line(COINS, quantity=3), promo_codes=["SPRING10"])
    await pay(buyer, (await checkout(buyer))["id"])
    before = (await get(buyer, "orders", checkout_id=made["id"])).json()
    await pay(buyer, made["id"])
    [order] = (await get(buyer, "orders", checkout_id=made["id"])).json()

    assert [] == before
    assert {
        "checkout_id": made["id"],
        "checkout_token": made["token"],
        "status": "completed",
        "type": "one_time",
        "currency": "usd",
        "subtotal_amount": 1497,
        "discount_amount": 149,
        "total_amount": 1348,
        "completed_at": "2026-01-01T12:00:00.000Z",
    }.items() <= order.items()
    assert order["pretty_id"].startswith("pn-")


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        (["pending"], "created"),
        (["pending", "paid"], "completed"),
        (["failed"], "created"),
        (["failed", "paid"], "completed"),
        (["canceled"], "canceled"),
        (["paid", "refunded"], "refunded"),
        (["paid", "charged_back"], "chargeback"),
        (["paid", "charged_back", "chargeback_closed"], "chargeback"),
    ],
)
async def test_status(buyer: httpx.AsyncClient, outcomes: list[str], status: str) -> None:
    """The status of an order is what its payments made of it, and it stays one order."""
    made = await checkout(buyer)
    ids = {(await pay(buyer, made["id"], outcome=outcome))["order"]["id"] for outcome in outcomes}
    [order] = (await get(buyer, "orders", checkout_id=made["id"])).json()

    assert (status, ids) == (order["status"], {order["id"]})


@pytest.mark.parametrize(
    ("subscribed", "kind"),
    [([False], "one_time"), ([True], "subscription_initial"), ([True, False], "mixed"), ([None, False], "one_time")],
)
async def test_type(buyer: httpx.AsyncClient, subscribed: list[bool | None], kind: str) -> None:
    """An order is of what its lines are."""
    made = await checkout(buyer, *(line(VIP, subscription=each) for each in subscribed))

    assert kind == (await pay(buyer, made["id"]))["order"]["type"]


async def test_where_the_buyer_is(buyer: httpx.AsyncClient) -> None:
    """An order has the address and country of a storefront call; the management call knows a billing country alone."""
    shopper = await token(buyer, (await customer(buyer))["id"])
    headers = {
        "Authorization": f"Customer {shopper}",
        "x-paynow-customer-ip": "203.0.113.7",
        "x-paynow-customer-countrycode": "DE",
    }
    storefront = (await buyer.post("/v1/checkouts", json={"lines": [line()]}, headers=headers)).json()
    named = await checkout(buyer, customer_details={"billing_address": {"country": "FR"}})
    silent = [await checkout(buyer, customer_details={}), await checkout(buyer)]
    orders = [(await pay(buyer, made["id"]))["order"] for made in (storefront, named, *silent)]

    assert [("203.0.113.7", "DE"), ("", "FR"), ("", ""), ("", "")] == [
        (order["customer_ip"], order["billing_country"]) for order in orders
    ]


async def test_search(buyer: httpx.AsyncClient) -> None:
    """Orders are found by customer, status and billing e-mail, newest first, in pages."""
    first = await checkout(buyer, customer_details={"billing_email": "ada@example.org"})
    second = await checkout(buyer)
    orders = [(await pay(buyer, made["id"]))["order"] for made in (first, second)]
    await pay(buyer, second["id"], outcome="refunded")
    ids = [order["id"] for order in orders]

    assert ids[::-1] == await found(buyer)
    assert ids[:1] == await found(buyer, customer_id=orders[0]["customer_id"])
    assert ids[1:] == await found(buyer, status="refunded")
    assert ids[:1] == await found(buyer, billing_email="ada@example.org")
    assert ids[:1] == await found(buyer, after=ids[1])
    assert 400 == (await get(buyer, "orders", status="paid")).status_code


async def found(http: httpx.AsyncClient, **query: str) -> list[str]:
    return [order["id"] for order in (await get(http, "orders", **query)).raise_for_status().json()]
