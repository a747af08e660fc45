"""What PayNow tells of a session by its orders: how it is asked, and what each answer means."""

from collections.abc import AsyncGenerator
from itertools import permutations

import httpx
import pytest
from msgspec.structs import replace

from service.checkout.errors import (
    CheckoutError,
    ProviderError,
    UpstreamCredentialsError,
    UpstreamInvalidError,
    UpstreamMisconfiguredError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from service.checkout.models import Customer, Identity, Item, Order
from service.checkout.session import State
from service.providers.paynow_gg.adapter import PayNow
from service.providers.paynow_gg.settings import PayNowCheckout
from service.providers.paynow_gg.verifier import PayNowVerifier
from tests.checkout.test_session import session_in
from tests.support.orders import NOW
from tests.support.servers import Sandbox
from tests.support.upstream import Upstream, answering, client_of, json_response, upstream

STORE, ID, OTHER = "411486491630370816", "411486491630370999", "411486491630370998"
CHECKOUT = PayNowCheckout(upstream="games", live=True, store_id=STORE)
SESSION = replace(session_in("open"), session_id=ID)
KEY = "APIKey sandbox"
# From the strongest sign of a payment to none.
STATES: list[tuple[str, State]] = [
    ("completed", "completed"),
    ("chargeback", "charged_back"),
    ("refunded", "refunded"),
    ("created", "pending"),
    ("canceled", "open"),
]


def order(status: object, checkout_id: object = ID) -> dict[str, object]:
    """An order, with some of the members that are not read."""
    return {"id": "411486491630371000", "checkout_id": checkout_id, "status": status, "type": "one_time", "lines": []}


async def asked(answer: bytes, session_id: str = ID) -> tuple[State | CheckoutError, Upstream]:
    """What an answer means."""
    async with upstream(answering(answer)) as server, client_of(server.url, authorizations=(KEY,)) as client:
        try:
            return await PayNowVerifier(CHECKOUT, client).state(replace(SESSION, session_id=session_id)), server
        except CheckoutError as error:
            return error, server


async def state_of(*orders: object) -> State | CheckoutError:
    """What a list of orders means."""
    return (await asked(json_response(200, orders)))[0]


async def test_on_the_wire() -> None:
    """One list of the checkout's orders, with the store's key."""
    state, server = await asked(json_response(200, []))
    [request] = server.requests

    assert "open" == state
    assert f"GET /v1/stores/{STORE}/orders?checkout_id={ID} HTTP/1.1" == request.line
    assert (KEY, b"") == (request.header("Authorization"), request.body)


@pytest.mark.parametrize(("status", "state"), STATES)
async def test_one_order(status: str, state: State) -> None:
    """An order says whether somebody pays or paid; one that was canceled leaves the checkout as it was."""
    assert state == await state_of(order(status))


@pytest.mark.parametrize(("strong", "weak"), [*permutations(range(len(STATES)), 2)])
async def test_strongest_sign_of_a_payment_wins(strong: int, weak: int) -> None:
    """Of several orders the one that speaks most of a payment decides, wherever it stands."""
    assert STATES[min(strong, weak)][1] == await state_of(order(STATES[strong][0]), order(STATES[weak][0]))


async def test_order_of_another_session_is_refused() -> None:
    """An answer that names another checkout tells nothing, whatever else is in it."""
    for orders in ([order("canceled", OTHER)], [order("completed"), order("canceled", OTHER)]):
        assert isinstance(await state_of(*orders), UpstreamInvalidError)


@pytest.mark.parametrize(
    "one",
    [
        order("paid"),
        order("Completed"),
        order(None),
        order("created", None),
        order("created", int(ID)),
        order("created", ""),
        {"checkout_id": ID},
        {"status": "canceled"},
        [],
        "canceled",
        None,
    ],
)
async def test_order_that_cannot_be_read_is_no_state(one: object) -> None:
    """A word that is not documented could stand for a payment, so nothing is concluded from it."""
    assert isinstance(await state_of(order("canceled"), one), UpstreamInvalidError)


@pytest.mark.parametrize("body", [{}, {"orders": []}, None, "[]", 0])
async def test_what_is_no_list_is_no_state(body: object) -> None:
    """Only an empty list says that there is no order."""
    assert isinstance((await asked(json_response(200, body)))[0], UpstreamInvalidError)


@pytest.mark.parametrize("id_", ["", "OS1", "1&status=canceled", "0", "9223372036854775808", f"{ID}\n", "١٢"])
async def test_id_that_cannot_be_paynows_is_not_asked_for(id_: str) -> None:
    """Only a flake id gets into the query; for anything else nothing is sent."""
    error, server = await asked(json_response(200, []), id_)

    assert isinstance(error, ProviderError)
    assert (UpstreamInvalidError, False, 0) == (type(error), error.sent, server.connections)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (201, UpstreamInvalidError),
        (204, UpstreamInvalidError),
        (302, UpstreamInvalidError),
        (400, UpstreamRejectedError),
        (401, UpstreamCredentialsError),
        (403, UpstreamCredentialsError),
        (404, UpstreamMisconfiguredError),
        (422, UpstreamRejectedError),
        (429, UpstreamThrottledError),
        (500, UpstreamUnavailableError),
        (504, UpstreamTimeoutError),
    ],
)
async def test_each_status(status: int, kind: type[CheckoutError]) -> None:
    """An answer without a list is an error of its kind, and is asked for once."""
    error, server = await asked(json_response(status, []))

    assert (kind, 1) == (type(error), len(server.requests))


