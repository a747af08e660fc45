"""The adapter against the sandbox, over real HTTP: what it hands out, and every lie that it sees through."""

import json
from collections.abc import AsyncGenerator
from datetime import timedelta

import httpx
import pytest
from msgspec.structs import replace

from service.checkout.acceptance import Expectations, accept
from service.checkout.errors import ProviderError, UpstreamInvalidError, UpstreamMismatchError, UpstreamRejectedError
from service.checkout.models import Customer, Identity, Item, Opener, Order, Script
from service.providers.paynow_gg.adapter import PayNow
from service.providers.paynow_gg.settings import PayNowCheckout
from tests.checkout.test_session import session_in
from tests.support.exchanges import exchanges, order_of
from tests.support.orders import NOW
from tests.support.servers import Sandbox
from tests.support.upstream import client_of

STORE = "411486491630370816"
CUSTOMER, FRIEND = "411486491630370900", "411486491630370901"
CHECKOUT = PayNowCheckout(upstream="games", live=True, store_id=STORE, session_seconds=600)
STEAM = Customer(identity=Identity(platform="steam", id="76561198152492642"))
ORDER = Order(
    items=(Item(product="411486491630370817"),),
    reference="cs_1",
    order_tags={"broker_ref": "cs_1"},
    live=True,
    country="DE",
    customer=STEAM,
)
EXPECTED = Expectations(hosts=("checkout.paynow.gg",), loopback=True)


@pytest.fixture
async def provider(sandbox: Sandbox) -> AsyncGenerator[PayNow]:
    """The adapter at a sandbox that knows the player and has approved everything."""
    approve(sandbox)
    async with client_of(sandbox.url, authorizations=("APIKey sandbox",)) as client:
        paynow = PayNow(CHECKOUT, client, lambda: NOW)
        await paynow.create(ORDER)
        yield paynow


def approve(sandbox: Sandbox) -> None:
    """Let the store do all that PayNow allows on request, and know what the full exchange names."""
    settings = {
        "inlineProductsApproved": True,
        "payoutSplitsApproved": True,
        "payouts": ["411486491630370840", "411486491630370841"],
        "coupons": {
            "SPRING10": {"id": "411486491630370850", "percent": 10},
            "GIFT-2026-ABCD": {"id": "411486491630370851", "percent": 5},
        },
    }
    httpx.put(f"{sandbox.url}/_sandbox/paynow/settings", json=settings, trust_env=False).raise_for_status()


async def test_session_is_what_was_asked_for(provider: PayNow, sandbox: Sandbox) -> None:
    """A session comes with its token and address, and lives as long as is configured."""
    session = await provider.create(ORDER)
    accept(ORDER, session, EXPECTED, expires_after=NOW)

    assert NOW + timedelta(seconds=600) == session.expires_at
    assert session.token
    assert session.checkout_url.startswith(sandbox.url)
    assert session.checkout_url.endswith(session.token)


@pytest.mark.parametrize(
    ("lie", "kind"),
    [
        *((lie, UpstreamInvalidError) for lie in ("missing_id", "missing_token", "missing_url", "number_id")),
        *((lie, UpstreamInvalidError) for lie in ("too_large_id", "hostile_id", "hostile_token", "wrong_types")),
        ("foreign_url", UpstreamMismatchError),
        ("script_url", UpstreamMismatchError),
    ],
)
async def test_lie_is_seen_through(provider: PayNow, sandbox: Sandbox, lie: str, kind: type[ProviderError]) -> None:
    """A good-looking answer that is wrong in one member is never handed out."""
    sandbox.put_fault(lie)

    with pytest.raises(kind):
        accept(ORDER, await provider.create(ORDER), EXPECTED, expires_after=NOW)


async def test_full_order_is_taken(provider: PayNow, sandbox: Sandbox) -> None:
    """An order with every field of the management call is one that a strict PayNow takes, once it knows the ids."""
    full = exchanges("paynow_gg")["full"]
    ada, friend = customer(sandbox, "ada"), customer(sandbox, "friend")
    order = order_of(json.loads(json.dumps(full.order).replace(CUSTOMER, ada).replace(FRIEND, friend)))
    provider.check(order)

    assert (await provider.create(order)).token
    assert full.sends.body == json.loads(
        json.dumps(sandbox.bodies()[-1]).replace(ada, CUSTOMER).replace(friend, FRIEND)
    )


def customer(sandbox: Sandbox, name: str) -> str:
    """A customer who is there before us."""
    headers = {"Authorization": "APIKey sandbox"}
    url = f"{sandbox.url}/v1/stores/{STORE}/customers"
    answer = httpx.post(url, json={"name": name}, headers=headers, trust_env=False).raise_for_status()
    return str(answer.json()["id"])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"coupon": "WINTER"}, "coupon"),
        ({"coupon": "SPRING10", "promo_codes": ("WINTER",)}, "promoCodes[0]"),
        ({"coupon_id": "1"}, "couponId"),
        ({"items": (Item(product="1"),)}, "items[0].product"),
        ({"items": (Item(product="411486491630370819"),)}, "items[0].gameServer"),
        ({"items": (Item(product="411486491630370820"),)}, "items[0].customVariables"),
        ({"items": (Item(product="411486491630370818", subscription=True),)}, "items[0].subscription"),
    ],
)
async def test_refused_value_is_named(provider: PayNow, change: dict[str, object], field: str) -> None:
    """What the store does not know is named in our words, with the id that PayNow's support asks for."""
    with pytest.raises(UpstreamRejectedError) as refused:
        await provider.create(replace(ORDER, **change))

    assert [field] == [error.field for error in refused.value.errors]
    assert refused.value.provider_case


async def test_popup_is_data(provider: PayNow) -> None:
    """The popup of a session: PayNow.js, its function, the token, and the events that tell of its end."""
    session = replace(session_in("open"), token="c4qq")

    assert Opener(
        script=Script(src="https://cdn.paynow.gg/paynow-js/bundle.js", attributes={}),
        call="PayNow.checkout.open",
        arguments=({"token": "c4qq"},),
        closed={"on": "PayNow.checkout.on", "completed": "completed", "closed": "closed"},
    ) == provider.opener(session)


async def test_no_popup_without_a_token(provider: PayNow) -> None:
    """A record without a token, of another provider, is a redirect."""
    assert provider.opener(replace(session_in("open"), token=None)) is None
