"""Nothing private is ever said: canaries in every input, and everything that the service says or keeps is searched.

The service runs as its user runs it, so that what the server and the libraries under it say is searched too.
"""

import json
import secrets
import time
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import httpx
import msgspec
import pytest
from redis import Redis

from service.api.schemas import BrowserRequest
from service.checkout.decoding import decode
from service.checkout.errors import InvalidRequestError
from service.store.embedded import EmbeddedStore
from tests.support import tokens
from tests.support.config import CALLER_KEY, ORIGIN, default_toml
from tests.support.process import Served, served
from tests.support.quotes import PRIVATE
from tests.support.raw import exchange, request_bytes
from tests.support.servers import Sandbox

EMAIL, NAME, STREET = "canary-mail@private.example", "Canaryname", "Canarystreet 7"
CARD, PHONE, ADDRESS = "4111111111111111", "+4915112345678", "9.8.7.65"
BUYER_KEY = "canary-buyer-key-" + secrets.token_hex(8)
INJECTED = "canary\r\nFORGED: 1\x1b[31mred\u2028line"
CANARIES = (
    *(EMAIL, NAME, STREET, CARD, PHONE, ADDRESS, BUYER_KEY, CALLER_KEY, "canary", "FORGED", "Canary", "\x1b", "\u2028"),
    *("c2FuZGJveDpzYW5kYm94", "ada_at_example", "stolen=1", "evil.example"),  # of the provider's side
)
PERSON = {
    "email": EMAIL,
    "firstName": NAME,
    "lastName": NAME,
    "phone": PHONE,
    "taxId": "CANARY-TAX",
    "address": {"line1": STREET, "city": "Canarytown"},
}
CART = {"items": [{"product": "pro-license", "attributes": {"license-name": NAME}}], "customer": PERSON}
# Beside the usual configuration: whatever else takes in a secret of somebody's.
MORE_TOML = """
[callers.robot]
jwt_subject = "canary-robot"
scopes = ["checkout:create", "quotes:create"]
[jwt]
jwks_file = "{folder}/jwks.json"
issuer = "https://idp.example"
[quotes]
sign_with = "own"
[quotes.keys.own]
algorithm = "EdDSA"
private_key = {{ file = "{folder}/private" }}
[challenge]
provider = "turnstile"
site_key = "0x4AAA"
secret = {{ env = "SANDBOX_PASSWORD" }}
base_url = "{sandbox}"
"""
PER_PRODUCT = 40  # sessions a minute of one product, above what is made before a challenge is asked for
FAULTS = tuple("bad_request unauthorized forbidden error_500 html cut_json hostile_id foreign_url reset".split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("privacy")


@pytest.fixture(scope="module")
def store_of_its_own() -> Generator[EmbeddedStore]:
    with EmbeddedStore() as store:
        yield store


class Told:
    """What was told to anybody: answers that are problems, the ids of sessions, and credentials that were in use."""

    def __init__(self) -> None:
        self.problems: list[httpx.Response] = []
        self.session_ids: list[str] = []
        self.credentials: list[str] = []

    def canaries(self) -> list[str]:
        """What only this run knows to be private; of a token each part alone."""
        return [*self.session_ids, *(part for one in self.credentials for part in one.split("."))]

    def keep(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_error:
            self.problems.append(answer)
        elif answer.headers["content-type"] == "application/json" and "sessionId" in answer.json():
            self.session_ids.append(answer.json()["sessionId"])
        return answer


def hostile_inputs(client: httpx.Client, sandbox: Sandbox, told: Told) -> None:
    """A canary in each place that anybody can write to."""
    buyer = {"Buyer-Key": BUYER_KEY, "X-Forwarded-For": ADDRESS, "Origin": ORIGIN, "User-Agent": INJECTED[:6]}
    caller = buyer | {"Authorization": f"Bearer {CALLER_KEY}"}
    made = told.keep(client.post("/checkout", json=CART, headers=buyer))
    told.keep(client.post("/checkout", json=CART, headers=buyer))
    reference = made.json()["reference"]
    told.keep(client.get(f"/checkout/{reference}", headers=buyer))
    told.keep(client.get(f"/internal/sessions/{reference}", headers=caller))
    told.keep(client.post("/internal/checkout", json=CART | {"buyerIp": ADDRESS, "accountId": EMAIL}, headers=caller))
    for body in hostile_bodies():
        told.keep(client.post("/checkout", json=body, headers=buyer))
        told.keep(client.post("/internal/checkout", json=body, headers=caller))
    for path in (f"/{EMAIL}", f"/checkout/{EMAIL}", f"/problems/{EMAIL}?e={EMAIL}", f"/internal/sessions/{EMAIL}"):
        told.keep(client.get(path, headers=caller))
    for header, value in (("Buyer-Key", EMAIL), ("Idempotency-Key", f'"{EMAIL}'), ("Origin", f"https://{EMAIL}")):
        told.keep(client.post("/checkout", json=CART, headers=buyer | {header: value}))
    told.keep(client.post("/checkout", json=CART, headers=buyer | {"Authorization": "Bearer canary"}))
    told.keep(client.post("/internal/checkout", json=CART, headers={"Authorization": f"Bearer {EMAIL}"}))
    told.keep(client.request("PROPFIND", "/checkout"))
    for fault in FAULTS:
        sandbox.put_fault(fault, times=2)
        told.keep(client.post("/checkout", json=CART | {"fresh": True}, headers=buyer))


def credentials(client: httpx.Client, told: Told) -> None:
    """Quotes, tokens and answers to challenges: good, used, spoiled, and each where another belongs."""
    now, order = int(time.time()), CART | {"orderTags": {"campaign": EMAIL}}
    token = tokens.signed(tokens.claims(sub="canary-robot", iat=now, nbf=now, exp=now + 300), "ed-1")
    robot = {"Authorization": f"Bearer {token}"}
    signed = client.post("/internal/quotes", json={"order": order, "expiresIn": 900}, headers=robot)
    quote = told.keep(signed).json()["quote"]
    told.credentials += [token, quote]
    for one in (quote, quote, quote[:-6] + "AAAAAA", token, f"{quote}.{EMAIL}"):
        told.keep(client.post("/checkout", json={"quote": one}, headers={"Buyer-Key": secrets.token_urlsafe(24)}))
    for one in (token, token[:-6] + "AAAAAA", quote, f"{token}\u00e9"):
        headers = [(b"Authorization", f"Bearer {one}".encode("latin-1"))]
        told.keep(client.post("/internal/checkout", json=CART | {"items": [{"product": EMAIL}]}, headers=headers))
        told.keep(client.get(f"/internal/sessions/{quote}", headers=headers))
    answers = [f"robot-canary-{secrets.token_hex(8)}", f"human-canary-{secrets.token_hex(8)}"]
    told.credentials += answers
    wanted = {"items": [{"product": "handbook"}]}
    for answer in [None] * (PER_PRODUCT + 1) + [*answers, answers[-1], INJECTED]:
        buyer = {"Buyer-Key": secrets.token_urlsafe(24)}
        told.keep(client.post("/checkout", json=wanted | {"challenge": answer or ""}, headers=buyer))


def hostile_bodies() -> list[object]:
    """Bodies that are refused, each with something private where the refusal is made."""
    return [
        {EMAIL: 1},
        CART | {CARD: 1},
        CART | {"orderTags": {EMAIL: EMAIL}, "accountId": 1},
        CART | {"coupon": INJECTED},
        CART | {"checkout": EMAIL},
        CART | {"country": EMAIL},
        CART | {"language": EMAIL},
        CART | {"returnUrl": f"https://{EMAIL}/"},
        CART | {"quote": EMAIL},
        CART | {"metadata": {INJECTED: INJECTED}},
        {"items": [{"product": EMAIL}]},
        {"items": [{"product": "a", "attributes": {EMAIL: EMAIL}}]},
        {"items": [{"product": "a", "attributes": {INJECTED: "x", CARD: "x"}}]},
        {"items": [{"product": "canary"}, {"product": "canary"}]},
        {"items": CART["items"], "customer": {"shipTo": {"type": EMAIL}}},
        {"items": CART["items"], "customer": {"email": INJECTED}},
        {"items": CART["items"], "customer": {"firstName": INJECTED}},
        EMAIL,
        [EMAIL],
    ]


@pytest.fixture(scope="module")
def run(_sandbox_server: Sandbox, store_of_its_own: EmbeddedStore, folder: Path) -> tuple[Served, Told, str]:
    """The service after all of that: its process (ended), what it told, and its metrics."""
    _sandbox_server.reset()
    key = folder / "key"
    key.write_text("a" * 43 + "=")
    keys = f'seal_keys = [{{ file = "{key}" }}]\nhash_key = {{ file = "{key}" }}\n'
    url = f"unix://{next(store_of_its_own.directory.glob('*.sock'))}"
    told = Told()
    (folder / "private").write_text(PRIVATE)
    (folder / "private").chmod(0o600)
    (folder / "jwks.json").write_text(tokens.jwks("ed-1"))
    more = MORE_TOML.format(folder=folder, sandbox=_sandbox_server.url)
    toml = default_toml(_sandbox_server.url).replace("[limits]", f"[limits]\nper_product_per_minute = {PER_PRODUCT}")
    toml += f'{more}\n[store]\nurl = "{url}"\n{keys}'
    with ExitStack() as stack:
        service = stack.enter_context(served(toml, folder, CHECKOUT_LOG="json"))
        client = stack.enter_context(httpx.Client(base_url=service.url, trust_env=False, timeout=20))
        hostile_inputs(client, _sandbox_server, told)
        credentials(client, told)
        exchange(service.url, b"GET /canary HTTP/9.9\r\nCanary: \x00\r\n\r\n")
        exchange(service.url, request_bytes("POST", "/checkout", ("Content-Type: application/json",), b"\xffcanary"))
        metrics = client.get("/metrics", headers={"Authorization": f"Bearer {CALLER_KEY}"}).text
    _sandbox_server.reset()
    return service, told, metrics


def found_in(text: str, *more: str) -> list[str]:
    """Which canaries stand in a text, also as JSON would write them."""
    return [canary for canary in (*CANARIES, *more) if canary in text or json.dumps(canary)[1:-1] in text]


def test_canaries_were_in_force(run: tuple[Served, Told, str]) -> None:
    """The control: sessions were made, every kind of refusal happened, and the search finds what is there."""
    _, told, _ = run
    statuses = {answer.status_code for answer in told.problems}

    assert {400, 401, 403, 404, 405, 422, 502, 503} <= statuses
    assert len(told.session_ids) >= 3
    assert len(told.credentials) == 4
    slugs = {answer.json()["type"] for answer in told.problems}
    assert {"/problems/challenge-required", "/problems/invalid-quote", "/problems/unauthenticated"} <= slugs
    assert [EMAIL, "canary"] == found_in(f"x {EMAIL}")
    assert ["canary", "\x1b"] == found_in(json.dumps("canary\x1b"))


def test_every_line_is_json(run: tuple[Served, Told, str]) -> None:
    """Each line that the process wrote parses, and no library wrote any: strangers would fill the log with those."""
    service, told, _ = run
    events = [json.loads(line) for line in service.output().decode().splitlines()]
    requests = [event for event in events if event["event"] == "request"]
    ids = {event["request_id"] for event in requests}

    assert {answer.headers["request-id"] for answer in told.problems} <= ids
    assert len(ids) == len(requests)
    assert [] == [event for event in events if event["event"] == "library.log"]
    assert set() == {field for event in requests for field in event} - {
        *("request_id", "method", "route", "status", "duration_ms", "event", "level", "timestamp"),
        *("outcome", "problem", "checkout", "caller", "reference", "upstream", "cause", "fields", "provider_case"),
    }


def test_no_canary_is_told(run: tuple[Served, Told, str]) -> None:
    """None stands in the log, the metrics or the body and headers of a problem; session ids count as canaries too."""
    service, told, metrics = run
    problems = "".join(f"{answer.text}{sorted(answer.headers.items())}" for answer in told.problems)

    assert [] == found_in(service.output().decode(), *told.canaries())
    assert [] == found_in(metrics, *told.canaries())
    assert [] == found_in(problems, *told.canaries())


def test_no_canary_is_readable_in_the_store(run: tuple[Served, Told, str], store_of_its_own: EmbeddedStore) -> None:
    """Keys of the store say nothing, and values are sealed."""
    _, told, _ = run
    redis = Redis(unix_socket_path=str(next(store_of_its_own.directory.glob("*.sock"))))
    keys = [key for key in redis.scan_iter() if isinstance(key, bytes)]
    values = [stored(redis, key) for key in keys]
    redis.close()

    assert len(keys) >= 3
    assert b"" not in values
    assert [] == found_in(b"".join(keys).decode(), *told.canaries())
    sealed = found_in(b"".join(values).decode("latin-1"), *told.canaries())
    assert [] == [canary for canary in sealed if len(canary) > 1]  # a single byte stands in any random text


def stored(redis: Redis, key: bytes) -> bytes:
    """What stands at a key, as bytes: a value, or the members of a list."""
    found = [redis.get(key)] if redis.type(key) == b"string" else redis.lrange(key, 0, -1)
    assert isinstance(found, list)
    return b" ".join(one for one in found if isinstance(one, bytes))


def test_server_says_nothing_of_itself(run: tuple[Served, Told, str]) -> None:
    """The real server adds no header about itself."""
    _, told, _ = run

    assert set() == {name for answer in told.problems for name in answer.headers} & {"server", "x-powered-by"}


@pytest.mark.parametrize(
    "name", [f"card {CARD}", "card 4111 1111 1111 1111", f"x{CARD[:4]}-{CARD[4:8]}-{CARD[8:12]}-{CARD[12:]}"]
)
def test_card_number_in_a_name_is_not_told(name: str) -> None:
    """The name of a member that does not exist is told only where it cannot be private."""
    with pytest.raises(InvalidRequestError) as refused:
        decode(msgspec.json.Decoder(BrowserRequest), json.dumps({"items": [], name: 1}).encode())

    assert [""] == [error.field for error in refused.value.errors]
