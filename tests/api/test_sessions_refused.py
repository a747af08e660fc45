"""What is refused of a change, by us or by the provider, and what is left of the session then."""

from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from service.app import create_app
from service.store.embedded import EmbeddedStore
from tests.conftest import MakeBroker
from tests.support.config import default_toml, settings_of
from tests.support.servers import Sandbox, serving
from tests.support.sessions import CHANGES, NO_SESSION, ROUTES, Found, MadeSession, problem_of, running_broker

Send = Callable[..., httpx.Response]
TWO = [{"product": "pro-license", "quantity": 2}, {"product": "team-license"}]
CARD = "4111 1111 1111 1111"
INVALID = "invalid-request"
POLICY = """
[checkouts.default]
products = ["pro-*", "team-*", "handbook"]
max_items = 3
max_quantity = 9
countries = ["DE", "AT"]
"""
NO_EDITOR = """
[upstreams.legacy]
provider = "fastspring_v1"
base_url = "{url}"
credentials = [{{ username = {{ env = "SANDBOX_USERNAME" }}, password = {{ env = "SANDBOX_PASSWORD" }} }}]

[checkouts.old]
upstream = "legacy"
storefront = "acme.test.onfastspring.com"
live = false

[upstreams.games]
provider = "paynow_gg"
base_url = "{url}"
credentials = [{{ api_key = {{ env = "SANDBOX_PASSWORD" }} }}]

[checkouts.games]
upstream = "games"
store_id = "411486491630370816"
customer_identity = "name"
live = true
"""


