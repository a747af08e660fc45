"""PayNow behind the real service, a real store and the sandbox: from what a page or a back end asks to what arrives."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import httpx
import pytest

from tests.conftest import MakeBroker
from tests.support.config import CALLER_KEY
from tests.support.servers import Sandbox

STORE, VIP, RANK = "411486491630370816", "411486491630370817", "411486491630370819"
SERVER, COUPON = "411486491630370830", "411486491630370850"
CART: dict[str, Any] = {"items": [{"product": VIP}], "country": "DE"}
PLAYER = {"identity": {"platform": "minecraft_java_name", "id": "notch"}}
FORWARDED = {"X-Forwarded-For": "8.8.4.4"}
TOML = """
[server]
trusted_proxies = ["127.0.0.1/32"]

[upstreams.games]
provider = "paynow_gg"
base_url = "{sandbox}"
credentials = [{{ api_key = {{ env = "SANDBOX_PASSWORD" }} }}]

[checkouts.default]
upstream = "games"
store_id = "411486491630370816"
live = true
allowed_origins = ["https://shop.example"]
products = ["4114864916303708*", "made-*"]
return_urls = ["https://shop.example/*"]
order_tags = {{ channel = "web" }}
{more}

[callers.backoffice]
key_sha256 = ["{caller}"]
scopes = ["checkout:create", "sessions:read"]
"""
Start = Callable[[str], httpx.Client]


@pytest.fixture
def start(make_broker: MakeBroker, sandbox: Sandbox) -> Start:
    """Starts a broker whose checkout has these keys more."""
    caller = sha256(CALLER_KEY.encode()).hexdigest()
    return lambda more: make_broker(TOML.format(sandbox=sandbox.url, more=more, caller=caller))


def last_body(sandbox: Sandbox) -> Any:  # noqa: ANN401  # JSON
    return sandbox.bodies()[-1]


def header(sandbox: Sandbox, name: str) -> str | None:
    """A header of the last request upstream."""
    found: Any = sandbox.requests()[-1]["headers"]
    return next((value for key, value in found if key.lower() == name), None)


def customers(sandbox: Sandbox) -> Any:  # noqa: ANN401  # JSON
    headers = {"Authorization": "APIKey sandbox"}
    url = f"{sandbox.url}/v1/stores/{STORE}/customers"
    return httpx.get(url, headers=headers, trust_env=False).raise_for_status().json()


def test_browser_with_a_buyer_key_is_a_customer(start: Start, sandbox: Sandbox, buyer_key: str) -> None:
    """A buyer of whom only the key is known is one customer over all sessions, whose name does not tell the key."""
    broker = start('customer_identity = "name"')
    first = broker.post("/checkout", json=CART, headers={"Buyer-Key": buyer_key} | FORWARDED)
    again = broker.post("/checkout", json=CART, headers={"Buyer-Key": buyer_key})
    other_cart = {"items": [{"product": VIP, "quantity": 2}]}
    second = broker.post("/checkout", json=other_cart, headers={"Buyer-Key": buyer_key})
    other = broker.post("/checkout", json=CART, headers={"Buyer-Key": "another-buyer-key-0123456789"})
    names = [customer["name"] for customer in customers(sandbox)]

    assert [201, 200, 201, 201] == [answer.status_code for answer in (first, again, second, other)]
    assert first.json() | {"reused": True} == again.json()
    assert 2 == len(set(names))
    assert buyer_key not in names


def test_answer_opens_the_popup(start: Start, sandbox: Sandbox, buyer_key: str) -> None:
    """The answer has the token, the page and the popup's data; what PayNow does not tell is null."""
    broker = start('customer_identity = "name"')
    answer = broker.post("/checkout", json=CART, headers={"Buyer-Key": buyer_key}).json()

    assert answer["token"]
    assert f"{sandbox.url}/paynow/?t={answer['token']}" == answer["checkoutUrl"]
    assert [{"token": answer["token"]}] == answer["opener"]["arguments"]
    assert ("paynow_gg", None, None, None, None) == tuple(
        answer[name] for name in ("provider", "live", "country", "currency", "total")
    )
    assert 200 == httpx.get(answer["checkoutUrl"], trust_env=False, follow_redirects=True).status_code


