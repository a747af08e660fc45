"""Signed quotes over HTTP: who may sign one, what a browser may do with it, and what a stranger may not."""

import json
import secrets
from collections.abc import Generator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from service.app import create_app
from service.config.secret import Secret
from service.settings import Settings, load_settings
from service.store.embedded import EmbeddedStore
from service.store.settings import StoreSettings
from tests.conftest import MakeBroker
from tests.support.config import CALLER_KEY, PLAIN_CHECKOUT, SECRETS, default_toml
from tests.support.example import SECRETS as EXAMPLE_SECRETS
from tests.support.ports import free_port
from tests.support.quotes import PRIVATE, pair_token, payload_of, token
from tests.support.servers import Sandbox, serving
from tests.support.sessions import problem_of, running_broker

HELD = "a secret that the shop's back end holds itself"
ORDER: dict[str, Any] = {
    "items": [{"product": "pro-license", "quantity": 2, "pricing": {"price": {"EUR": "24.50"}}}],
    "country": "DE",
    "orderTags": {"campaign": "spring"},
}
WANTED: dict[str, Any] = {"checkout": "default", "order": ORDER, "expiresIn": 900}
SIGN = "/internal/quotes"
TOML = """
[checkouts.other]
{plain}
allowed_origins = ["https://shop.example"]

[callers.signer]
key_sha256 = ["{signer}"]
scopes = ["quotes:create"]
checkouts = ["default"]

[callers.shop]
key_sha256 = ["{shop}"]
scopes = ["quotes:create"]

[callers.clerk]
key_sha256 = ["{clerk}"]
scopes = ["checkout:create"]

[quotes]
sign_with = "own"
max_age_seconds = 3600
[quotes.keys.own]
algorithm = "EdDSA"
private_key = {{ file = "{folder}/private" }}
[quotes.keys.shop]
caller = "shop"
secret = {{ file = "{folder}/held" }}
[quotes.keys.signer]
caller = "signer"
secret = {{ file = "{folder}/held" }}
[quotes.keys.clerk]
caller = "clerk"
secret = {{ file = "{folder}/held" }}
"""


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def quotes_toml(folder: Path, sandbox: Sandbox) -> str:
    for name, secret in (("private", PRIVATE), ("held", HELD)):
        (folder / name).write_text(secret)
        (folder / name).chmod(0o600)
    digests = {name: sha256(name.encode()).hexdigest() for name in ("signer", "shop", "clerk")}
    return default_toml(sandbox.url) + TOML.format(plain=PLAIN_CHECKOUT, folder=folder, **digests)


