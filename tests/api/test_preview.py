"""The preview route: the exact request that would be sent, which rule set each field, and no secret."""

import base64
import json
from hashlib import sha256
from typing import Any

import httpx
import pytest

from tests.conftest import MakeBroker
from tests.support.config import CALLER_KEY, PLAIN_CHECKOUT, default_toml
from tests.support.servers import Sandbox
from tests.support.sessions import CART, problem_of

URL = "/internal/checkout/preview"
FULL: dict[str, Any] = {
    "live": True,
    "coupon": "SPRING10",
    "country": "AT",
    "language": "de-AT",
    "buyerIp": "8.8.4.4",
    "orderTags": {"campaign": "spring", "channel": "phone"},
    "accountTags": {"tier": "gold"},
    "externalAccountId": "user_8412",
    "customer": {"email": "ada@example.org", "address": {"city": "Graz"}, "shipTo": {"type": "SHIP_TO"}},
    "items": [
        {"product": "pro-license", "quantity": 2, "attributes": {"seat": "7"}, "pricing": {"price": {"EUR": "24.50"}}},
        {"product": "handbook", "quantityBehavior": "hide", "descriptions": {"display": {"en": "Book"}}},
    ],
}


def rules(answer: httpx.Response) -> dict[str, str]:
    return {field["path"]: field["rule"] for field in answer.json()["fields"]}


@pytest.mark.parametrize("body", [CART, FULL], ids=["bare", "full"])
def test_preview_is_what_is_sent_then(
    broker: httpx.Client, sandbox: Sandbox, caller_headers: dict[str, str], body: dict[str, Any]
) -> None:
    """Method, address, headers and body are those of the create that follows, but for our reference and the secret."""
    headers = caller_headers | {"X-Release": "r42"}
    preview = broker.post(URL, json=body, headers=headers)
    assert (200, []) == (preview.status_code, sandbox.requests())

    made = broker.post("/internal/checkout", json=body, headers=headers).json()
    [sent] = sandbox.requests()
    shown = preview.json()["request"]
    reference = shown["body"]["orderTags"]["broker_ref"]
    assert reference != made["reference"]
    assert json.dumps(sent["body"]) == json.dumps(shown["body"]).replace(reference, made["reference"])
    assert (sent["method"], f"{sandbox.url}{sent['path']}") == (shown["method"], shown["url"])
    credentials = "Basic " + base64.b64encode(b"sandbox:sandbox").decode()
    wire = {name.lower(): value for name, value in sent["headers"]}  # type: ignore[attr-defined]  # plain JSON
    assert (credentials, "Basic ***") == (wire.pop("authorization"), shown["headers"].pop("authorization"))
    assert shown["headers"] == wire | {"content-length": shown["headers"]["content-length"]}


def test_no_credential_is_shown(broker: httpx.Client, caller_headers: dict[str, str]) -> None:
    """Neither the provider's credentials nor the caller's key stand anywhere in the answer."""
    text = broker.post(URL, json=FULL, headers=caller_headers).text

    for secret in (base64.b64encode(b"sandbox:sandbox").decode(), "sandbox:sandbox", CALLER_KEY):
        assert secret not in text


def test_rules_of_the_fullest_order(broker: httpx.Client, caller_headers: dict[str, str]) -> None:
    """Every field that is sent has its rule: the request, a key of the configuration, or the service."""
    found = rules(broker.post(URL, json=FULL, headers=caller_headers | {"X-Release": "r42"}))

    assert {path: rule for path, rule in found.items() if rule != "request"} == {
        "orderTags.release": "checkouts.default.order_tags.release",
        "orderTags.broker_ref": "service",
        "paymentMethodsOrder": "checkouts.default.payment_methods[0]",
        "hidePaymentMethods": "checkouts.default.payment_methods[0]",
    }
    assert [path for path, rule in found.items() if rule == "request"] == [
        "coupon",
        "customer.email",
        "customer.address.city",
        "customer.shipTo.type",
        "country",
        "language",
        "items[0].product",
        "items[0].quantity",
        "items[0].attributes.seat",
        "items[0].pricing.price.EUR",
        "items[1].product",
        "items[1].quantity",
        "items[1].quantityBehavior",
        "items[1].descriptions.display.en",
        "orderTags.channel",
        "orderTags.campaign",
        "buyerIp",
        "live",
        "externalAccountId",
        "accountTags.tier",
    ]


