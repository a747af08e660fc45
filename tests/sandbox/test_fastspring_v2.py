"""The eight routes of FastSpring's Sessions API v2."""

import httpx
import pytest

from tests.support.fastspring import SESSIONS, SETTINGS, created, item, order, retrieved

DOCUMENTED = {
    "locale": "de",
    "country": "DE",
    "buyerIp": "203.0.113.24",
    "live": False,
    "customer": {
        "externalAccountId": "user_8412",
        "billToContact": {"email": "buyer@example.org", "firstName": "Ada", "lastName": "Muster"},
    },
    "orderTags": {"broker_ref": "cs_7Qm2v9", "tenant": "shop-a"},
    "cart": {
        "couponCode": "SPRING10",
        "lineItems": [
            {
                "productPath": "pro-license",
                "quantity": 2,
                "quantityBehavior": "LOCK",
                "customPrice": {"unitPrice": {"EUR": 24.5}},
                "attributes": {"broker_ref": "cs_7Qm2v9"},
            }
        ],
    },
    "hidePaymentMethods": ["WIRE"],
}


async def test_documented_example(seller: httpx.AsyncClient) -> None:
    """The documented request gives the documented answer, to the cent."""
    session = await created(seller, DOCUMENTED)
    cart = session["cart"]
    [line] = cart["lineItems"]

    assert {
        "listTotal": 49.0,
        "netTotal": 44.1,
        "netTotalDisplay": "44,10 €",
        "withTaxNetTotal": 44.1,
        "withTaxListTotal": 49.0,
        "withoutTaxNetTotal": 37.06,
        "withoutTaxListTotal": 41.18,
        "discountTotal": 4.9,
        "couponDiscountTotal": 4.9,
        "productDiscountTotal": 0,
        "taxIncluded": "TAXES_INCLUDED_IN_PRICE",
        "taxTotal": 7.04,
        "taxRate": 19,
        "couponHasApplied": True,
    }.items() <= cart.items()
    assert {
        "unitListPrice": 24.5,
        "unitNetPrice": 22.05,
        "unitDiscount": 2.45,
        "extendedListTotal": 49.0,
        "extendedNetTotal": 44.1,
        "extendedTotalDiscount": 4.9,
        "taxPercent": 19,
        "extendedTaxTotal": 7.04,
        "taxExempt": False,
    }.items() <= line["price"].items()
    assert {"productPath": "pro-license", "quantity": 2, "quantityBehavior": "LOCK"}.items() <= line.items()
    assert {name: DOCUMENTED[name] for name in ("locale", "country", "live", "customer", "orderTags")}.items() <= (
        session.items()
    )
    assert ("OPEN", ["READY_FOR_CHECKOUT"], []) == (
        session["status"],
        session["checkoutStatus"],
        session["warnings"],
    )
    assert ("2026-01-01T12:00:00.000Z", "2026-01-02T12:00:00.000Z") == (session["created"], session["expires"])
    assert f"https://sandbox.example/checkout/session/{session['id']}" == session["checkoutUrls"]["webcheckoutUrl"]


async def test_session_ids(seller: httpx.AsyncClient) -> None:
    """An id is OS, 15 digits that begin with the date, and three letters; no two are alike."""
    ids = [(await created(seller, {}))["id"] for _ in range(3)]

    assert 3 == len(set(ids))
    assert all(id_.startswith("OS260101") and id_[2:17].isdecimal() and id_[17:].isalpha() for id_ in ids)


async def test_tax_added_to_the_price(seller: httpx.AsyncClient) -> None:
    """Where tax is added, the net total is without it and the total to pay with it."""
    await seller.put(SETTINGS, json={"checkouts": {"acme/web-shop": {"taxIncluded": False}}})
    body = order(item(quantity=2), country="DE")
    cart = (await created(seller, body, "/v2/checkouts/acme/web-shop/sessions"))["cart"]

    assert {
        "taxIncluded": "TAXES_ADDED_TO_PRICE",
        "netTotal": 90.0,
        "withoutTaxNetTotal": 90.0,
        "taxTotal": 17.1,
        "withTaxNetTotal": 107.1,
    }.items() <= cart.items()


