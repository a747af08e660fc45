"""The adapter against the sandbox, over real HTTP: what it hands out, and every lie that it sees through."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from service.checkout.acceptance import Expectations, accept
from service.checkout.errors import (
    ProviderError,
    UpstreamInvalidError,
    UpstreamMisconfiguredError,
    UpstreamMismatchError,
    UpstreamThrottledError,
)
from service.checkout.models import Item, Opener, Order, Pricing, ProviderSession, Script
from service.providers.fastspring_v2.adapter import FastSpringV2
from service.providers.fastspring_v2.settings import FastSpringV2Checkout
from tests.checkout.test_session import session_in
from tests.support.orders import ORDER
from tests.support.servers import Sandbox
from tests.support.upstream import client_of

CHECKOUT = FastSpringV2Checkout(
    upstream="acme", live=False, path="acme/popup-checkout", storefront="acme.test.onfastspring.com/popup-checkout"
)
EXPECTED = Expectations(hosts=(".onfastspring.com",), loopback=True)
PRICED = Item(product="pro-license", quantity=2, quantity_behavior="lock", pricing=Pricing(price={"EUR": "24.50"}))
LOCKED = replace(ORDER, items=(PRICED,), country="DE", language="de")


@pytest.fixture
async def provider(sandbox: Sandbox) -> AsyncGenerator[FastSpringV2]:
    """The adapter at a sandbox with nothing left from other tests."""
    async with client_of(sandbox.url) as client:
        yield FastSpringV2(CHECKOUT, client)


async def created(provider: FastSpringV2, order: Order = LOCKED) -> ProviderSession:
    session = await provider.create(order)
    accept(order, session, EXPECTED, expires_after=datetime.now(UTC))
    return session


async def test_session_is_what_was_asked_for(provider: FastSpringV2, sandbox: Sandbox) -> None:
    """A locked line at a fixed price in test mode comes back so, on one call."""
    session = await created(provider)

    assert (False, "DE", "EUR", True) == (session.live, session.country, session.currency, session.payable)
    assert LOCKED.order_tags == session.tags
    assert 1 == len(sandbox.requests())


@pytest.mark.parametrize(
    ("lie", "kind"),
    [
        ("missing_id", UpstreamInvalidError),
        ("hostile_id", UpstreamInvalidError),
        ("wrong_types", UpstreamInvalidError),
        *(
            (lie, UpstreamMismatchError)
            for lie in (
                "wrong_live wrong_quantity wrong_product missing_item missing_tag missing_tags changed_tag unlocked"
                " foreign_url script_url wrong_total expired expired_status not_ready concluded extra_warning"
            ).split()
        ),
    ],
)
async def test_lie_is_seen_through(
    provider: FastSpringV2, sandbox: Sandbox, lie: str, kind: type[ProviderError]
) -> None:
    """A good-looking 201 that is wrong in one member is never handed out."""
    sandbox.put_fault(lie)

    with pytest.raises(kind):
        await created(provider)
    assert 1 == len(sandbox.requests())


async def test_404_is_throttling_once_the_checkout_is_known(provider: FastSpringV2, sandbox: Sandbox) -> None:
    """The documented way to throttle is a 404: on a checkout that was never found it is the path that is wrong."""
    sandbox.put_fault("throttled_404", times=1)
    with pytest.raises(UpstreamMisconfiguredError):
        await created(provider)
    await created(provider)
    sandbox.put_fault("throttled_404", times=1)
    with pytest.raises(UpstreamThrottledError):
        await created(provider)


async def test_popup_is_data(provider: FastSpringV2) -> None:
    """The popup of a session: the builder's script with the storefront, the function and the session's id."""
    session = session_in("open")

    assert Opener(
        script=Script(
            src="https://sbl.onfastspring.com/sbl/1.0.3/fastspring-builder.min.js",
            attributes={"id": "fsc-api", "data-storefront": "acme.test.onfastspring.com/popup-checkout"},
        ),
        call="fastspring.builder.checkout",
        arguments=("OS1",),
        closed={"attribute": "data-popup-closed"},
    ) == provider.opener(session)


async def test_no_popup_without_a_storefront_or_in_the_other_mode(sandbox: Sandbox) -> None:
    """Without a storefront, or for a session of the mode that it is not for, the page redirects."""
    session = session_in("open")
    async with client_of(sandbox.url) as client:
        without = FastSpringV2(replace(CHECKOUT, storefront=None), client)

        assert without.opener(session) is None
        assert FastSpringV2(CHECKOUT, client).opener(replace(session, live=True)) is None
