"""What callers do with sessions after they were made: a real broker, a real store and the sandbox."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

import httpx
import pytest

from tests.conftest import MakeBroker
from tests.support.config import PLAIN_CHECKOUT, default_toml
from tests.support.servers import Sandbox
from tests.support.sessions import CHANGES, NO_SESSION, ROUTES, Found, MadeSession, problem_of

TWO = [{"product": "pro-license", "quantity": 2}, {"product": "team-license"}]
UPSTREAM = "/v2/checkouts/acme/popup-checkout/sessions"
WRITES = [*CHANGES, "retire"]


@pytest.fixture
def made(broker: httpx.Client, caller_headers: dict[str, str]) -> MadeSession:
    """A session of two products."""
    return MadeSession(broker, caller_headers, items=TWO)


def cart(record: dict[str, Any]) -> dict[str, int]:
    return {item["product"]: item["quantity"] for item in record["items"]}


def bodies_of(sandbox: Sandbox, method: str) -> list[Any]:
    return [request["body"] for request in sandbox.requests() if request["method"] == method]


def test_life_of_a_cart(made: MadeSession) -> None:
    """Lines come, change and go; each answer is the record with the total that the provider then has."""
    answers = [
        made.ask("add", {"product": "handbook", "quantity": 3}),
        made.send("PUT", "/items/handbook", {"quantity": 1}),
        made.ask("remove"),
    ]

    assert [200] * 3 == [answer.status_code for answer in answers]
    assert [
        ({"pro-license": 2, "team-license": 1, "handbook": 3}, "365.00"),
        ({"pro-license": 2, "team-license": 1, "handbook": 1}, "301.00"),
        ({"pro-license": 2, "handbook": 1}, "122.00"),
    ] == [(cart(answer.json()), answer.json()["total"]["amount"]) for answer in answers]
    assert made.record() == answers[-1].json()
    assert ["minted", "changed", "changed", "changed"] == [entry["event"] for entry in made.record()["timeline"]]


def test_lines_carry_our_reference(made: MadeSession, sandbox: Sandbox) -> None:
    """Everything that a caller may say of an item arrives, and every line that is sent has our reference."""
    item = {"quantity": 3, "pricing": {"price": {"EUR": "20.00"}}, "attributes": {"seat": "7"}}
    made.ask("add", {"product": "handbook", "quantityBehavior": "lock", **item})
    made.send("PUT", "/items/handbook", item)
    sent = {
        "productPath": "handbook",
        "quantity": 3,
        "customPrice": {"unitPrice": {"EUR": 20}},
        "attributes": {"seat": "7", "broker_ref": made.reference},
    }

    assert [sent | {"quantityBehavior": "LOCK"}] == bodies_of(sandbox, "POST")[1:]
    assert [sent] == bodies_of(sandbox, "PUT")


def test_replacement(made: MadeSession, sandbox: Sandbox) -> None:
    """Cart and customer are other ones; tags, attributes, country, language and mode are sent again."""
    change = {"items": [{"product": "handbook", "quantity": 2}], "orderTags": {"clerk": "7"}, "coupon": "HALF50"}
    answer = made.ask("replace", change | {"customer": {"email": "ada@example.org"}, "language": "de-AT"})
    again = made.ask("replace", {"checkout": "default", "items": [{"product": "handbook"}]})
    tags = {"channel": "web", "clerk": "7", "broker_ref": made.reference}

    assert (200, {"handbook": 2}, "32.00") == (
        answer.status_code,
        cart(answer.json()),
        answer.json()["total"]["amount"],
    )
    assert (200, {"handbook": 1}, "32.00") == (again.status_code, cart(again.json()), again.json()["total"]["amount"])
    assert [tags, tags] == [answer.json()["tags"], again.json()["tags"]]
    first, second = bodies_of(sandbox, "PUT")
    assert first == {
        "live": False,
        "locale": "de",
        "country": "DE",
        "customer": {"billToContact": {"email": "ada@example.org"}},
        "orderTags": tags,
        "cart": {
            "couponCode": "HALF50",
            "lineItems": [
                {"productPath": "handbook", "quantity": 2, "attributes": {"broker_ref": made.reference}},
            ],
        },
        "paymentMethodsOrder": ["SEPA", "PAYPAL", "CARD"],
        "hidePaymentMethods": ["WIRE"],
    }
    assert ("customer" in second, "couponCode" in second["cart"]) == (False, False)
    assert (tags, "DE", False) == (second["orderTags"], second["country"], second["live"])


def test_customer(made: MadeSession, sandbox: Sandbox) -> None:
    """The customer is another one; the cart stays, and so does what the buyer pays."""
    before = made.record()
    answer = made.ask("customer", {"email": "ada@example.org", "company": "", "address": {"city": "Graz"}})

    assert 200 == answer.status_code
    assert before | {"timeline": answer.json()["timeline"]} == answer.json()
    assert [{"billToContact": {"email": "ada@example.org"}, "billToAddress": {"city": "Graz"}}] == bodies_of(
        sandbox, "PUT"
    )


def test_payment_methods(made: MadeSession) -> None:
    """What the buyer is offered, in its order, and what is hidden; it unlinks nothing."""
    answer = made.ask("methods")

    assert 200 == answer.status_code
    assert {"paymentMethods", "hidePaymentMethods"} == answer.json().keys()
    assert ["SEPA", "PAYPAL", "CARD"] == [method["id"] for method in answer.json()["paymentMethods"]][:3]
    assert ["WIRE"] == answer.json()["hidePaymentMethods"]
    assert {
        "id": "SEPA",
        "requiredFieldElements": ["NAME", "EMAIL", "SEPA"],
        "showFieldElements": ["NAME", "EMAIL", "SEPA", "COMPANY"],
        "supportedProductTypes": ["ONE_TIME", "SUBSCRIPTION_PLAN"],
        "variants": [],
    } == answer.json()["paymentMethods"][0]
    assert made.is_linked()


@pytest.mark.parametrize("name", WRITES)
def test_changed_session_is_handed_out_no_more(made: MadeSession, name: str) -> None:
    """Before the change the same buyer with the same cart gets the session again, after it another one."""
    assert made.is_linked()
    assert made.ask(name).is_success

    fresh = made.made_again()
    assert 201 == fresh.status_code
    assert made.reference != fresh.json()["reference"]
    assert fresh.json()["reference"] == made.made_again().json()["reference"]


def test_retired_session(
    broker: httpx.Client, caller_headers: dict[str, str], sandbox: Sandbox, buyer_key: str
) -> None:
    """204 without a body, as often as it is said; the record says so once, its browser sees it as expired."""
    buyer = {"Buyer-Key": buyer_key}
    reference = broker.post("/checkout", json={"items": TWO}, headers=buyer).json()["reference"]
    record = f"/internal/sessions/{reference}"
    answers = [broker.delete(record, headers=caller_headers) for _ in range(2)]

    assert [(204, b"")] * 2 == [(answer.status_code, answer.content) for answer in answers]
    found = broker.get(record, headers=caller_headers).json()
    assert ("retired", ["minted", "retired"]) == (found["state"], [entry["event"] for entry in found["timeline"]])
    assert {"reference": reference, "state": "expired"} == broker.get(f"/checkout/{reference}", headers=buyer).json()
    assert ["POST"] == [request["method"] for request in sandbox.requests()]


@pytest.mark.parametrize("name", CHANGES)
def test_session_that_is_not_open_does_not_change(made: MadeSession, sandbox: Sandbox, name: str) -> None:
    """A retired session is over for every change, and the provider is not asked."""
    made.ask("retire")

    assert (409, "session-ended", []) == problem_of(made.ask(name))
    assert ["POST"] == [request["method"] for request in sandbox.requests()]


PRINCIPALS = {
    "reader": (["sessions:read"], None),
    "writer": (["sessions:write"], None),
    "creator": (["checkout:create", "metrics:read"], None),
    "outsider": (["sessions:read", "sessions:write"], ["other"]),
}


@pytest.mark.parametrize("name", ROUTES)
def test_who_may(make_broker: MakeBroker, sandbox: Sandbox, caller_headers: dict[str, str], name: str) -> None:
    """Each route needs its scope; a session of a checkout that is not the caller's is as unknown as none at all."""
    toml = default_toml(sandbox.url) + f"\n[checkouts.other]\n{PLAIN_CHECKOUT}"
    for principal, (scopes, checkouts) in PRINCIPALS.items():
        digest = sha256(principal.encode()).hexdigest()
        toml += f'[callers.{principal}]\nkey_sha256 = ["{digest}"]\nscopes = {scopes}\n'
        toml += "" if checkouts is None else f"checkouts = {checkouts}\n"
    made = MadeSession(make_broker(toml), caller_headers, items=TWO)
    is_write = name in WRITES

    def outcome(key: str) -> int | Found:
        answer = made.ask(name, Authorization=f"Bearer {key}")
        return answer.status_code if answer.is_success else problem_of(answer)

    missing: Found = (403, "scope-missing", [])
    unknown: Found = (404, "unknown-session", [])
    denied = [outcome(key) for key in ("nobody", "creator", "outsider", "reader" if is_write else "writer")]
    assert [(401, "unauthenticated", []), missing, unknown, missing] == denied
    assert ["POST"] == [request["method"] for request in sandbox.requests()]
    assert (204 if name == "retire" else 200) == outcome("writer" if is_write else "reader")

    foreign = made.ask(name, Authorization="Bearer outsider")
    made.reference = NO_SESSION
    nothing = made.ask(name)
    assert unknown == problem_of(nothing)
    assert nothing.json() | {"instance": ""} == foreign.json() | {"instance": ""}