async def test_empty_cart(seller: httpx.AsyncClient) -> None:
    """A session without products says that it needs some."""
    assert ["PRODUCTS_REQUIRED"] == (await created(seller, {}))["checkoutStatus"]


async def test_retrieve(seller: httpx.AsyncClient) -> None:
    """A session is read back as made, with the ways to pay: asked ones first, hidden and unavailable ones gone."""
    body = order(item(), country="DE", paymentMethodsOrder=["SEPA", "PIX", "CARD"], hidePaymentMethods=["PAYPAL"])
    session = await created(seller, body)
    seen = await retrieved(seller, session["id"])
    methods = [method["id"] for method in seen["paymentMethods"]]

    assert session.items() <= seen.items()
    assert (["SEPA", "CARD"], ["PAYPAL"]) == (methods[:2], seen["hidePaymentMethods"])
    assert not {"PAYPAL", "PIX"} & set(methods)


@pytest.mark.parametrize(("session_id", "status"), [("OS1", 404), ("x" * 65, 400), ("a-b", 400)])
async def test_retrieve_what_is_not_there(seller: httpx.AsyncClient, session_id: str, status: int) -> None:
    """An unknown id is 404, an impossible one 400."""
    assert status == (await seller.get(f"{SESSIONS}/{session_id}")).status_code


async def test_session_belongs_to_its_checkout(seller: httpx.AsyncClient) -> None:
    """A session is not found under another checkout."""
    session_id = (await created(seller, {}))["id"]

    assert 404 == (await seller.get(f"/v2/checkouts/acme/other/sessions/{session_id}")).status_code


async def test_payment_methods(seller: httpx.AsyncClient) -> None:
    """The ways to pay have a route of their own; a switch spells them as FastSpring's examples do."""
    session_id = (await created(seller, {}))["id"]
    before = (await seller.get(f"{SESSIONS}/{session_id}/payment-methods")).json()["paymentMethods"]
    await seller.put(SETTINGS, json={"lowerCasePaymentMethods": True})
    after = (await seller.get(f"{SESSIONS}/{session_id}/payment-methods")).json()["paymentMethods"]

    assert ("CARD", "card") == (before[0]["id"], after[0]["id"])
    assert ["VISA", "MASTER_CARD", "AMEX", "DISCOVER"] == before[0]["variants"]


async def test_update_replaces(seller: httpx.AsyncClient) -> None:
    """A PUT replaces the whole session: what it leaves out is gone; id, dates and address stay."""
    before = await created(seller, DOCUMENTED)
    answer = await seller.put(f"{SESSIONS}/{before['id']}", json=order(item("support-plan"), country="US"))
    after = answer.json()

    assert (200, ["support-plan"]) == (
        answer.status_code,
        [line["productPath"] for line in after["cart"]["lineItems"]],
    )
    assert ({}, {}, "USD") == (after["orderTags"], after["customer"], after["currency"])
    assert "paymentMethods" in after
    assert {name: before[name] for name in ("id", "created", "expires", "checkoutUrls")}.items() <= after.items()


async def test_update_customer(seller: httpx.AsyncClient) -> None:
    """A PUT of the customer answers the customer and leaves the cart alone."""
    session_id = (await created(seller, order(item())))["id"]
    customer = {"billToContact": {"email": "new@example.org"}}
    answer = await seller.put(f"{SESSIONS}/{session_id}/customer", json=customer)
    seen = await retrieved(seller, session_id)

    assert (200, customer, customer, 1) == (
        answer.status_code,
        answer.json(),
        seen["customer"],
        len(seen["cart"]["lineItems"]),
    )