def test_browser_with_an_identity(start: Start, sandbox: Sandbox, buyer_key: str) -> None:
    """A player who names themselves buys at once, also one who is new to PayNow; other platforms are refused."""
    broker = start('browser_identities = ["minecraft_java_name"]')
    headers = {"Buyer-Key": buyer_key}
    steam = {"identity": {"platform": "steam", "id": "76561198152492642"}}
    answer = broker.post("/checkout", json=CART | {"customer": PLAYER}, headers=headers)
    [player] = customers(sandbox)
    refused = broker.post("/checkout", json=CART | {"customer": steam}, headers=headers)

    assert 201 == answer.status_code
    assert ("notch", player["id"]) == (player["minecraft"]["name"], last_body(sandbox)["customer_id"])
    assert (403, "customer.identity") == (refused.status_code, refused.json()["errors"][0]["field"])


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ("", "customer.identity"),
        ('customer_identity = "name"', "Buyer-Key"),
        ('browser_identities = ["minecraft_java_name"]', "customer.identity"),
    ],
)
def test_browser_of_whom_nothing_is_known(start: Start, sandbox: Sandbox, more: str, field: str) -> None:
    """Without anything that says who buys, a browser is told what to send, and PayNow is not asked."""
    answer = start(more).post("/checkout", json=CART)

    assert (400, "/problems/invalid-request") == (answer.status_code, answer.json()["type"])
    assert [field] == [error["field"] for error in answer.json()["errors"]]
    assert [] == sandbox.requests()


def test_caller_with_everything(start: Start, sandbox: Sandbox, caller_headers: dict[str, str]) -> None:
    """Every field of the management call that a back end may set arrives at a strict PayNow."""
    approve(sandbox)
    inline = {"name": "Made for Ada", "price": 2450, "trial": {"enabled": True}}
    order = {
        "items": [
            {"product": VIP, "subscription": True, "trial": True, "giftTo": PLAYER["identity"], "metadata": {"a": "b"}},
            {
                "product": RANK,
                "quantity": 2,
                "gameServer": SERVER,
                "payoutSplits": [{"payoutId": "411486491630370840"}],
            },
            {"product": "made-for-ada", "inlineProduct": inline},
        ],
        "coupon": "SPRING10",
        "couponId": COUPON,
        "affiliateCode": "friend",
        "customer": {
            "email": "ada@example.org",
            "firstName": "Ada",
            "address": {"city": "Vienna"},
            "identity": PLAYER["identity"],
        },
        "country": "AT",
        "returnUrl": "https://shop.example/thanks",
        "cancelUrl": "https://shop.example/cart",
        "autoRedirect": True,
        "metadata": {"sku": "vip-30"},
        "orderTags": {"campaign": "spring"},
    }
    answer = start("").post("/internal/checkout", json=order, headers=caller_headers)
    record = answer.json()
    body = last_body(sandbox)

    assert 201 == answer.status_code, answer.text
    assert {"channel": "web", "campaign": "spring", "sku": "vip-30", "broker_ref": record["reference"]} == body[
        "metadata"
    ]
    assert {"country": "AT", "city": "Vienna"} == body["customer_details"]["billing_address"]
    assert [VIP, RANK, None] == [line.get("product_id") for line in body["lines"]]
    assert {"product": "made-for-ada"} == body["lines"][2]["metadata"]
    assert (True, "https://shop.example/thanks") == (body["auto_redirect"], body["return_url"])
    assert header(sandbox, "x-paynow-customer-ip") is None


def approve(sandbox: Sandbox) -> None:
    approvals = {"inlineProductsApproved": True, "payoutSplitsApproved": True}
    httpx.put(f"{sandbox.url}/_sandbox/paynow/settings", json=approvals, trust_env=False).raise_for_status()


