"""What is made of a country, an address, a language and a mode."""

from typing import Any

import httpx
import pytest

SESSIONS = "/v2/checkouts/acme/popup-checkout/sessions"
SETTINGS = "/_sandbox/fastspring/settings"
Json = Any  # answers are picked apart by the assertions themselves


async def created(http: httpx.AsyncClient, body: object, sessions: str = SESSIONS) -> Json:
    answer = await http.post(sessions, json=body)
    assert 201 == answer.status_code, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"cart": {"couponCode": "NONE"}}, "INVALID_PROMO_CODE"),
        ({"country": "ZZ"}, "INVALID_COUNTRY"),
        ({"buyerIp": "10.0.0.7"}, "INVALID_BUYER_IP"),
        ({"buyerIp": "203.0.113.9:443"}, "INVALID_BUYER_IP"),
        ({"locale": "xx"}, "INVALID_LOCALE"),
        ({"customer": {"taxId": "none"}}, "INVALID_TAX_ID"),
        ({"country": "DE", "customer": {"billToAddress": {"postalCode": "1"}}}, "INVALID_POSTAL_CODE"),
    ],
)
async def test_soft_failures(seller: httpx.AsyncClient, body: object, code: str) -> None:
    """Bad input of these kinds makes a session with a warning, not a refusal."""
    assert [code] == [warning["code"] for warning in (await created(seller, body))["warnings"]]


async def test_checkout_in_test_mode(seller: httpx.AsyncClient) -> None:
    """A checkout in test mode makes a test session of a live request, and says so; a test request needs no warning."""
    await seller.put(SETTINGS, json={"checkouts": {"acme/popup-checkout": {"testMode": True}}})
    asked_live, asked_test = await created(seller, {}), await created(seller, {"live": False})

    assert (False, "CHECKOUT_NOT_LIVE") == (asked_live["live"], asked_live["warnings"][0]["code"])
    assert (False, []) == (asked_test["live"], asked_test["warnings"])


@pytest.mark.parametrize(
    ("body", "country", "currency"),
    [
        ({"country": "gb", "buyerIp": "203.0.113.1"}, "GB", "GBP"),
        ({"buyerIp": "203.0.113.1"}, "DE", "EUR"),
        ({"country": "ZZ", "buyerIp": "203.0.113.1"}, "DE", "EUR"),
        ({"country": "JP"}, "JP", "JPY"),
        ({}, "US", "USD"),
    ],
)
async def test_country_and_currency(seller: httpx.AsyncClient, body: object, country: str, currency: str) -> None:
    """The country is the one named, else the buyer's address's, else the US; the currency follows it."""
    session = await created(seller, body)

    assert (country, currency) == (session["country"], session["currency"])
