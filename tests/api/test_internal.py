"""What callers may do, each route by each principal."""

import re
from hashlib import sha256
from typing import Any

import httpx
import pytest

from tests.conftest import MakeBroker
from tests.support.config import PLAIN_CHECKOUT, default_toml
from tests.support.servers import Sandbox

CART = {"items": [{"product": "pro-license", "quantity": 2}], "country": "DE"}
UNKNOWN = "cs_01kb2w8z4e6m3q9r7t5v1x0y2a"
PRINCIPALS = {
    "creator": (["checkout:create"], None),
    "reader": (["sessions:read"], None),
    "meter": (["metrics:read"], None),
    "nobody": ([], None),
    "outsider": (["checkout:create", "sessions:read", "metrics:read"], ["other"]),
}


def callers_toml() -> str:
    """A caller each, with its own name as its key, and a checkout that most of them may use."""
    parts = [f"\n[checkouts.other]\n{PLAIN_CHECKOUT}"]
    for name, (scopes, checkouts) in PRINCIPALS.items():
        digest = sha256(name.encode()).hexdigest()
        parts.append(f'[callers.{name}]\nkey_sha256 = ["{digest}"]\nscopes = {scopes}\n')
        parts.append("" if checkouts is None else f"checkouts = {checkouts}\n")
    return "".join(parts)


@pytest.fixture
def broker_of_many(make_broker: MakeBroker, sandbox: Sandbox) -> httpx.Client:
    return make_broker(default_toml(sandbox.url) + callers_toml())


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


DENIED = (401, "/problems/unauthenticated")
MISSING = (403, "/problems/scope-missing")
NO_CHECKOUT, NO_SESSION = (404, "/problems/unknown-checkout"), (404, "/problems/unknown-session")
MATRIX: dict[str, tuple[tuple[int, str | None], ...]] = {
    # create, read the record, client-ip, metrics
    "creator": ((201, None), MISSING, (200, None), MISSING),
    "reader": (MISSING, (200, None), (200, None), MISSING),
    "meter": (MISSING, MISSING, (200, None), (200, None)),
    "nobody": (MISSING, MISSING, (200, None), MISSING),
    "outsider": (NO_CHECKOUT, NO_SESSION, (200, None), (200, None)),
    "wrong-key": (DENIED, DENIED, DENIED, DENIED),
    "": (DENIED, DENIED, DENIED, DENIED),
}


def test_routes_by_principals(broker_of_many: httpx.Client) -> None:
    """Each caller gets what its scopes and checkouts allow; everybody else the one 401."""
    broker = broker_of_many
    reference = broker.post("/internal/checkout", json=CART, headers=bearer("creator")).json()["reference"]

    def cells(key: str) -> tuple[tuple[int, str | None], ...]:
        answers = (
            broker.post("/internal/checkout", json=CART, headers=bearer(key)),
            broker.get(f"/internal/sessions/{reference}", headers=bearer(key)),
            broker.get("/internal/client-ip", headers=bearer(key)),
            broker.get("/metrics", headers=bearer(key)),
        )
        return tuple((answer.status_code, answer.json()["type"] if answer.is_error else None) for answer in answers)

    assert {key: cells(key) for key in MATRIX} == MATRIX


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer  backoffice-key",
        "Bearer backoffice-key ignored",
        "Bearer wrong",
        "Basic YmFja29mZmljZS1rZXk=",
        "backoffice-key",
        "Custom backoffice-key",
        f"Bearer {sha256(b'backoffice-key').hexdigest()}",
        "Bearer back\xf6ffice-key",
        "Bearer " + "x" * 8000,
    ],
)
def test_one_shape_of_401(broker: httpx.Client, authorization: str | None) -> None:
    """Missing, malformed and unknown credentials are answered alike, byte for byte but for the request id."""
    headers = [] if authorization is None else [(b"Authorization", authorization.encode("latin-1"))]
    answer = broker.post("/internal/checkout", json=CART, headers=headers)
    usual = broker.post("/internal/checkout", json=CART)

    assert DENIED == (answer.status_code, answer.json()["type"])
    assert re.sub("[0-9a-f]{32}", "", usual.text) == re.sub("[0-9a-f]{32}", "", answer.text)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_scheme_has_no_case(broker: httpx.Client, scheme: str) -> None:
    """HTTP's authentication schemes are compared without regard to case."""
    headers = {"Authorization": f"{scheme} backoffice-key"}

    assert 200 == broker.get("/internal/client-ip", headers=headers).status_code


def test_several_keys_during_rotation(make_broker: MakeBroker, sandbox: Sandbox) -> None:
    """Every key on the list is the caller's."""
    old, new = (sha256(key.encode()).hexdigest() for key in ("backoffice-key", "next-key"))
    broker = make_broker(default_toml(sandbox.url).replace(f'["{old}"]', f'["{new}", "{old}"]'))
    statuses = [
        broker.get("/internal/client-ip", headers=bearer(key)).status_code
        for key in ("backoffice-key", "next-key", "last-key")
    ]

    assert [200, 200, 401] == statuses


