"""A v1 checkout as a whole: a real broker, a real store and the sandbox, over HTTP."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support.config import default_toml
from tests.support.servers import Sandbox

CHECKOUT = """
[upstreams.legacy]
provider = "fastspring_v1"
base_url = "{url}"
credentials = [{{ username = {{ env = "SANDBOX_USERNAME" }}, password = {{ env = "SANDBOX_PASSWORD" }} }}]

[checkouts.old]
upstream = "legacy"
storefront = "{host}/popup-checkout"
builder_url = "{url}/sbl/1.0.3/fastspring-builder.min.js"
live = false
allowed_origins = ["https://shop.example"]
attributes = ["license-name"]
return_urls = ["https://shop.example/*"]
fallback_url = "https://acme.onfastspring.com/{{product}}"
expiration_days = 2
default_country = "AT"
lock_quantity = true
order_tags = {{ channel = "web", country = "{{country}}" }}
"""
CART: dict[str, Any] = {
    "checkout": "old",
    "items": [{"product": "pro-license", "quantity": 2, "attributes": {"license-name": "Ada"}}],
    "customer": {"email": "ada@example.org"},
}
FORWARDED = {"X-Forwarded-For": "8.8.4.4", "Accept-Language": "de-AT,de;q=0.9"}


@pytest.fixture
def shop(make_broker: Callable[..., httpx.Client], sandbox: Sandbox) -> httpx.Client:
    """A broker with a v1 checkout beside the usual one."""
    host = sandbox.url.removeprefix("http://")
    return make_broker(default_toml(sandbox.url) + CHECKOUT.format(url=sandbox.url, host=host))


def problem(answer: httpx.Response) -> tuple[int, str, list[str]]:
    """Status, slug and fields of a problem."""
    document = answer.json()
    fields = [error["field"] for error in document.get("errors", ())]
    return answer.status_code, document["type"].removeprefix("/problems/"), fields


def test_browser_gets_a_session(shop: httpx.Client, sandbox: Sandbox, buyer_key: str) -> None:
    """A cart with an e-mail is a session that the sandbox knows, with a popup, in the words of v1."""
    answer = shop.post("/checkout", json=CART, headers=FORWARDED | {"Buyer-Key": buyer_key})
    session = answer.json()
    reference = session["reference"]

    assert (201, "fastspring_v1") == (answer.status_code, session["provider"])
    assert f"{sandbox.url}/session/{session['sessionId']}" == session["checkoutUrl"]
    assert 200 == httpx.get(session["checkoutUrl"], trust_env=False).status_code
    assert [session["sessionId"]] == session["opener"]["arguments"]
    assert (None, None, "EUR", None) == tuple(session[name] for name in ("live", "country", "currency", "total"))
    assert [
        {
            "items": [
                {
                    "product": "pro-license",
                    "quantity": 2,
                    "attributes": {"license-name": "Ada", "broker_ref": reference},
                    "pricing": {"quantityBehavior": "lock"},
                }
            ],
            "expiration": 2,
            "contact": {"email": "ada@example.org", "country": "AT", "language": "de"},
            "tags": {"channel": "web", "country": "AT", "broker_ref": reference},
        }
    ] == sandbox.bodies()


def test_same_request_gets_the_same_session(shop: httpx.Client, sandbox: Sandbox, buyer_key: str) -> None:
    """The same buyer is handed the present session from any address; another e-mail is another request."""
    headers = {"Buyer-Key": buyer_key}
    first = shop.post("/checkout", json=CART, headers=headers | FORWARDED)
    second = shop.post("/checkout", json=CART, headers=headers | FORWARDED | {"X-Forwarded-For": "1.1.1.1"})
    other = shop.post("/checkout", json=CART | {"customer": {"email": "bob@example.org"}}, headers=headers | FORWARDED)

    assert (201, 200, 201) == (first.status_code, second.status_code, other.status_code)
    assert first.json() | {"reused": True} == second.json()
    assert 2 == len(sandbox.requests())


def test_browser_cannot_change_an_account(shop: httpx.Client, sandbox: Sandbox) -> None:
    """Contact fields beyond the e-mail are 403 by name, like every field that only servers may set."""
    customer = {"email": "ada@example.org", "firstName": "Eve", "lastName": "", "phone": "1"}
    answer = shop.post("/checkout", json=CART | {"customer": customer, "expirationDays": 7})

    assert (403, "restricted-field", ["expirationDays", "customer.firstName", "customer.phone"]) == problem(answer)
    assert [] == sandbox.requests()


def test_browser_without_an_email_is_told(shop: httpx.Client) -> None:
    """The provider wants to know the buyer: its refusal is a 422 that names the field."""
    cart = {name: value for name, value in CART.items() if name != "customer"}

    assert (422, "upstream-rejected", ["customer.email"]) == problem(shop.post("/checkout", json=cart))


def test_what_v1_cannot_say_is_refused(shop: httpx.Client, sandbox: Sandbox) -> None:
    """An address has no place in v1: 422 by name, and nothing is sent."""
    customer = {"email": "ada@example.org", "address": {"city": "Berlin"}}

    assert (422, "unsupported-by-provider-field", ["customer.address"]) == problem(
        shop.post("/checkout", json=CART | {"customer": customer})
    )
    assert [] == sandbox.requests()


def test_caller_sets_the_price(shop: httpx.Client, sandbox: Sandbox, caller_headers: dict[str, str]) -> None:
    """A caller's price, discount, subscription terms, contact, lookup and life reach the provider."""
    pricing = {
        "price": {"EUR": "24.50"},
        "discounts": [{"percent": 10}],
        "discountDuration": 3,
        "trial": 14,
        "paidTrial": True,
        "trialPrice": {"EUR": "1.00"},
        "paymentCollected": True,
        "renew": "auto",
        "interval": "month",
        "intervalLength": 1,
        "quantityBehavior": "allow",
        "quantityDefault": 2,
    }
    order = CART | {
        "items": [{"product": "team-seats", "quantity": 2, "pricing": pricing}],
        "customer": {
            "email": "ada@example.org",
            "firstName": "Ada",
            "lastName": "Muster",
            "company": "AG",
            "phone": "1",
        },
        "country": "de",
        "lookup": {"custom": "user_1"},
        "expirationDays": 7,
    }
    answer = shop.post("/internal/checkout", json=order, headers=caller_headers)
    [body] = sandbox.bodies()

    assert (201, "EUR") == (answer.status_code, answer.json()["currency"])
    assert {
        "first": "Ada",
        "last": "Muster",
        "email": "ada@example.org",
        "company": "AG",
        "phone": "1",
        "country": "DE",
    } == body["contact"]
    assert {name: value for name, value in pricing.items() if name != "discounts"} | {
        "price": {"EUR": 24.5},
        "trialPrice": {"EUR": 1},
        "discountType": "percent",
        "quantityDiscounts": {"1": 10},
    } == body["items"][0]["pricing"]  # type: ignore[index]  # JSON
    assert ({"custom": "user_1"}, 7) == (body["lookup"], body["expiration"])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"accountId": "a"}, (400, "invalid-request", ["accountId", "customer"])),
        ({"accountId": "a", "customer": {}, "country": "DE"}, (400, "invalid-request", ["country"])),
        ({"live": True, "buyerIp": "8.8.4.4"}, (422, "unsupported-by-provider-field", ["buyerIp", "live"])),
        ({"accountId": "nobody", "customer": {}}, (422, "upstream-rejected", ["accountId"])),
    ],
)
def test_caller_is_told(
    shop: httpx.Client,
    caller_headers: dict[str, str],
    changes: dict[str, object],
    expected: tuple[int, str, list[str]],
) -> None:
    """What excludes each other is 400, what v1 has no word for 422, and so is an account that nobody knows."""
    assert expected == problem(shop.post("/internal/checkout", json=CART | changes, headers=caller_headers))


def test_lying_provider_is_noticed(shop: httpx.Client, sandbox: Sandbox) -> None:
    """Another quantity than was asked for is 502 `upstream-mismatch`, with somewhere else to go."""
    sandbox.put_fault("wrong_quantity")
    answer = shop.post("/checkout", json=CART)

    assert (502, "upstream-mismatch", ["items[0].quantity"]) == problem(answer)
    assert "https://acme.onfastspring.com/pro-license" == answer.json()["fallbackUrl"]