@pytest.fixture(scope="module")
def _running(
    store: EmbeddedStore, _sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Generator[httpx.Client]:
    folder = tmp_path_factory.mktemp("quotes")
    with running_broker(quotes_toml(folder, _sandbox_server), store, folder) as client:
        yield client


@pytest.fixture
def broker(_running: httpx.Client, sandbox: Sandbox) -> httpx.Client:
    """A broker with a key pair of its own and a secret that the shop holds, at a sandbox that has forgotten others."""
    return _running


def signed(broker: httpx.Client, key: str = "signer", **changes: object) -> dict[str, Any]:
    """The answer to a wish for a quote."""
    answer = broker.post(SIGN, json=WANTED | changes, headers=bearer(key))
    assert 201 == answer.status_code, answer.text
    document: dict[str, Any] = answer.json()
    return document


def tags_of(sent: dict[str, Any]) -> dict[str, str]:
    """The tags of a request to the provider."""
    tags: dict[str, str] = sent["orderTags"]
    return tags


def used(broker: httpx.Client, quote: str, buyer: str | None = None, **members: object) -> httpx.Response:
    """The answer to a browser that carries a quote."""
    headers = {"Origin": "https://shop.example"} | ({"Buyer-Key": buyer} if buyer else {})
    return broker.post("/checkout", json={"quote": quote} | members, headers=headers)


def test_from_back_end_to_provider(broker: httpx.Client, sandbox: Sandbox, buyer_key: str) -> None:
    """A quote is signed, a browser carries it, and what only a server may set arrives at the provider."""
    quote = signed(broker, buyerKey=buyer_key, currency="EUR")
    answer = used(broker, quote["quote"], buyer_key, customer={"email": "ada@example.org"})
    [sent] = sandbox.bodies()
    headers = bearer(CALLER_KEY)
    record = broker.get(f"/internal/sessions/{answer.json()['reference']}", headers=headers).json()

    assert 201 == answer.status_code, answer.text
    assert "EUR" == answer.json()["currency"]
    assert "spring" == tags_of(sent)["campaign"]
    assert "24.5" in json.dumps(sent["cart"])
    assert (quote["id"], None, "spring") == (record["quote"], record["caller"], record["tags"]["campaign"])
    assert {"quote", "id", "expiresAt"} == quote.keys()


def test_claims(broker: httpx.Client, buyer_key: str) -> None:
    """The claims are the documented ones."""
    quote = signed(broker, buyerKey=buyer_key, currency="EUR", once=False)
    claims = payload_of(quote["quote"])

    assert ORDER == claims.pop("order")
    assert 900 == claims.pop("exp") - claims.pop("iat")
    assert {
        "iss": "signer",
        "aud": "checkout-broker",
        "checkout": "default",
        "live": False,
        "jti": quote["id"],
        "once": False,
        "buyerKeySha256": sha256(buyer_key.encode()).hexdigest(),
        "currency": "EUR",
    } == claims


def test_signed_by_the_shop_itself(broker: httpx.Client, sandbox: Sandbox, buyer_key: str) -> None:
    """A back end that holds a key needs no call to sign."""
    claims = payload_of(signed(broker)["quote"])
    own = token(claims | {"iss": "shop", "jti": "order-4711"}, {"alg": "HS256", "kid": "shop"}, HELD)

    assert 201 == used(broker, own, buyer_key).status_code
    assert 403 == used(broker, token(claims, {"alg": "HS256", "kid": "shop"}, HELD), buyer_key).status_code
    assert 1 == len(sandbox.bodies())


@pytest.mark.parametrize(("holder", "checkout"), [("clerk", "default"), ("signer", "other")])
def test_key_is_no_right(broker: httpx.Client, sandbox: Sandbox, buyer_key: str, holder: str, checkout: str) -> None:
    """Who holds a key and has not the scope, or not the checkout, signs nothing that is taken."""
    claims = payload_of(signed(broker)["quote"]) | {"checkout": checkout}
    by_holder, by_shop = (
        token(claims | {"iss": name, "jti": f"{name}-{checkout}"}, {"alg": "HS256", "kid": name}, HELD)
        for name in (holder, "shop")
    )

    assert (403, "invalid-quote", []) == problem_of(used(broker, by_holder, buyer_key, checkout=checkout))
    assert [] == sandbox.requests()
    assert 201 == used(broker, by_shop, buyer_key, checkout=checkout).status_code


def test_used_once(broker: httpx.Client, sandbox: Sandbox, buyer_key: str) -> None:
    """Whoever used a quote gets its session again; a thief gets what a forger gets."""
    quote = signed(broker)["quote"]
    first, again = used(broker, quote, buyer_key), used(broker, quote, buyer_key)
    stolen = used(broker, quote, secrets.token_urlsafe(24))

    assert [(201, False), (200, True)] == [(one.status_code, one.json()["reused"]) for one in (first, again)]
    assert first.json()["sessionId"] == again.json()["sessionId"]
    assert (403, "invalid-quote", []) == problem_of(stolen)
    assert 1 == len(sandbox.bodies())


def test_given_back(broker: httpx.Client, sandbox: Sandbox, buyer_key: str) -> None:
    """Where the provider fails the quote is good for another try."""
    quote = signed(broker)["quote"]
    sandbox.put_fault("bad_request")
    failed = used(broker, quote, buyer_key)
    sandbox.reset()

    assert 400 <= failed.status_code
    assert 201 == used(broker, quote, buyer_key).status_code


def test_refused_alike(broker: httpx.Client, sandbox: Sandbox, buyer_key: str) -> None:
    """Whatever is wrong with a quote, the answer is the same but for the request's id, and nobody is called."""
    quote = signed(broker)["quote"]
    claims = payload_of(quote)
    burned = signed(broker)["quote"]
    used(broker, burned, secrets.token_urlsafe(24))
    sandbox.reset()
    bad = {
        "no token": "a.b.c",
        "forged": quote[:-8] + "AAAAAAAA",
        "alg none": token(claims, {"alg": "none", "kid": "own"}),
        "another pair": token(claims, {"alg": "HS256", "kid": "own"}),
        "unknown key": pair_token(claims, kid="none"),
        "path": pair_token(claims, kid="../own"),
        "expired": pair_token(claims | {"iat": claims["iat"] - 900, "exp": claims["iat"] - 1}, kid="own"),
        "another checkout": signed(broker, "shop", checkout="other")["quote"],
        "another buyer": signed(broker, buyerKey="b" * 24)["quote"],
        "another mode": pair_token(claims | {"live": True}, kid="own"),
        "a private address": pair_token(claims | {"order": {"buyerIp": "10.0.0.9"}}, kid="own"),
        "used": burned,
    }
    answers = {name: used(broker, one, buyer_key) for name, one in bad.items()}
    bodies = {
        json.dumps({name: value for name, value in answer.json().items() if name != "instance"})
        for answer in answers.values()
    }

    assert dict.fromkeys(bad, 403) == {name: answer.status_code for name, answer in answers.items()}
    assert 1 == len(bodies), bodies
    assert [] == sandbox.requests()
    assert 201 == used(broker, quote, buyer_key).status_code


def test_contradiction(broker: httpx.Client, buyer_key: str) -> None:
    """A browser that says otherwise than its quote is told where; its own fields are checked as ever."""
    quote = signed(broker)["quote"]
    items = [{"product": "pro-license", "quantity": 9}]
    restricted = [{"product": "pro-license", "quantity": 2, "pricing": {"price": {"EUR": "1.00"}}}]

    assert (422, "cart-not-allowed", ["items[0].quantity"]) == problem_of(used(broker, quote, buyer_key, items=items))
    assert (403, "restricted-field", ["items[0].pricing"]) == problem_of(
        used(broker, quote, buyer_key, items=restricted)
    )
    assert (403, "restricted-field", ["orderTags"]) == problem_of(used(broker, quote, buyer_key, orderTags={}))
    assert 201 == used(broker, quote, buyer_key).status_code


def test_caller_with_a_quote(broker: httpx.Client, sandbox: Sandbox, caller_headers: dict[str, str]) -> None:
    """A caller may bring a quote too, and outranks it."""
    body = {"quote": signed(broker)["quote"], "orderTags": {"campaign": "autumn"}}
    preview = broker.post("/internal/checkout/preview", json=body, headers=caller_headers)
    made = broker.post("/internal/checkout", json=body, headers=caller_headers)
    [sent] = sandbox.bodies()
    rules = {one["path"]: one["rule"] for one in preview.json()["fields"]}

    assert (200, 201) == (preview.status_code, made.status_code)
    assert "autumn" == tags_of(sent)["campaign"]
    assert ("quote", "quote", "request") == (
        rules["country"],
        rules["items[0].pricing.price.EUR"],
        rules["orderTags.campaign"],
    )


REFUSED: dict[str, tuple[dict[str, Any], tuple[int, str, list[str]]]] = {
    "too long": ({"expiresIn": 3601}, (400, "invalid-request", ["expiresIn"])),
    "no time": ({"expiresIn": 0}, (400, "invalid-request", ["expiresIn"])),
    "unknown member": ({"orders": {}}, (400, "invalid-request", ["orders"])),
    "short buyer key": ({"buyerKey": "short"}, (400, "invalid-request", ["buyerKey"])),
    "currency": ({"currency": "eur"}, (400, "invalid-request", ["currency"])),
    "checkout inside": ({"order": ORDER | {"checkout": "default"}}, (400, "invalid-request", ["order.checkout"])),
    "quote inside": ({"order": ORDER | {"quote": "a.b.c"}}, (400, "invalid-request", ["order.quote"])),
    "fresh inside": ({"order": ORDER | {"fresh": True}}, (400, "invalid-request", ["order.fresh"])),
    "private address": ({"order": ORDER | {"buyerIp": "10.0.0.9"}}, (400, "invalid-request", ["order.buyerIp"])),
    "quantity": (
        {"order": {"items": [{"product": "a", "quantity": 101}]}},
        (422, "cart-not-allowed", ["order.items[0].quantity"]),
    ),
    "return address": (
        {"order": ORDER | {"returnUrl": "https://evil.example/"}},
        (422, "return-url-not-allowed", ["order.returnUrl"]),
    ),
    "vocabulary": (
        {"order": ORDER | {"customerId": "411486491630370816"}},
        (422, "unsupported-by-provider-field", ["order.customerId"]),
    ),
    "currency without a word": (
        {"order": {"items": [{"product": "a", "pricing": {"price": {"XXX": "1.00"}}}]}},
        (422, "unsupported-by-provider-field", ["order.items[0].pricing.price.XXX"]),
    ),
    "our own tag": (
        {"order": ORDER | {"orderTags": {"broker_ref": "x"}}},
        (403, "restricted-field", ["order.orderTags.broker_ref"]),
    ),
    "unknown checkout": ({"checkout": "none"}, (404, "unknown-checkout", [])),
    "another's checkout": ({"checkout": "other"}, (404, "unknown-checkout", [])),
}


@pytest.mark.parametrize(("changes", "problem"), REFUSED.values(), ids=REFUSED)
def test_bad_quote_is_never_signed(
    broker: httpx.Client, changes: dict[str, Any], problem: tuple[int, str, list[str]]
) -> None:
    """What would be refused when it is used is refused before it is signed, with each field named."""
    assert problem == problem_of(broker.post(SIGN, json=WANTED | changes, headers=bearer("signer")))


@pytest.mark.parametrize("order", [{}, {"orderTags": {"a": "b"}}, {"country": "DE"}])
def test_part_of_an_order(broker: httpx.Client, buyer_key: str, order: dict[str, Any]) -> None:
    """A quote may leave the cart to the browser; a request without any cart is refused as ever."""
    quote = signed(broker, order=order)["quote"]

    assert (400, "invalid-request", ["items"]) == problem_of(used(broker, quote, buyer_key))
    assert 201 == used(broker, quote, buyer_key, items=[{"product": "pro-license"}]).status_code


@pytest.mark.parametrize(("key", "status"), [("", 401), ("wrong", 401), (CALLER_KEY, 403), ("signer", 201)])
def test_who_may_sign(broker: httpx.Client, key: str, status: int) -> None:
    """Signing takes a caller's key and the scope for it."""
    assert status == broker.post(SIGN, json=WANTED, headers=bearer(key) if key else {}).status_code


def test_without_keys(make_broker: MakeBroker, sandbox: Sandbox, buyer_key: str) -> None:
    """Where no quotes are configured none is signed, and none is taken."""
    toml = default_toml(sandbox.url).replace('"checkout:create"', '"checkout:create", "quotes:create"')
    broker = make_broker(toml)

    assert (404, "not-found", []) == problem_of(broker.post(SIGN, json=WANTED, headers=bearer(CALLER_KEY)))
    assert (403, "invalid-quote", []) == problem_of(used(broker, token(), buyer_key))


def without_store(toml: str, folder: Path) -> Settings:
    (folder / "checkout.toml").write_text(toml)
    settings = load_settings({"CHECKOUT_CONFIG": str(folder / "checkout.toml"), **SECRETS, **EXAMPLE_SECRETS}).settings
    key = Secret(EXAMPLE_SECRETS["SEAL_KEY"])
    store = StoreSettings(url=f"redis://127.0.0.1:{free_port()}", seal_keys=(key,), hash_key=key)
    return replace(settings, store=store)


def test_while_the_store_is_down(sandbox: Sandbox, tmp_path: Path, buyer_key: str) -> None:
    """A quote for once is 503 and costs the provider nothing; others, and checkouts without a quote, go on."""
    settings = without_store(quotes_toml(tmp_path, sandbox), tmp_path)
    with serving(create_app(settings)) as url, httpx.Client(base_url=url, trust_env=False, timeout=20) as broker:
        quotes = {once: signed(broker, once=once)["quote"] for once in (True, False)}
        refused = used(broker, quotes[True], buyer_key)

        assert (503, "store-required", []) == problem_of(refused)
        assert [] == sandbox.requests()
        assert 201 == used(broker, quotes[False], buyer_key).status_code
        assert 201 == used(broker, "", buyer_key, items=[{"product": "pro-license"}]).status_code