ORDER: dict[str, Any] = {
    "checkout": "default",
    "live": True,
    "coupon": "SPRING10",
    "country": "US",
    "language": "en-US",
    "buyerIp": "8.8.4.4",
    "orderTags": {"campaign": "spring", "channel": "phone"},
    "accountTags": {"tier": "gold"},
    "externalAccountId": "user_8412",
    "paymentMethodsOrder": ["PAYPAL", "CARD"],
    "hidePaymentMethods": ["WIRE"],
    "customer": {"email": "ada@example.org", "firstName": "Ada", "lastName": "Muster"},
    "items": [
        {
            "product": "pro-license",
            "quantity": 2,
            "quantityBehavior": "lock",
            "quantityDefault": 3,
            "attributes": {"seat": "7"},
            "descriptions": {"display": {"en": "Pro"}, "summary": {"en": "All of it"}},
            "pricing": {
                "price": {"USD": "24.50"},
                "discounts": [{"minQuantity": 2, "percent": 10}],
                "discountDuration": 3,
                "setupFee": {"USD": "1.00"},
                "trial": 14,
                "interval": "month",
                "intervalLength": 1,
                "intervalCount": 12,
            },
        }
    ],
}


def test_callers_fields_arrive(broker: httpx.Client, sandbox: Sandbox, caller_headers: dict[str, str]) -> None:
    """Each server-only field that the provider can express is in the upstream request; the caller beats our tags."""
    answer = broker.post("/internal/checkout", json=ORDER, headers=caller_headers)
    [body] = sandbox.bodies()
    reference = answer.json()["reference"]
    line: dict[str, Any] = body["cart"]["lineItems"][0]  # type: ignore[index]  # plain JSON

    assert 201 == answer.status_code, answer.text
    assert body | {"cart": None} == {
        "live": True,
        "locale": "en",
        "country": "US",
        "buyerIp": "8.8.4.4",
        "orderTags": {"campaign": "spring", "channel": "phone", "broker_ref": reference},
        "paymentMethodsOrder": ["PAYPAL", "CARD"],
        "hidePaymentMethods": ["WIRE"],
        "customer": {
            "externalAccountId": "user_8412",
            "accountTags": {"tier": "gold"},
            "billToContact": {"email": "ada@example.org", "firstName": "Ada", "lastName": "Muster"},
        },
        "cart": None,
    }
    assert line == {
        "productPath": "pro-license",
        "quantity": 2,
        "quantityBehavior": "LOCK",
        "quantityDefault": 3,
        "attributes": {"seat": "7", "broker_ref": reference},
        "descriptions": {"display": {"en": "Pro"}, "summary": {"en": "All of it"}},
        "customPrice": {
            "unitPrice": {"USD": 24.5},
            "discounts": [{"minQuantity": 2, "percentDiscount": 10}],
            "discountDuration": 3,
            "setupFee": {"USD": 1},
        },
        "subscriptionOverrides": {
            "trialDays": 14,
            "billingFrequency": {"intervalUnit": "MONTH", "intervalLength": 1, "intervalCount": 12},
        },
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lookup", {"custom": "user_8412"}),
        ("expirationDays", 3),
        ("customerId", "411486491630370816"),
        ("customerToken", "token"),
        ("couponId", "411486491630370816"),
        ("metadata", {"a": "b"}),
        ("autoRedirect", True),
    ],
)
def test_what_the_provider_cannot_express_is_refused(
    broker: httpx.Client, sandbox: Sandbox, caller_headers: dict[str, str], field: str, value: object
) -> None:
    """A field of another provider is 422 and named; it is not dropped in silence."""
    answer = broker.post("/internal/checkout", json=CART | {field: value}, headers=caller_headers)

    assert (422, "/problems/unsupported-by-provider-field") == (answer.status_code, answer.json()["type"])
    assert [field] == [error["field"] for error in answer.json()["errors"]]
    assert [] == sandbox.requests()


def test_record(broker: httpx.Client, caller_headers: dict[str, str]) -> None:
    """The record has every member that is promised, null where there is nothing yet."""
    made = broker.post("/internal/checkout", json=CART | {"orderTags": {"a": "b"}}, headers=caller_headers).json()
    record = broker.get(f"/internal/sessions/{made['reference']}", headers=caller_headers).json()
    minted = record["timeline"][0]["at"]

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", minted)
    assert record == {
        **{name: made[name] for name in "reference provider sessionId live country currency total expiresAt".split()},
        "checkout": "default",
        "state": "open",
        "items": [{"product": "pro-license", "quantity": 2}],
        "tags": {"channel": "web", "a": "b", "broker_ref": made["reference"]},
        "caller": "backoffice",
        "quote": None,
        "createdAt": minted,
        "order": None,
        "alarms": [],
        "timeline": [{"at": minted, "event": "minted"}],
    }


def test_sessions_of_browsers_are_records_too(broker: httpx.Client, caller_headers: dict[str, str]) -> None:
    """A session that a browser made has no caller."""
    reference = broker.post("/checkout", json=CART).json()["reference"]

    assert broker.get(f"/internal/sessions/{reference}", headers=caller_headers).json()["caller"] is None


@pytest.mark.parametrize("reference", [UNKNOWN, "cs_", "x", "cs_01KB2W8Z4E6M3Q9R7T5V1X0Y2A", "%00", "%ff" * 29])
def test_unknown_reference(broker: httpx.Client, caller_headers: dict[str, str], reference: str) -> None:
    """Whatever is no reference of ours is 404, like one that there is not."""
    answer = broker.get(f"/internal/sessions/{reference}", headers=caller_headers)

    assert NO_SESSION == (answer.status_code, answer.json()["type"])
