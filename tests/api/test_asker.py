"""What is believed of a request's headers, and of whom."""

import secrets

import httpx
import pytest

from tests.conftest import MakeBroker
from tests.support.config import default_toml
from tests.support.servers import Sandbox

CART = {"items": [{"product": "pro-license"}]}
UNTRUSTED = 'trusted_proxies = ["10.0.0.0/8"]'


@pytest.fixture
def distrusting_broker(make_broker: MakeBroker, sandbox: Sandbox) -> httpx.Client:
    """A broker to which this machine is a stranger."""
    return make_broker(default_toml(sandbox.url).replace('trusted_proxies = ["127.0.0.1/32", "10.0.0.0/8"]', UNTRUSTED))


@pytest.mark.parametrize(
    ("headers", "country"),
    [
        ([("CF-IPCountry", "AT")], "AT"),
        ([("cf-ipcountry", "at")], "AT"),
        ([("CF-IPCountry", "XX")], None),
        ([("CF-IPCountry", "xx")], None),
        ([("CF-IPCountry", "T1")], None),
        ([("CF-IPCountry", "EU")], None),
        ([("CF-IPCountry", "UK")], None),
        ([("CF-IPCountry", "XK")], None),
        ([("CF-IPCountry", "")], None),
        ([("CF-IPCountry", "AUT")], None),
        ([("CF-IPCountry", "A1")], None),
        ([("CF-IPCountry", "AT, DE")], None),
        ([("CF-IPCountry", "DE"), ("CF-IPCountry", "AT")], None),
        ([("CF_IPCountry", "AT")], None),
        ([("X-Country", "AT")], None),
    ],
)
def test_country_header_of_a_trusted_proxy(
    broker: httpx.Client, sandbox: Sandbox, headers: list[tuple[str, str]], country: str | None
) -> None:
    """The one configured header names the country; unknown, Tor, malformed and doubled ones name none."""
    answer = broker.post("/checkout", json=CART, headers=headers)

    assert 201 == answer.status_code
    assert country == sandbox.bodies()[0].get("country")


@pytest.mark.parametrize(
    ("headers", "release"),
    [
        ([("X-Release", "2026.11")], "2026.11"),
        ([("X-Release", "a"), ("X-Release", "b")], None),
        ([("X-Release", "a\x85b")], None),
        ([("X-Release", "")], None),
        ([("X_Release", "a")], None),
        ([("X-Release", "r" * 600)], "r" * 512),
        ([("X-Other", "a")], None),
    ],
)
def test_trusted_header_of_a_trusted_proxy(
    broker: httpx.Client, sandbox: Sandbox, headers: list[tuple[str, str]], release: str | None
) -> None:
    """A header of the list may fill a template; one that comes twice or unprintable is as if it were absent."""
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    answer = broker.post("/checkout", json=CART, headers=raw)
    tags = sandbox.bodies()[0]["orderTags"]

    assert 201 == answer.status_code
    assert isinstance(tags, dict)
    assert release == tags.get("release")


def test_stranger_is_believed_nothing(distrusting_broker: httpx.Client, sandbox: Sandbox) -> None:
    """From a peer that is no trusted proxy neither address, country nor trusted headers count."""
    headers = {"X-Forwarded-For": "8.8.4.4", "CF-IPCountry": "AT", "X-Release": "forged"}
    answer = distrusting_broker.post("/checkout", json=CART, headers=headers)
    [body] = sandbox.bodies()

    assert 201 == answer.status_code
    assert set() == {"buyerIp", "country"} & body.keys()
    assert {"channel": "web", "broker_ref": answer.json()["reference"]} == body["orderTags"]


def test_callers_connection_says_nothing_of_the_buyer(
    broker: httpx.Client, sandbox: Sandbox, caller_headers: dict[str, str]
) -> None:
    """The calling service's address, country and languages are never sent upstream as the buyer's."""
    headers = {"X-Forwarded-For": "8.8.4.4", "CF-IPCountry": "AT", "Accept-Language": "de"}
    answer = broker.post("/internal/checkout", json=CART, headers=caller_headers | headers)
    [body] = sandbox.bodies()

    assert 201 == answer.status_code
    assert set() == {"buyerIp", "country", "locale"} & body.keys()