def test_unapproved_inline_product_is_no_session(
    start: Start, sandbox: Sandbox, caller_headers: dict[str, str]
) -> None:
    """A store without PayNow's approval is told so by the provider, and nothing is handed out."""
    items = [{"product": "made-for-ada", "inlineProduct": {"name": "Rank", "price": 1}}]
    order = {"items": items, "customer": PLAYER}

    answer = start("").post("/internal/checkout", json=order, headers=caller_headers)
    assert (502, "/problems/upstream-credentials") == (answer.status_code, answer.json()["type"])


def test_storefront_mode_tells_where_the_buyer_is(start: Start, sandbox: Sandbox, buyer_key: str) -> None:
    """The buyer's own address and country go as headers, with a token; tags stay on our record."""
    broker = start('mode = "storefront"\ncustomer_identity = "name"')
    answer = broker.post("/checkout", json=CART, headers={"Buyer-Key": buyer_key} | FORWARDED)

    assert 201 == answer.status_code
    assert ("8.8.4.4", "DE") == (
        header(sandbox, "x-paynow-customer-ip"),
        header(sandbox, "x-paynow-customer-countrycode"),
    )
    assert str(header(sandbox, "authorization")).startswith("Customer pncus_")
    assert "metadata" not in last_body(sandbox)


def test_storefront_record_has_the_tags(start: Start, sandbox: Sandbox, caller_headers: dict[str, str]) -> None:
    """What PayNow has no place for in this mode is found on the record of the session."""
    broker = start('mode = "storefront"')
    order = CART | {"customer": PLAYER, "orderTags": {"campaign": "spring"}, "buyerIp": "8.8.8.8"}
    reference = broker.post("/internal/checkout", json=order, headers=caller_headers).json()["reference"]
    record = broker.get(f"/internal/sessions/{reference}", headers=caller_headers).json()

    assert {"channel": "web", "campaign": "spring", "broker_ref": reference} == record["tags"]
    assert "8.8.8.8" == header(sandbox, "x-paynow-customer-ip")


@pytest.mark.parametrize(
    ("mode", "members"),
    [
        ("management", {"buyerIp": "8.8.8.8"}),
        ("management", {"customerToken": "pncus_x"}),
        ("management", {"live": False}),
        ("storefront", {"metadata": {"a": "b"}}),
        ("storefront", {"accountId": "a"}),
    ],
)
def test_what_a_mode_cannot_carry_is_refused(
    start: Start, sandbox: Sandbox, caller_headers: dict[str, str], mode: str, members: dict[str, object]
) -> None:
    """A field that was asked for and has no place is 422 by name, and nothing is sent."""
    answer = start(f'mode = "{mode}"').post("/internal/checkout", json=CART | members, headers=caller_headers)

    assert (422, "/problems/unsupported-by-provider-field") == (answer.status_code, answer.json()["type"])
    assert [*members] == [error["field"] for error in answer.json()["errors"]]
    assert [] == sandbox.requests()


def test_inline_product_is_closed(start: Start, sandbox: Sandbox, caller_headers: dict[str, str]) -> None:
    """A member that PayNow's inline product does not have is 400 at any depth, not passed on."""
    broker = start("")
    answers = [
        broker.post(
            "/internal/checkout", json={"items": [{"product": "1", "inlineProduct": inline}]}, headers=caller_headers
        )
        for inline in (
            {"cost": 1},
            {"price": "1"},
            {"price": -1},
            {"trial": {"days": 1}},
            {"commands": [{"stage": "x"}]},
        )
    ]

    assert [400] * 5 == [answer.status_code for answer in answers]
    assert [] == sandbox.requests()


def test_no_product_id_of_paynows(start: Start, sandbox: Sandbox, buyer_key: str) -> None:
    """A product that is none of PayNow's ids is 400 before anybody is asked, with its place."""
    broker = start('customer_identity = "name"')
    answer = broker.post("/checkout", json={"items": [{"product": "made-up"}]}, headers={"Buyer-Key": buyer_key})

    assert (400, "items[0].product") == (answer.status_code, answer.json()["errors"][0]["field"])
    assert [] == sandbox.requests()