@pytest.fixture(scope="module")
def narrow_broker(
    store: EmbeddedStore, _sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Generator[httpx.Client]:
    """One broker for all of these tests, with a narrow policy: they differ by session."""
    toml = default_toml(_sandbox_server.url).replace("[checkouts.default]\n", POLICY.lstrip("\n"))
    with running_broker(toml, store, tmp_path_factory.mktemp("narrow")) as broker:
        yield broker


@pytest.fixture
def made(narrow_broker: httpx.Client, sandbox: Sandbox, caller_headers: dict[str, str]) -> MadeSession:
    """A session of two products."""
    return MadeSession(narrow_broker, caller_headers, items=TWO)


@pytest.mark.parametrize(
    ("name", "body", "problem"),
    [
        ("replace", {}, (400, INVALID, ["items"])),
        ("replace", {"items": []}, (400, INVALID, ["items"])),
        ("replace", {"items": [{"product": "book"}]}, (422, "product-not-allowed", ["items[0].product"])),
        ("replace", {"items": TWO, "country": "FR"}, (422, "country-not-allowed", ["country"])),
        ("replace", {"items": TWO, "checkout": "other"}, (400, INVALID, ["checkout"])),
        ("replace", {"items": TWO, "returnUrl": "https://shop.example/"}, (400, INVALID, ["returnUrl"])),
        ("replace", {"items": TWO, "live": True}, (400, INVALID, ["live"])),
        ("replace", {"items": TWO, "quote": "a.b.c"}, (400, INVALID, ["quote"])),
        ("replace", {"items": TWO, "buyerIp": "10.0.0.1"}, (400, INVALID, ["buyerIp"])),
        ("replace", {"items": TWO, "metadata": {"a": "b"}}, (422, "unsupported-by-provider-field", ["metadata"])),
        (
            "replace",
            {"items": TWO, "orderTags": {"broker_ref": "x"}},
            (403, "restricted-field", ["orderTags.broker_ref"]),
        ),
        ("customer", {"company": CARD}, (400, INVALID, ["company"])),
        ("customer", {"email": "no address"}, (400, INVALID, ["email"])),
        ("customer", {"customer": {}}, (400, INVALID, ["customer"])),
        ("customer", {"email": "ada@example"}, (422, "upstream-rejected", ["email"])),
        ("add", {"product": "pro-license"}, (422, "cart-not-allowed", ["product"])),
        ("add", {"product": "book"}, (422, "product-not-allowed", ["product"])),
        ("add", {"product": "handbook", "quantity": 10}, (422, "cart-not-allowed", ["quantity"])),
        ("add", {"product": "handbook", "attributes": {"name": CARD}}, (400, INVALID, ["attributes.name"])),
        ("add", {"quantity": 1}, (400, INVALID, ["product"])),
        ("add", {"product": "handbook", "customPrice": {}}, (400, INVALID, ["customPrice"])),
        ("add", {"product": "handbook", "trial": True}, (422, "unsupported-by-provider-field", ["trial"])),
        (
            "add",
            {"product": "handbook", "pricing": {"edsFee": {"USD": "1.00"}}},
            (422, "upstream-rejected", ["pricing.edsFee"]),
        ),
        ("update", {"product": "team-license"}, (400, INVALID, ["product"])),
        ("update", {"quantity": 10}, (422, "cart-not-allowed", ["quantity"])),
        ("update", {"quantity": "2"}, (400, INVALID, ["quantity"])),
    ],
)
def test_body_that_is_refused(made: MadeSession, name: str, body: object, problem: Found) -> None:
    """Policy and form hold as for a new session, and the fields are named as this body has them; nothing changed."""
    before = made.record()

    assert problem == problem_of(made.ask(name, body))
    assert before == made.record()


@pytest.mark.parametrize(
    ("method", "path", "body", "found"),
    [
        ("PUT", "/items/handbook", {}, (422, "cart-not-allowed", ["product"])),
        ("DELETE", "/items/handbook", None, (422, "upstream-rejected", ["product"])),
        ("PUT", "/items/a%2Cb", {}, (400, INVALID, ["product"])),
        ("DELETE", "/items/%2e%2e", None, (400, INVALID, ["product"])),
        ("DELETE", "/items/a%0d%0ab", None, (400, INVALID, ["product"])),
        ("DELETE", "/items/" + "a" * 257, None, (400, INVALID, ["product"])),
        ("DELETE", "/items/book", None, (422, "upstream-rejected", ["product"])),
    ],
)
def test_product_of_the_address(made: MadeSession, method: str, path: str, body: object, found: object) -> None:
    """What is no product's name never comes into an address of the provider; one that is not in the cart is its no."""
    assert found == problem_of(made.send(method, path, body))


def test_product_may_stand_in_the_body_too(made: MadeSession) -> None:
    """The same product in address and body is no contradiction."""
    assert 200 == made.ask("update", {"product": "pro-license", "quantity": 4}).status_code


def test_cart_has_a_first_and_a_last_line(made: MadeSession) -> None:
    """A full cart takes no other product, and its last line stays."""
    made.ask("add")
    full = problem_of(made.ask("add", {"product": "team-seats"}))
    for product in ("handbook", "team-license"):
        assert 200 == made.send("DELETE", f"/items/{product}").status_code
    last = problem_of(made.send("DELETE", "/items/pro-license"))

    assert [(422, "cart-not-allowed", ["product"])] * 2 == [full, last]


@pytest.mark.parametrize("content_type", ["text/plain", ""])
def test_body_must_be_json(made: MadeSession, content_type: str, caller_headers: dict[str, str]) -> None:
    """A body of another type is refused before it is read."""
    headers = caller_headers | {"Content-Type": content_type}
    url = f"/internal/sessions/{made.reference}/customer"

    assert 415 == made.broker.put(url, content=b"{}", headers=headers).status_code


@pytest.mark.parametrize("reference", [NO_SESSION, "cs_", "x" * 29, "%00"])
@pytest.mark.parametrize("name", ROUTES)
def test_unknown_reference(send: Send, caller_headers: dict[str, str], name: str, reference: str) -> None:
    """Whatever leads to no session is 404 for every route."""
    method, path, body = ROUTES[name]
    answer = send(method, f"/internal/sessions/{reference}{path}", json=body, headers=caller_headers)

    assert (404, "unknown-session", []) == problem_of(answer)


@pytest.mark.parametrize(
    ("checkout", "product"), [("old", "pro-license"), ("games", "411486491630370817")], ids=["v1", "paynow"]
)
def test_provider_without_the_operation(
    make_broker: MakeBroker, sandbox: Sandbox, caller_headers: dict[str, str], checkout: str, product: str
) -> None:
    """A session of a provider that lets nothing be changed can be read and retired; everything else is 501."""
    broker = make_broker(default_toml(sandbox.url) + NO_EDITOR.format(url=sandbox.url))
    customer = {"customer": {"email": "ada@example.org"}}
    items = [{"product": product}]
    made = MadeSession(
        broker, caller_headers, checkout=checkout, items=items, **(customer if checkout == "old" else {})
    )
    asked = len(sandbox.requests())

    for name in (*CHANGES, "methods"):
        assert (501, "unsupported-by-provider", []) == problem_of(made.ask(name))
    assert ("open", True) == (made.record()["state"], made.is_linked())
    assert 204 == made.ask("retire").status_code
    assert "retired" == made.record()["state"]
    assert asked == len(sandbox.requests())


def test_without_the_store(sandbox: Sandbox, caller_headers: dict[str, str], tmp_path: Path) -> None:
    """A record that cannot be looked up is neither unknown nor changed: 503 says that the store is needed."""
    with ExitStack() as store, ExitStack() as running:
        directory = store.enter_context(EmbeddedStore()).directory
        app = create_app(settings_of(default_toml(sandbox.url), tmp_path), embedded=directory)
        broker = running.enter_context(httpx.Client(base_url=running.enter_context(serving(app)), trust_env=False))
        made = MadeSession(broker, caller_headers, items=TWO)
        assert "open" == made.record()["state"]
        store.close()

        assert {(503, "store-required", ())} == {
            (status, slug, tuple(fields)) for status, slug, fields in (problem_of(made.ask(name)) for name in ROUTES)
        }
