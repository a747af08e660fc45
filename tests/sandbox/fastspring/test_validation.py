"""What the v2 schema refuses."""

from collections.abc import Mapping

import httpx
import pytest

SESSIONS = "/v2/checkouts/acme/popup-checkout/sessions"


def item(path: str = "pro-license", **members: object) -> dict[str, object]:
    return {"productPath": path, **members}


def order(*items: Mapping[str, object], **members: object) -> dict[str, object]:
    return {"cart": {"lineItems": list(items)}, **members}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"returnUrl": "https://x.example"}, "returnUrl"),
        ({"cart": {"lineItems": [{"product": "pro-license"}]}}, "cart.lineItems[0].product"),
        ({"cart": {"lineItems": [{"quantity": 1}]}}, "cart.lineItems[0]"),
        ({"customer": {"billToAddress": {"country": "DE"}}}, "customer.billToAddress.country"),
        ({"locale": "de-AT-1"}, "locale"),
        ({"country": "DEU"}, "country"),
        ({"buyerIp": "1" * 40}, "buyerIp"),
        ({"live": "false"}, "live"),
        ({"live": None}, "live"),
        ({"orderTags": {"a": 1}}, "orderTags[...]"),
        ({"orderTags": {"a": "x" * 4000}}, "orderTags"),
        ({"customer": {"externalAccountId": "abc"}}, "customer.externalAccountId"),
        ({"customer": {"externalAccountId": "a b c"}}, "customer.externalAccountId"),
        ({"customer": {"billToContact": {"firstName": "x" * 51}}}, "customer.billToContact.firstName"),
        ({"customer": {"billToContact": {"email": "ada_at_example"}}}, "customer.billToContact.email"),
        ({"customer": {"taxIdRegion": "USA"}}, "customer.taxIdRegion"),
        ({"customer": {"shipToType": "PIGEON"}}, "customer.shipToType"),
        ({"hidePaymentMethods": ["wire"]}, "hidePaymentMethods[0]"),
        (order(item(quantity=1.5)), "cart.lineItems[0].quantity"),
        (order(item(quantity="2")), "cart.lineItems[0].quantity"),
        (order(item(quantity=0)), "cart.lineItems[0].quantity"),
        (order(item(quantityBehavior="lock")), "cart.lineItems[0].quantityBehavior"),
        (order(item(quantityDefault=True)), "cart.lineItems[0].quantityDefault"),
        (order(item(imageUrl="https://x.example/a.png")), "cart.lineItems[0].imageUrl"),
        (order(item(), item()), "cart.lineItems[1].productPath"),
        (order(item("no-such-product")), "productPath"),
        (order(item(customPrice={"unitPrice": {"EUR": "24.5"}})), "cart.lineItems[0].customPrice.unitPrice[...]"),
        (order(item(customPrice={"unitPrice": {"EUR": 24.505}})), "cart.lineItems[0].customPrice"),
        (order(item(customPrice={"unitPrice": {"BTC": 1}})), "cart.lineItems[0].customPrice.unitPrice"),
        (order(item(customPrice={"edsFee": {"USD": 1.5}})), "cart.lineItems[0].customPrice.edsFee"),
        (
            order(item(customPrice={"discounts": [{"percentDiscount": 5}, {"percentDiscount": 9}]})),
            "cart.lineItems[0].customPrice.discounts",
        ),
        (
            order(item(customPrice={"discounts": [{"percentDiscount": 5, "amountDiscount": {"USD": 1}}]})),
            "cart.lineItems[0].customPrice.discounts",
        ),
        (order(item(descriptions={"display": {"he": "x"}})), "cart.lineItems[0].descriptions.display"),
    ],
)
async def test_refuses_what_the_schema_does_not_have(seller: httpx.AsyncClient, body: object, field: str) -> None:
    """Unknown members, wrong types and broken limits are 400 with the path of the member."""
    answer = await seller.post(SESSIONS, json=body)

    assert 400 == answer.status_code, answer.text
    assert "400 BAD_REQUEST" == answer.json()["status"]
    assert field == answer.json()["errors"][0]["field"]


async def test_error_echoes_the_rejected_value(seller: httpx.AsyncClient) -> None:
    """The documented error for an e-mail address, with the value that was sent."""
    body = {"customer": {"billToContact": {"email": "ada_at_example"}}}
    document = (await seller.post(SESSIONS, json=body)).json()

    assert {
        "errorCode": "INVALID_EMAIL_FORMAT",
        "field": "customer.billToContact.email",
        "message": "Invalid email format",
        "rejectedValue": "ada_at_example",
    } == document["errors"][0]
    assert ("2026-01-01T12:00:00.000Z", "FS260101") == (document["timestamp"], document["id"][:8])
