"""Every route by every kind of asker: nobody gets in who should not, and everybody who may not hears the same."""

import asyncio
import re
import secrets
from collections.abc import Generator
from hashlib import sha256
from typing import Any, NamedTuple, get_args

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from service.api.settings import Scope
from service.app import create_app
from service.store.embedded import EmbeddedStore
from tests.support.config import PLAIN_CHECKOUT, default_toml, settings_of
from tests.support.routes import inventory
from tests.support.running import running
from tests.support.servers import Sandbox
from tests.support.tokens import AUDIENCE, ISSUER, claims, encoded, jwks, key, keyed, public, sealed, signed

OPEN, ANY_CALLER = "open", "any caller"
TWO = [{"product": "pro-license", "quantity": 2}, {"product": "team-license"}]
CART: dict[str, Any] = {"items": TWO, "country": "DE"}
QUOTE: dict[str, Any] = {"checkout": "default", "order": {"items": TWO}, "expiresIn": 60}
SESSION = "/internal/sessions/{reference}"


class Route(NamedTuple):
    """Who may, and a request that works; `by_checkout` is what a caller of another checkout hears."""

    needs: str
    body: dict[str, Any] | None = None
    by_checkout: str | None = None
    path: str = ""


TABLE = {
    ("POST", "/checkout"): Route(OPEN, CART),
    ("GET", "/checkout/{reference}"): Route(OPEN),
    ("GET", "/checkout.js"): Route(OPEN),
    ("GET", "/livez"): Route(OPEN),
    ("GET", "/readyz"): Route(OPEN),
    ("GET", "/docs"): Route(OPEN),
    ("GET", "/openapi.json"): Route(OPEN),
    ("GET", "/problems/{slug}"): Route(OPEN),
    ("GET", "/metrics"): Route("metrics:read"),
    ("GET", "/internal/client-ip"): Route(ANY_CALLER),
    ("POST", "/internal/checkout"): Route("checkout:create", CART, "unknown-checkout"),
    ("POST", "/internal/checkout/preview"): Route("checkout:create", CART, "unknown-checkout"),
    ("POST", "/internal/quotes"): Route("quotes:create", QUOTE, "unknown-checkout"),
    ("GET", SESSION): Route("sessions:read", None, "unknown-session"),
    ("GET", f"{SESSION}/payment-methods"): Route("sessions:read", None, "unknown-session"),
    ("PUT", SESSION): Route("sessions:write", {"items": TWO}, "unknown-session"),
    ("DELETE", SESSION): Route("sessions:write", None, "unknown-session"),
    ("PUT", f"{SESSION}/customer"): Route("sessions:write", {"email": "ada@example.org"}, "unknown-session"),
    ("POST", f"{SESSION}/items"): Route("sessions:write", {"product": "handbook"}, "unknown-session"),
    ("PUT", f"{SESSION}/items/{{product}}"): Route("sessions:write", {"quantity": 3}, "unknown-session"),
    ("DELETE", f"{SESSION}/items/{{product}}"): Route("sessions:write", None, "unknown-session"),
}
"""Every route there is, and whom it is for: one that is added must be written down here."""

FOR_CALLERS = [one for one, route in TABLE.items() if route.needs != OPEN]
SCOPES: tuple[str, ...] = get_args(Scope)
PAST, FUTURE = 1_700_000_000, 4_000_000_000


def bearer(credential: str) -> list[tuple[str, str]]:
    return [("Authorization", f"Bearer {credential}")]