def test_rules_of_a_cart_alone(make_broker: MakeBroker, sandbox: Sandbox, caller_headers: dict[str, str]) -> None:
    """What nobody named comes from the checkout: mode, country, language, lock, payment rule, tags."""
    toml = default_toml(sandbox.url).replace(
        "[checkouts.default]\n",
        '[checkouts.default]\nlock_quantity = true\ndefault_country = "US"\nlanguages = ["en", "de"]\n',
    )
    answer = make_broker(toml).post(URL, json={"items": CART["items"]}, headers=caller_headers)

    assert rules(answer) == {
        "items[0].product": "request",
        "items[0].quantity": "request",
        "items[0].quantityBehavior": "checkouts.default.lock_quantity",
        "country": "checkouts.default.default_country",
        "language": "checkouts.default.languages",
        "live": "checkouts.default.live",
        "orderTags.channel": "checkouts.default.order_tags.channel",
        "orderTags.broker_ref": "service",
        "paymentMethodsOrder": "checkouts.default.payment_methods[1]",
    }
    body = answer.json()["request"]["body"]
    assert ("US", "en", False, "LOCK") == (
        body["country"],
        body["locale"],
        body["live"],
        body["cart"]["lineItems"][0]["quantityBehavior"],
    )


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"items": []}, (400, "invalid-request", ["items"])),
        ({"items": [{"product": "a", "customPrice": {}}]}, (400, "invalid-request", ["items[0].customPrice"])),
        (CART | {"buyerIp": "127.0.0.1"}, (400, "invalid-request", ["buyerIp"])),
        (CART | {"quote": "a.b.c"}, (403, "invalid-quote", [])),
        (CART | {"checkout": "none"}, (404, "unknown-checkout", [])),
        (CART | {"metadata": {"a": "b"}}, (422, "unsupported-by-provider-field", ["metadata"])),
        (CART | {"returnUrl": "https://evil.example/"}, (422, "return-url-not-allowed", ["returnUrl"])),
    ],
)
def test_what_would_not_be_sent(
    broker: httpx.Client, sandbox: Sandbox, caller_headers: dict[str, str], body: dict[str, Any], problem: object
) -> None:
    """A request that create would refuse is refused in the same words, and sent to nobody."""
    answers = [broker.post(url, json=body, headers=caller_headers) for url in (URL, "/internal/checkout")]

    assert [problem, problem] == [problem_of(answer) for answer in answers]
    assert [] == sandbox.requests()


def test_nothing_is_kept(broker: httpx.Client, caller_headers: dict[str, str], buyer_key: str) -> None:
    """The reference of a preview leads nowhere, and the buyer's first session is a new one."""
    headers = caller_headers | {"Buyer-Key": buyer_key}
    body = broker.post(URL, json=CART, headers=headers).json()["request"]["body"]
    record = broker.get(f"/internal/sessions/{body['orderTags']['broker_ref']}", headers=caller_headers)

    assert (404, "unknown-session", []) == problem_of(record)
    assert 201 == broker.post("/internal/checkout", json=CART, headers=headers).status_code


def test_who_may(make_broker: MakeBroker, sandbox: Sandbox) -> None:
    """It needs a key, the scope to create, and a checkout of the caller's own."""
    toml = default_toml(sandbox.url)
    for name, scope, checkouts in (("creator", "checkout:create", "other"), ("reader", "sessions:read", "default")):
        digest = sha256(name.encode()).hexdigest()
        toml += f'[callers.{name}]\nkey_sha256 = ["{digest}"]\nscopes = ["{scope}"]\ncheckouts = ["{checkouts}"]\n'
    broker = make_broker(toml + f"[checkouts.other]\n{PLAIN_CHECKOUT}")

    def outcome(key: str, checkout: str) -> int:
        headers = {"Authorization": f"Bearer {key}"}
        return broker.post(URL, json=CART | {"checkout": checkout}, headers=headers).status_code

    asked = [("nobody", "default"), ("reader", "default"), ("creator", "default"), ("creator", "other")]
    assert [401, 403, 404, 200] == [outcome(key, checkout) for key, checkout in asked]
