"""What only servers may set, tried by a browser: every member of the providers' requests, at every place it may say."""

import random
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from service.checkout.models import Address, Customer, Identity, ItemFields, Recipient, RequestFields
from service.store.embedded import EmbeddedStore
from tests.fuzz.conftest import Send, fuzz_toml, sending
from tests.fuzz.provider_names import provider_members, strange_spellings, usual_spellings
from tests.support.full import IN_FULL
from tests.support.samples import with_member
from tests.support.servers import Sandbox

MORE = """
[upstreams.legacy]
provider = "fastspring_v1"
base_url = "{url}"
credentials = [{{ username = {{ env = "SANDBOX_USERNAME" }}, password = {{ env = "SANDBOX_PASSWORD" }} }}]
[upstreams.games]
provider = "paynow_gg"
base_url = "{url}"
credentials = [{{ api_key = {{ env = "SANDBOX_PASSWORD" }} }}]
[checkouts.old]
upstream = "legacy"
storefront = "acme.test.onfastspring.com"
browser_contact = ["email", "firstName"]
live = false
"""
GAMES = """
[checkouts.{mode}]
upstream = "games"
store_id = "411486491630370816"
mode = "{mode}"
browser_identities = ["minecraft_java_name"]
live = true
"""
PLAYER = {"platform": "minecraft_java_name", "id": "notch"}
VIP = "411486491630370817"
PERSON = {"email": "sample@example.org", "firstName": "Samuela"}
BODIES: dict[str, dict[str, Any]] = {
    "default": {
        "items": [{"product": "pro-license", "attributes": {"license-name": "sample"}}],
        "customer": PERSON | {"address": {"city": "Sampleton"}, "shipTo": {"address": {"city": "Sampleton"}}},
    },
    "old": {"items": [{"product": "pro-license"}], "customer": PERSON},
    "storefront": {"items": [{"product": VIP}], "customer": {"identity": PLAYER}},
    "management": {"items": [{"product": VIP, "giftTo": PLAYER}], "customer": {"identity": PLAYER}},
}
OPEN = {
    "": RequestFields,
    "items.0": ItemFields,
    "items.0.giftTo": Identity,
    "items.0.attributes": None,
    "customer": Customer,
    "customer.address": Address,
    "customer.identity": Identity,
    "customer.shipTo": Recipient,
    "customer.shipTo.address": Address,
}
CHECKOUTS = {"fastspring_v2": ["default"], "fastspring_v1": ["old"], "paynow_gg": ["storefront", "management"]}
Attack = tuple[str, str, str, object]
"""Checkout, place, member, value."""
Sent = list[tuple[object, str]]


@pytest.fixture(scope="module")
def ask(
    store: EmbeddedStore, _sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Callable[[dict[str, Any]], tuple[int, Sent]]]:
    """A browser's request: the status of its answer, and what the provider was sent."""
    _sandbox_server.reset()
    folder: Path = tmp_path_factory.mktemp("mass")
    toml = fuzz_toml(_sandbox_server.url, folder).replace("[limits]", "[limits]\nper_email_per_hour = 1000000")
    toml += MORE.format(url=_sandbox_server.url) + "".join(
        GAMES.format(mode=one) for one in ("storefront", "management")
    )
    seen = 0

    def ask_one(send: Send, body: dict[str, Any]) -> tuple[int, Sent]:
        nonlocal seen
        answer = send("POST", "/checkout", json=body, headers={"X-Forwarded-For": "8.8.4.4"})
        if answer.status_code >= 400:
            return answer.status_code, []
        reference = answer.json()["reference"]
        requests = _sandbox_server.requests()
        new, seen = requests[seen:], len(requests)
        return answer.status_code, [(one["path"], str(one["body"]).replace(reference, "REFERENCE")) for one in new]

    with sending(toml, folder, store) as send:
        yield lambda body: ask_one(send, body)


def attacks() -> list[Attack]:
    """What a browser may say in a place is none. In full each spelling in each place; else some of the strange ones."""
    usual, strange = [], []
    for provider, name, value in provider_members():
        for checkout, place in ((one, place) for one in CHECKOUTS[provider] for place in OPEN if has_place(one, place)):
            usual += [(checkout, place, member, value) for member in sorted(usual_spellings(name))]
            strange += [(checkout, place, member, value) for member, value in strange_spellings(name, value)]
    if not IN_FULL:
        usual = [attack for attack in usual if attack[1] in {"", "items.0"}]
        strange = random.Random(1).sample(strange, 500)  # noqa: S311  # no secret
    return [attack for attack in usual + strange if attack[2] not in _open_members(attack[1])]


def has_place(checkout: str, place: str) -> bool:
    """Whether a body has something at a path."""
    return with_member(BODIES[checkout], place, None) == BODIES[checkout]


def _open_members(place: str) -> set[str]:
    kind = OPEN[place]
    own = set() if kind is None else {field.encode_name for field in msgspec.structs.fields(kind)}
    return own | ({"items"} if place == "" else set())


def test_nothing_of_a_server_s_reaches_a_provider(ask: Callable[[dict[str, Any]], tuple[int, Sent]]) -> None:
    """Each is refused, or what the provider is sent is the same as without it."""
    bodies = {checkout: body | {"checkout": checkout} for checkout, body in BODIES.items()}
    first = {checkout: ask(body) for checkout, body in bodies.items()}  # makes PayNow's customers, which are kept
    usual = {checkout: ask(body) for checkout, body in bodies.items()}
    assert {201} == {status for status, _ in (*first.values(), *usual.values())}
    assert all(sent for _, sent in usual.values())
    tried, taken = attacks(), []
    for checkout, place, member, value in tried:
        answer = ask(with_member(bodies[checkout], place, member, value))
        if answer != usual[checkout] and answer[0] not in {400, 403, 422}:
            taken.append((checkout, place, member, value, answer))

    print(f"mass assignment: {len(tried):,} members, {len(taken)} taken")  # noqa: T201  # the figure of the run
    assert [] == taken
    assert usual == {checkout: ask(body) for checkout, body in bodies.items()}