def impostors() -> dict[str, list[tuple[str, str]]]:
    """Whoever is no caller, by what they send."""
    good, half = claims(sub="idp|all"), key("rsa-1").public_key
    assert not isinstance(half, bytes)
    pem = half.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    unsigned = f"{encoded({'alg': 'none', 'kid': 'rsa-1'})}.{encoded(good)}"
    symmetric = f"{encoded({'alg': 'HS256', 'kid': 'rsa-1'})}.{encoded(good)}"
    swapped = f"{encoded({'alg': 'RS256', 'kid': 'ec-1'})}.{encoded(good)}"
    foreign, own = key("rsa-stranger"), {"kid": "rsa-1"}
    tokens = {
        "expired": signed(claims(sub="idp|all", exp=PAST)),
        "without an end": signed(claims(sub="idp|all", exp=None)),
        "not yet": signed(claims(sub="idp|all", nbf=FUTURE, exp=FUTURE + 60)),
        "of the future": signed(claims(sub="idp|all", iat=FUTURE, exp=FUTURE + 60)),
        "for another audience": signed(claims(sub="idp|all", aud="other")),
        "of another issuer": signed(claims(sub="idp|all", iss="https://evil.test")),
        "of an unknown subject": signed(claims(sub="idp|nobody")),
        "of a caller's name": signed(claims(sub="all")),
        "alg none": f"{unsigned}.",
        "alg none, signed": sealed(unsigned, "RS256", key("rsa-1")),
        "HS256 with the public key": keyed(symmetric, "HS256", pem),
        "RS256 for an EC key": sealed(swapped, "RS256", foreign),
        "a stranger's": signed(good, by=foreign),
        "no kid": signed(good, header={"kid": None}),
        "kid of another key": signed(good, header={"kid": "ec-1"}),
        "kid that is a path": signed(good, by=foreign, header={"kid": "../../dev/null"}),
        "jku": signed(good, by=foreign, header=own | {"jku": "https://evil.test/jwks.json"}),
        "jwk": signed(good, by=foreign, header=own | {"jwk": public("rsa-stranger")}),
        "x5u": signed(good, by=foreign, header=own | {"x5u": "https://evil.test/chain.pem"}),
        "crit": signed(good, header={"crit": ["x"], "x": 1}),
        "tampered": signed(good).replace(encoded(good), encoded(good | {"sub": "idp|none"})),
    }
    return {
        "nobody": [],
        "empty": bearer(""),
        "unknown key": bearer("wrong"),
        "a caller's name": bearer("all"),
        "a key's digest": bearer(sha256(b"key of all").hexdigest()),
        "a key by Basic": [("Authorization", "Basic a2V5IG9mIGFsbDo=")],
        "a key without a scheme": [("Authorization", "key of all")],
        "a key under another scheme": [("Authorization", "Custom key of all")],
        "a key twice": bearer("key of all") * 2,
        "a key and a wrong one": [*bearer("key of all"), *bearer("wrong")],
        "a key in another header": [("X-Authorization", "Bearer key of all"), ("Proxy-Authorization", "key of all")],
        "a good token by another scheme": [("Authorization", f"JWT {signed(good)}")],
    } | {f"token: {name}": bearer(token) for name, token in tokens.items()}


def toml(sandbox_url: str, jwks_file: str, secret_file: str) -> str:
    """A caller of each scope alone, of none, of all, and of all at another checkout; by key and by token."""
    usual = default_toml(sandbox_url).replace("[upstreams.acme]", "[upstreams.acme]\nrate_limit_per_minute = 0")
    parts = [usual, f'\n[store]\nkey_prefix = "routes-{secrets.token_hex(4)}"\n']
    parts.append(f"\n[checkouts.other]\n{PLAIN_CHECKOUT}")
    callers = {scope.replace(":", "-"): [scope] for scope in SCOPES} | {"none": [], "all": [*SCOPES]}
    for name, scopes in (callers | {"outsider": [*SCOPES]}).items():
        digest = sha256(f"key of {name}".encode()).hexdigest()
        parts.append(f'[callers.{name}]\nkey_sha256 = ["{digest}"]\njwt_subject = "idp|{name}"\nscopes = {scopes}\n')
    parts.append('checkouts = ["other"]\n')
    parts.append(f'[quotes]\nsign_with = "k"\n[quotes.keys.k]\nsecret = {{ file = "{secret_file}" }}\n')
    parts.append(f'[jwt]\njwks_file = "{jwks_file}"\nissuer = "{ISSUER}"\naudience = "{AUDIENCE}"\n')
    return "".join(parts)


class Broker:
    """An application in this process, and requests of every route to it."""

    def __init__(self, runner: asyncio.Runner, client: httpx.AsyncClient) -> None:
        self._runner = runner
        self._client = client

    def send(self, method: str, path: str, headers: list[tuple[str, str]], body: object = None) -> httpx.Response:
        return self._runner.run(self._client.request(method, path, headers=headers, json=body))

    def new_session(self) -> str:
        """The reference of a session that nobody has touched."""
        answer = self.send("POST", "/internal/checkout", bearer("key of all"), CART)
        reference: str = answer.json()["reference"]
        return reference

    def ask(self, one: tuple[str, str], headers: list[tuple[str, str]], reference: str) -> httpx.Response:
        """A request that works, if its sender may."""
        path = one[1].format(reference=reference, product="pro-license", slug="not-found")
        return self.send(one[0], path, headers, TABLE[one].body)


@pytest.fixture(scope="module")
def broker(
    store: EmbeddedStore, _sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Broker]:
    """One for all tests of this module."""
    folder = tmp_path_factory.mktemp("routes")
    (folder / "jwks.json").write_text(jwks("rsa-1", "ec-1"))
    secret = folder / "secret"
    secret.touch(0o600)
    secret.write_text("a shared secret of thirty-two bytes or more")
    settings = settings_of(toml(_sandbox_server.url, str(folder / "jwks.json"), str(secret)), folder)
    with asyncio.Runner() as runner:
        context = running(create_app(settings, embedded=store.directory))
        yield Broker(runner, runner.run(context.__aenter__()))
        runner.run(context.__aexit__(None, None, None))


def shape(answer: httpx.Response) -> tuple[int, list[tuple[str, str]], str]:
    """All of an answer but its id."""
    headers = [(name, value) for name, value in answer.headers.multi_items() if name != "request-id"]
    return answer.status_code, headers, re.sub('"instance":"[0-9a-f]{32}"', "", answer.text)


def said(answer: httpx.Response) -> str:
    """In a word, what an asker got."""
    return "in" if answer.is_success else answer.json()["type"].removeprefix("/problems/")


