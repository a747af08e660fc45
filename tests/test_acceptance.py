"""The main job as a whole, over a real broker, a real store and the sandbox: one test for each sentence of the promise.

That sizes keep their budget is proved by `test_architecture.py`, the popup in a real browser by `e2e/`.
"""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.patience import wait_until
from tests.support.ports import free_port
from tests.support.process import started
from tests.support.servers import Sandbox

CART: dict[str, Any] = {"items": [{"product": "pro-license", "quantity": 2}], "country": "DE"}
FORWARDED = {"X-Forwarded-For": "198.51.100.7, 8.8.4.4, 10.1.2.3"}
JSON_TYPE = {"Content-Type": "application/json"}


_LINE = re.compile(rb"curl -s .*/checkout (?:.*\\\n)*.*\n")


def test_demo_answers_the_line_that_it_prints(tmp_path: Path) -> None:
    """Whoever starts the demo and pastes its `curl` line gets a session."""
    with started("demo", tmp_path, CHECKOUT_SANDBOX_PORT=str(free_port())) as demo:
        wait_until(lambda: _LINE.search(demo.output()), "the line to try")
        [line] = _LINE.findall(demo.output())
        words = shlex.split(line.decode())
        answer = httpx.post(words[2], content=words[-1], headers=JSON_TYPE, trust_env=False)

    assert demo.url + "/checkout" == words[2]
    assert 201 == answer.status_code


def test_request_arrives_enriched(broker: httpx.Client, sandbox: Sandbox, buyer_key: str) -> None:
    """Through a trusted proxy: the buyer's address, our tags, the German payment order, the mode, the credentials."""
    answer = broker.post("/checkout", json=CART, headers=FORWARDED | {"Buyer-Key": buyer_key})
    [request] = sandbox.requests()
    body: Any = request["body"]

    assert 201 == answer.status_code
    assert "8.8.4.4" == body["buyerIp"]
    assert {"channel": "web", "broker_ref": answer.json()["reference"]} == body["orderTags"]
    assert ["SEPA", "PAYPAL", "CARD"] == body["paymentMethodsOrder"]
    assert body["live"] is False
    assert ["authorization", "Basic c2FuZGJveDpzYW5kYm94"] in request["headers"]  # type: ignore[operator]  # a list


def test_second_identical_request_calls_nobody(broker: httpx.Client, sandbox: Sandbox, buyer_key: str) -> None:
    """The same buyer with the same request gets the same session without an upstream call, from any address."""
    headers = {"Buyer-Key": buyer_key}
    first = broker.post("/checkout", json=CART, headers=headers | FORWARDED)
    second = broker.post("/checkout", json=CART, headers=headers | {"X-Forwarded-For": "1.1.1.1"})

    assert (201, 200) == (first.status_code, second.status_code)
    assert first.json() | {"reused": True} == second.json()
    assert 1 == len(sandbox.requests())


OTHERS: dict[str, tuple[dict[str, Any], str | None]] = {
    "buyer": ({}, "another-buyer-key-0123456789"),
    "no buyer": ({}, None),
    "cart": ({"items": [{"product": "pro-license", "quantity": 3}]}, ""),
    "country": ({"country": "AT"}, ""),
    "coupon": ({"coupon": "SPRING10"}, ""),
    "mode": ({"live": True}, ""),
}


@pytest.mark.parametrize("difference", OTHERS)
def test_anything_else_makes_a_call(
    broker: httpx.Client, sandbox: Sandbox, caller_headers: dict[str, str], buyer_key: str, difference: str
) -> None:
    """Another buyer, cart, country or mode is another session, by one more upstream call."""
    change, key = OTHERS[difference]
    other_buyer = {} if key is None else {"Buyer-Key": key or buyer_key}
    first = broker.post("/internal/checkout", json=CART, headers=caller_headers | {"Buyer-Key": buyer_key})
    other = broker.post("/internal/checkout", json=CART | change, headers=caller_headers | other_buyer)

    assert (201, 201) == (first.status_code, other.status_code)
    assert first.json()["sessionId"] != other.json()["sessionId"]
    assert 2 == len(sandbox.requests())


def test_each_server_only_field_is_refused(broker: httpx.Client, sandbox: Sandbox) -> None:
    """Each server-only field from a browser is 403 `restricted-field`, by name, and nothing is sent."""
    order = (
        "orderTags buyerIp paymentMethodsOrder hidePaymentMethods live accountId externalAccountId accountTags lookup"
        " expirationDays customerId customerToken couponId metadata autoRedirect"
    ).split()
    item = (
        "pricing quantityBehavior quantityDefault customPrice descriptions subscriptionOverrides inlineProduct"
        " payoutSplits metadata giftToCustomerId"
    ).split()
    requests = {field: CART | {field: "x"} for field in order}
    requests |= {f"items[0].{field}": {"items": [{"product": "pro-license", field: "x"}]} for field in item}
    answers = {field: broker.post("/checkout", json=request) for field, request in requests.items()}

    assert dict.fromkeys(requests, (403, "/problems/restricted-field")) == {
        field: (answer.status_code, answer.json()["type"]) for field, answer in answers.items()
    }
    assert [[field] for field in requests] == [
        [error["field"] for error in answer.json()["errors"]] for answer in answers.values()
    ]
    assert [] == sandbox.requests()


HOSTILE = (
    b"",
    b"null",
    b"[]",
    b"{}",
    b'"text"',
    b"17",
    b'{"items": []}',
    b'{"items": {}}',
    b'{"items": [1]}',
    b'{"items": [{}]}',
    b'{"items": [{"product": 1}]}',
    b'{"items": [{"product": "a", "quantity": "2"}]}',
    b'{"items": [{"product": "a", "quantity": 2.0}]}',
    b'{"items": [{"product": "a", "quantity": true}]}',
    b'{"items": [{"product": "a", "quantity": 1e400}]}',
    b'{"items": [{"product": "a", "quantity": ' + b"9" * 5000 + b"}]}",
    b'{"items": [{"product": "a\x00"}]}',
    b'{"items": [{"product": "a\\u0000"}]}',
    b'{"items": [{"product": "\xff"}]}',
    b'{"items": [{"product": "a"}], "items": [{"product": "b"}]}',
    b'{"items": [{"product": "a", "product": "b"}]}',
    b'{"items": [{"product": "a"}], "coupon": "\\ud800"}',
    b'\xef\xbb\xbf{"items": [{"product": "a"}]}',
    b"[" * 5000 + b"]" * 5000,
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b'{"items": [{"product": "a"}]',
    b"\x00",
)


def test_hostile_bodies_are_client_errors(broker: httpx.Client, sandbox: Sandbox) -> None:
    """More than 25 hostile bodies: each a 4xx problem, none a 5xx, nothing sent."""
    answers = [broker.post("/checkout", content=body, headers=JSON_TYPE) for body in HOSTILE]

    assert len(HOSTILE) >= 25
    assert [] == [answer.text for answer in answers if not 400 <= answer.status_code < 500]
    assert {"application/problem+json"} == {answer.headers["content-type"] for answer in answers}
    assert all(answer.status_code == json.loads(answer.content)["status"] for answer in answers)
    assert [] == sandbox.requests()