@pytest.mark.parametrize(
    ("named", "sent"),
    [
        ("8.8.4.4", "8.8.4.4"),
        ("::ffff:8.8.4.4", "8.8.4.4"),
        ("2A00:1450:4001:080B:0:0:0:200E", "2a00:1450:4001:80b::200e"),
        ("", None),
        (None, None),
    ],
)
def test_caller_names_the_buyers_address(
    broker: httpx.Client, sandbox: Sandbox, caller_headers: dict[str, str], named: str | None, sent: str | None
) -> None:
    """A public address goes upstream in its usual spelling."""
    answer = broker.post("/internal/checkout", json=CART | {"buyerIp": named}, headers=caller_headers)

    assert 201 == answer.status_code
    assert sent == sandbox.bodies()[0].get("buyerIp")


@pytest.mark.parametrize(
    "named",
    [
        *("10.1.2.3", "127.0.0.1", "192.168.1.1", "169.254.169.254", "::1", "fe80::1", "224.0.0.1", "2002:808:404::1"),
        *("unknown", "8.8.4.4:80", "8.8.4.4, 1.1.1.1", "010.8.4.4", "fe80::1%eth0", "8.8.4.4\n"),
    ],
)
def test_caller_may_not_name_a_private_address(
    broker: httpx.Client, sandbox: Sandbox, caller_headers: dict[str, str], named: str
) -> None:
    """What cannot be a buyer's own address is 400 and names the field; nothing is sent."""
    answer = broker.post("/internal/checkout", json=CART | {"buyerIp": named}, headers=caller_headers)

    assert (400, "/problems/invalid-request") == (answer.status_code, answer.json()["type"])
    assert ["buyerIp"] == [error["field"] for error in answer.json()["errors"]]
    assert [] == sandbox.requests()


@pytest.mark.parametrize("path", ["/checkout", "/internal/checkout"])
@pytest.mark.parametrize(
    "key", ["a" * 21, "a" * 129, "a" * 21 + "!", "a" * 21 + "é", "", "a" * 11 + " " + "a" * 11, "a" * 21 + "%0a"]
)
def test_malformed_buyer_key(broker: httpx.Client, caller_headers: dict[str, str], path: str, key: str) -> None:
    """A `Buyer-Key` is 22 to 128 of a closed alphabet; anything else is 400 and named."""
    headers = [*caller_headers.items(), ("Buyer-Key", key.encode("latin-1").decode("latin-1"))]
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    answer = broker.post(path, json=CART, headers=raw)

    assert (400, "/problems/invalid-request") == (answer.status_code, answer.json()["type"])
    assert ["Buyer-Key"] == [error["field"] for error in answer.json()["errors"]]


@pytest.mark.parametrize("length", [22, 128])
def test_buyer_key_of_the_limits(broker: httpx.Client, length: int) -> None:
    """The shortest and the longest key are taken."""
    assert 201 == broker.post("/checkout", json=CART, headers={"Buyer-Key": "-" * length}).status_code


@pytest.mark.parametrize(
    ("key", "status"),
    [
        *((key, 201) for key in ("5f2b8c1e", '"5f2b8c1e"', "k" * 255, f'"{"k" * 255}"')),
        *((key, 400) for key in ("k" * 256, f'"{"k" * 256}"', "", '""', "caf\xe9", "a\tb")),
    ],
)
def test_idempotency_key_form(broker: httpx.Client, buyer_key: str, key: str, status: int) -> None:
    """1 to 255 printable ASCII characters, quoted or bare; else 400 under its own slug."""
    raw = [(b"Buyer-Key", buyer_key.encode()), (b"Idempotency-Key", key.encode("latin-1"))]
    answer = broker.post("/checkout", json=CART, headers=raw)

    assert status == answer.status_code
    assert answer.json().get("type") in {None, "/problems/invalid-idempotency-key"}