def ids(one: tuple[str, str]) -> str:
    return " ".join(one)


def test_no_route_is_missing_here() -> None:
    """A route that is added is red here until it is in the table above, with whom it is for."""
    assert sorted(TABLE) == inventory()


@pytest.mark.parametrize("one", FOR_CALLERS, ids=ids)
def test_impostors(broker: Broker, sandbox: Sandbox, one: tuple[str, str]) -> None:
    """Whoever is no caller gets the one 401 from every route for callers, and nothing is asked of a provider."""
    reference = broker.new_session()
    sandbox.reset()
    usual = shape(broker.ask(one, [], reference))
    heard = {name: shape(broker.ask(one, headers, reference)) for name, headers in impostors().items()}

    assert (401, "Bearer") == (usual[0], dict(usual[1])["www-authenticate"])
    assert dict.fromkeys(heard, usual) == heard
    assert [] == sandbox.requests()


@pytest.mark.parametrize("one", FOR_CALLERS, ids=ids)
def test_callers(broker: Broker, one: tuple[str, str]) -> None:
    """A caller gets in with the scope of the route, by key and by token alike; with any other it hears which it lacks,
    and of what belongs to another checkout that there is no such thing.
    """
    needs, by_checkout = TABLE[one].needs, TABLE[one].by_checkout or "in"
    lacking = "in" if needs == ANY_CALLER else "scope-missing"
    names = {scope: scope.replace(":", "-") for scope in SCOPES}
    expected = {name: "in" if needs == scope else lacking for scope, name in names.items()}
    expected |= {"none": lacking, "all": "in", "outsider": by_checkout}

    for credential in ("key of {0}", "token"):
        heard = {}
        for name in expected:
            token = signed(claims(sub=f"idp|{name}"), "ec-1") if credential == "token" else credential.format(name)
            heard[name] = said(broker.ask(one, bearer(token), broker.new_session()))
        assert expected == heard


@pytest.mark.parametrize("one", [one for one in TABLE if one not in FOR_CALLERS], ids=ids)
def test_open_routes(broker: Broker, one: tuple[str, str]) -> None:
    """What is for everybody does not look at credentials: good, bad or none, the answer is of one kind."""
    reference = broker.new_session()
    usual = said(broker.ask(one, [], reference))
    heard = {name: said(broker.ask(one, headers, reference)) for name, headers in impostors().items()}
    heard["all"] = said(broker.ask(one, bearer("key of all"), reference))

    assert ("unknown-session" if "reference" in one[1] else "in") == usual
    assert dict.fromkeys(heard, usual) == heard


@pytest.mark.parametrize("one", [one for one in FOR_CALLERS if TABLE[one].by_checkout], ids=ids)
def test_what_is_of_another_checkout_does_not_exist(broker: Broker, one: tuple[str, str]) -> None:
    """To a caller without a right to it, a session or checkout is, byte for byte, one that there never was."""
    asker = bearer("key of outsider")
    foreign = broker.ask(one, asker, broker.new_session())
    if "reference" in one[1]:
        unknown = broker.ask(one, asker, "cs_01kb2w8z4e6m3q9r7t5v1x0y2a")
    else:
        unknown = broker.send(*one, asker, (TABLE[one].body or {}) | {"checkout": "never-was"})

    assert shape(unknown) == shape(foreign)


@pytest.mark.parametrize("path", sorted({path for _, path in FOR_CALLERS}))
def test_options_tells_no_more_than_the_methods(broker: Broker, path: str) -> None:
    """OPTIONS, the one thing that strangers may ask of every path, has no body, no CORS, and is the same for all."""
    target = path.format(reference="cs_01kb2w8z4e6m3q9r7t5v1x0y2a", product="pro-license")
    answers = [broker.send("OPTIONS", target, headers) for headers in ([], bearer("wrong"), bearer("key of all"))]
    methods = {method for method, one in TABLE if one == path} | {"OPTIONS"}

    assert {(204, "")} == {(answer.status_code, answer.text) for answer in answers}
    assert 1 == len({answer.headers["allow"] for answer in answers})
    assert methods >= set(answers[0].headers["allow"].split(", "))  # the framework names those of one handler
    assert [] == [name for answer in answers for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("one", TABLE, ids=ids)
def test_other_methods(broker: Broker, one: tuple[str, str]) -> None:
    """TRACE, CONNECT, WebDAV's and invented ones, and those of other routes, are 405 with what there is in `Allow`."""
    target = one[1].format(reference="cs_01kb2w8z4e6m3q9r7t5v1x0y2a", product="pro-license", slug="not-found")
    known = {method for method, path in TABLE if path == one[1]} | {"OPTIONS"}
    usual = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "PURGE", "DEBUG"}
    answers = {method: broker.send(method, target, bearer("key of all")) for method in usual - known}

    assert dict.fromkeys(answers, (405, known)) == {
        method: (answer.status_code, set(answer.headers["allow"].split(", "))) for method, answer in answers.items()
    }