async def test_404_is_about_the_store_also_where_the_list_was_there_before() -> None:
    """PayNow does not throttle with a 404; its own id of the failure is kept, and none of its texts."""
    refusal = json_response(404, {"status": 404, "code": "secret", "message": "secret", "trace_id": "0af7"})
    handler = answering(json_response(200, []), refusal)
    async with upstream(handler) as server, client_of(server.url, authorizations=(KEY,)) as client:
        verifier = PayNowVerifier(CHECKOUT, client)
        await verifier.state(SESSION)
        with pytest.raises(UpstreamMisconfiguredError) as caught:
            await verifier.state(SESSION)

    assert "0af7" == caught.value.provider_case
    assert "secret" not in str(caught.value)


class Played:
    """A session at the sandbox, the payments of it, and what its verifier tells."""

    def __init__(self, hand: httpx.AsyncClient, verifier: PayNowVerifier, session_id: str) -> None:
        self._hand = hand
        self._verifier = verifier
        self._session = replace(SESSION, session_id=session_id)

    async def pay(self, outcome: str) -> None:
        """Play a payment."""
        path = f"/_sandbox/paynow/checkouts/{self._session.session_id}/pay"
        (await self._hand.post(path, json={"outcome": outcome})).raise_for_status()

    async def state(self) -> State:
        """What PayNow tells now."""
        return await self._verifier.state(self._session)


@pytest.fixture(params=["management", "storefront"])
async def played(sandbox: Sandbox, request: pytest.FixtureRequest) -> AsyncGenerator[Played]:
    """A new session at the sandbox, by either call."""
    checkout = replace(CHECKOUT, mode=request.param)
    steam = Customer(identity=Identity(platform="steam", id="76561198152492642"))
    items = (Item(product="411486491630370817"),)
    ordered = Order(items=items, reference="cs_1", live=True, country="DE", customer=steam)
    async with (
        httpx.AsyncClient(base_url=sandbox.url, trust_env=False) as hand,
        client_of(sandbox.url, authorizations=(KEY,)) as client,
    ):
        provider = PayNow(checkout, client, lambda: NOW)
        await provider.create(ordered)
        made = await provider.create(ordered)
        yield Played(hand, PayNowVerifier(checkout, client), made.session_id)


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ([], "open"),
        (["pending"], "pending"),
        (["failed"], "pending"),
        (["canceled"], "open"),
        (["pending", "paid"], "completed"),
        (["paid", "refunded"], "refunded"),
        (["paid", "charged_back"], "charged_back"),
    ],
)
async def test_at_the_sandbox(played: Played, outcomes: list[str], state: State) -> None:
    """A session of either mode is told by what became of its order."""
    for outcome in outcomes:
        await played.pay(outcome)

    assert state == await played.state()