def test_changes_of_one_session_come_after_each_other(
    make_broker: MakeBroker, sandbox: Sandbox, caller_headers: dict[str, str]
) -> None:
    """Two brokers on one store change a session at once: the second sees the first one's cart, and nothing is lost."""
    toml = default_toml(sandbox.url) + '\n[store]\nkey_prefix = "two-brokers"\n'
    toml = toml.replace("[checkouts.default]", "[checkouts.default]\nmax_items = 3")
    brokers = [make_broker(toml), make_broker(toml)]
    sandbox.put_fault("slow", seconds=0.15, match={"pathPattern": f"{UPSTREAM}/*"})
    made = MadeSession(brokers[0], caller_headers, items=TWO)

    def add(number: int) -> httpx.Response:
        body = {"product": ("handbook", "support-plan")[number]}
        url = f"/internal/sessions/{made.reference}/items"
        return brokers[number].post(url, json=body, headers=caller_headers, timeout=20)

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(add, range(2)))

    assert [200, 422] == sorted(answer.status_code for answer in answers)
    [refused] = [answer for answer in answers if answer.is_error]
    assert (422, "cart-not-allowed", ["product"]) == problem_of(refused)
    assert 3 == len(made.record()["items"])
    assert ["POST", "POST", "GET"] == [request["method"] for request in sandbox.requests()]