def test_idempotency_key_needs_to_know_whose_it_is(broker: httpx.Client, caller_headers: dict[str, str]) -> None:
    """A browser's needs a `Buyer-Key` beside it; a caller is known without."""
    key = {"Idempotency-Key": "5f2b8c1e"}
    browser = broker.post("/checkout", json=CART, headers=key)
    caller = broker.post("/internal/checkout", json=CART, headers=caller_headers | key)
    malformed = broker.post("/internal/checkout", json=CART, headers=caller_headers | {"Idempotency-Key": '"'})

    assert (400, "/problems/invalid-idempotency-key") == (browser.status_code, browser.json()["type"])
    assert 201 == caller.status_code
    assert (400, "/problems/invalid-idempotency-key") == (malformed.status_code, malformed.json()["type"])


def test_route_explains_the_decision(broker: httpx.Client, caller_headers: dict[str, str]) -> None:
    """`GET /internal/client-ip` gives the address and each hop that was read, and nothing further left."""
    forwarded = {"X-Forwarded-For": "198.51.100.7, 8.8.4.4, 10.1.2.3"}
    answer = broker.get("/internal/client-ip", headers=caller_headers | forwarded)

    expected = {
        "address": "8.8.4.4",
        "source": "header",
        "steps": [
            "peer: 127.0.0.1 is a trusted proxy",
            "header: 10.1.2.3 is a trusted proxy",
            "header: 8.8.4.4 is no trusted proxy, so it is the client",
            "client: public, goes to the provider",
        ],
    }
    assert expected == answer.json()


def test_route_explains_an_absent_address(broker: httpx.Client, caller_headers: dict[str, str]) -> None:
    """Where the header cannot be used, the answer says that and where the walk ended."""
    answer = broker.get("/internal/client-ip", headers=caller_headers | {"X-Forwarded-For": "unknown"}).json()

    assert ("127.0.0.1", "peer") == (answer["address"], answer["source"])
    assert "header: an element that is no address, so what was trusted last counts" in answer["steps"]
    assert "client: not a public address, is left out" == answer["steps"][-1]


def test_idempotency_key_has_one_form(broker: httpx.Client, caller_headers: dict[str, str]) -> None:
    """Quoted and bare are the same key, escapes included; sent twice it is none."""
    name = secrets.token_hex(8)

    def replayed(*keys: str) -> tuple[int, str | None]:
        headers = [*caller_headers.items(), *(("Idempotency-Key", key) for key in keys)]
        answer = broker.post("/internal/checkout", json=CART, headers=headers)
        return answer.status_code, answer.headers.get("Idempotent-Replayed")

    assert (201, None) == replayed(name)
    assert (200, "true") == replayed(f'"{name}"')
    assert (201, None) == replayed(f'{name} "x" \\')
    assert (200, "true") == replayed(f'"{name} \\"x\\" \\\\"')
    assert (400, None) == replayed(name, name)


def test_two_buyer_keys(broker: httpx.Client, caller_headers: dict[str, str], sandbox: Sandbox) -> None:
    """Two keys are nobody's: 400 for browsers and callers, and no session is made."""
    two = [("Buyer-Key", "a" * 30), ("Buyer-Key", "a" * 30)]
    answers = [
        broker.post("/checkout", json=CART, headers=two),
        broker.post("/internal/checkout", json=CART, headers=[*two, *caller_headers.items()]),
    ]

    assert [(400, "/problems/invalid-request", "Buyer-Key")] * 2 == [
        (answer.status_code, answer.json()["type"], answer.json()["errors"][0]["field"]) for answer in answers
    ]
    assert [] == sandbox.requests()


@pytest.mark.parametrize("country", ["XX", "uk"])
@pytest.mark.parametrize("path", ["/checkout", "/internal/checkout", "/internal/checkout/preview"])
def test_named_country_that_is_none(
    broker: httpx.Client, caller_headers: dict[str, str], sandbox: Sandbox, path: str, country: str
) -> None:
    """A code that no country has is refused on every route, before the provider is asked."""
    answer = broker.post(path, json=CART | {"country": country}, headers=caller_headers)

    assert (422, "/problems/country-not-allowed") == (answer.status_code, answer.json()["type"])
    assert ["country"] == [error["field"] for error in answer.json()["errors"]]
    assert [] == sandbox.requests()
