"""What a browser is told of its session, to the letter."""

import re
from typing import Any

import httpx
import pytest

from service.api.texts import WARNINGS, warning_answer
from service.checkout.models import UpstreamWarning
from tests.conftest import MakeBroker
from tests.support.config import PLAIN_CHECKOUT, default_toml
from tests.support.servers import Sandbox

CART: dict[str, Any] = {"items": [{"product": "pro-license", "quantity": 2}], "country": "DE"}


def test_answer_to_the_letter(broker: httpx.Client, buyer_key: str) -> None:
    """Every promised member is there, in this order of types: strings for money, null where there is nothing."""
    answer = broker.post("/checkout", json=CART, headers={"Buyer-Key": buyer_key})
    body = answer.json()
    session_id, total = body["sessionId"], body["total"]

    assert (201, "application/json") == (answer.status_code, answer.headers["content-type"])
    assert re.fullmatch(r"cs_[0-9a-hjkmnp-tv-z]{26}", body["reference"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", body["expiresAt"])
    assert re.fullmatch(r"\d+\.\d\d", total["amount"])
    assert {"amount", "currency", "display"} == total.keys()
    assert body["currency"] == total["currency"] == "EUR"
    assert body == {
        "reference": body["reference"],
        "provider": "fastspring_v2",
        "sessionId": session_id,
        "token": None,
        "checkoutUrl": body["checkoutUrl"],
        "opener": {
            "script": {
                "src": "https://sbl.onfastspring.com/sbl/1.0.3/fastspring-builder.min.js",
                "attributes": {"id": "fsc-api", "data-storefront": "acme.test.onfastspring.com/popup-checkout"},
            },
            "call": "fastspring.builder.checkout",
            "arguments": [session_id],
            "closed": {"attribute": "data-popup-closed"},
        },
        "live": False,
        "country": "DE",
        "currency": "EUR",
        "total": total,
        "expiresAt": body["expiresAt"],
        "reused": False,
        "warnings": [],
    }


def test_reused_answer_differs_in_one_member(broker: httpx.Client, buyer_key: str) -> None:
    """The same buyer and request: 200, the same body, `reused`."""
    first, second = (broker.post("/checkout", json=CART, headers={"Buyer-Key": buyer_key}) for _ in range(2))

    assert (201, 200) == (first.status_code, second.status_code)
    assert first.json() | {"reused": True} == second.json()


def test_checkout_without_popup(make_broker: MakeBroker, sandbox: Sandbox) -> None:
    """Where no storefront is configured the opener is null: the page redirects."""
    broker = make_broker(default_toml(sandbox.url) + f"\n[checkouts.plain]\n{PLAIN_CHECKOUT}")
    body = broker.post("/checkout", json=CART | {"checkout": "plain"}).json()

    assert body["opener"] is None
    assert body["checkoutUrl"].startswith("http")


@pytest.mark.parametrize(
    ("language", "accepted", "message"),
    [
        ("en", "de", "This coupon was not accepted."),
        ("de-AT", None, "Dieser Gutschein wurde nicht angenommen."),
        (None, "de-DE,de;q=0.9,en;q=0.8", "Dieser Gutschein wurde nicht angenommen."),
        (None, "fr, de;q=0.9, en;q=0.8", "Dieser Gutschein wurde nicht angenommen."),
        (None, "fr", "This coupon was not accepted."),
        ("fr", "de", "This coupon was not accepted."),
        (None, None, "This coupon was not accepted."),
    ],
)
def test_warning_in_the_buyers_language(
    broker: httpx.Client, language: str | None, accepted: str | None, message: str
) -> None:
    """A coupon that the provider ignores is told in our words, in the request's language where we have it."""
    headers = {} if accepted is None else {"Accept-Language": accepted}
    answer = broker.post("/checkout", json=CART | {"coupon": "NONE", "language": language}, headers=headers)

    assert [{"code": "INVALID_PROMO_CODE", "field": "coupon", "message": message}] == answer.json()["warnings"]


def test_languages_say_the_same() -> None:
    """Each language has every text, and an unknown warning has words too."""
    unknown = warning_answer(UpstreamWarning(code="UNKNOWN"), ["de"])

    assert 1 == len({frozenset(texts) for texts in WARNINGS.values()})
    assert "Ein Teil dieser Anfrage wurde nicht angenommen." == unknown.message