async def test_items(seller: httpx.AsyncClient) -> None:
    """Adding and updating answer the calculated item, removing nothing; the session then has the new totals."""
    session_id = (await created(seller, order(item())))["id"]
    items = f"{SESSIONS}/{session_id}/cart/items"
    added = await seller.post(items, json=item("team-seats", quantity=3))
    updated = await seller.put(f"{items}/team-seats", json={"quantity": 5})
    removed = await seller.delete(f"{items}/pro-license")
    cart = (await retrieved(seller, session_id))["cart"]

    assert [(200, 3, 57.0), (200, 5, 95.0)] == [
        (answer.status_code, answer.json()["quantity"], answer.json()["price"]["extendedNetTotal"])
        for answer in (added, updated)
    ]
    assert (204, b"") == (removed.status_code, removed.content)
    assert (["team-seats"], 95.0) == ([line["productPath"] for line in cart["lineItems"]], cart["netTotal"])


async def test_several_items_at_once(seller: httpx.AsyncClient) -> None:
    """Several products, separated by commas, are updated together."""
    session_id = (await created(seller, order(item(), item("team-seats"), item("handbook"))))["id"]
    answer = await seller.put(f"{SESSIONS}/{session_id}/cart/items/pro-license,handbook", json={"quantity": 4})

    assert [("pro-license", 4), ("handbook", 4)] == [(line["productPath"], line["quantity"]) for line in answer.json()]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "", item()),
        ("POST", "", item("no-such-product")),
        ("POST", "", {"quantity": 1}),
        ("PUT", "/team-seats", {"quantity": 1}),
        ("PUT", "/pro-license", {"quantity": 0}),
        ("PUT", "/pro-license", {"productPath": "team-seats"}),
        ("DELETE", "/team-seats", None),
    ],
)
async def test_items_refused(seller: httpx.AsyncClient, method: str, path: str, body: object) -> None:
    """A product twice, an unknown one, one that is not in the cart, or a broken item: 400."""
    session_id = (await created(seller, order(item())))["id"]
    answer = await seller.request(method, f"{SESSIONS}/{session_id}/cart/items{path}", json=body)

    assert 400 == answer.status_code, answer.text


async def test_expiry(seller: httpx.AsyncClient) -> None:
    """After its time a session is EXPIRED: it can be read, and not changed."""
    session_id = (await created(seller, order(item())))["id"]
    await seller.post("/_sandbox/clock", json={"advanceSeconds": 24 * 3600 - 1})
    before = await retrieved(seller, session_id)
    await seller.post("/_sandbox/clock", json={"advanceSeconds": 1})
    after = await retrieved(seller, session_id)

    assert ("OPEN", "EXPIRED") == (before["status"], after["status"])
    assert 400 == (await seller.put(f"{SESSIONS}/{session_id}", json={})).status_code


async def test_concluded(seller: httpx.AsyncClient) -> None:
    """A paid session is COMPLETED and CONCLUDED, and cannot be changed."""
    session_id = (await created(seller, order(item())))["id"]
    await seller.post(f"/_sandbox/sessions/{session_id}/pay")
    seen = await retrieved(seller, session_id)

    assert ("COMPLETED", ["CONCLUDED"]) == (seen["status"], seen["checkoutStatus"])
    assert 400 == (await seller.delete(f"{SESSIONS}/{session_id}/cart/items/pro-license")).status_code


@pytest.mark.parametrize(
    ("outcome", "status", "checkout_status"),
    [
        ("pending", "PENDING_ORDER", "CONCLUDED"),
        ("failed", "OPEN", "READY_FOR_CHECKOUT"),
        ("failed_for_good", "FAILED", "CONCLUDED"),
        ("canceled", "CANCELLED", "CONCLUDED"),
    ],
)
async def test_without_a_payment(seller: httpx.AsyncClient, outcome: str, status: str, checkout_status: str) -> None:
    """A session that waits for its money, or did not get it, shows that when it is read."""
    session_id = (await created(seller, order(item())))["id"]
    (await seller.post(f"/_sandbox/sessions/{session_id}/pay", json={"outcome": outcome})).raise_for_status()
    seen = await retrieved(seller, session_id)

    assert (status, [checkout_status]) == (seen["status"], seen["checkoutStatus"])


async def test_wrong_method(seller: httpx.AsyncClient) -> None:
    """What the API does not have is refused in its own form."""
    answer = await seller.delete(f"{SESSIONS}/OS1")

    assert (405, "405 METHOD_NOT_ALLOWED") == (answer.status_code, answer.json()["status"])
