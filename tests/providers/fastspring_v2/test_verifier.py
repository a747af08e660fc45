"""What FastSpring tells of a session: how it is asked, and what each answer means."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from service.checkout.errors import (
    CheckoutError,
    UpstreamCredentialsError,
    UpstreamInvalidError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from service.checkout.session import State
from service.providers.fastspring_v2.settings import FastSpringV2Checkout
from service.providers.fastspring_v2.verifier import FastSpringV2Verifier
from tests.checkout.test_session import session_in
from tests.support.exchanges import exchanges
from tests.support.servers import Sandbox
from tests.support.upstream import TIMEOUTS, Upstream, answering, client_of, json_response, response, silent, upstream

CHECKOUT = FastSpringV2Checkout(upstream="acme", live=False, path="acme/popup-checkout")
ID = "OS260101000000042XYZ"
SESSION = replace(session_in("open"), session_id=ID)
GOOD: dict[str, Any] = exchanges("fastspring_v2")["minimal"].answers.body
READY, CONCLUDED, EMPTY = ["READY_FOR_CHECKOUT"], ["CONCLUDED"], ["PRODUCTS_REQUIRED"]
STATUSES = ["OPEN", "EXPIRED", "CANCELLED", "PENDING_ORDER", "COMPLETED", "FAILED"]


async def asked(answer: bytes) -> tuple[State | CheckoutError, Upstream]:
    """What an answer means."""
    async with upstream(answering(answer)) as server, client_of(server.url) as client:
        try:
            return await FastSpringV2Verifier(CHECKOUT, client).state(SESSION), server
        except CheckoutError as error:
            return error, server


async def state_of(status: object, checkout_status: object) -> State | CheckoutError:
    """What a session of these words means."""
    words = {"status": status, "checkoutStatus": checkout_status}
    return (await asked(json_response(200, GOOD | words)))[0]


async def test_on_the_wire() -> None:
    """One read of the session, with the seller's credentials."""
    state, server = await asked(json_response(200, GOOD))
    [request] = server.requests

    assert "open" == state
    assert f"GET /v2/checkouts/acme/popup-checkout/sessions/{ID} HTTP/1.1" == request.line
    assert ("Basic c2FuZGJveDpzYW5kYm94", b"") == (request.header("Authorization"), request.body)


@pytest.mark.parametrize(
    ("status", "checkout_status", "state"),
    [
        ("OPEN", READY, "open"),
        ("OPEN", CONCLUDED, "completed"),
        ("OPEN", [*READY, *CONCLUDED], "completed"),
        ("OPEN", EMPTY, "abandoned"),
        ("OPEN", [], "abandoned"),
        ("OPEN", [*READY, *EMPTY], "abandoned"),
        ("EXPIRED", READY, "expired"),
        ("EXPIRED", EMPTY, "expired"),
        ("EXPIRED", CONCLUDED, "completed"),
        *(
            (status, words, state)
            for status, state in (
                ("PENDING_ORDER", "pending"),
                ("COMPLETED", "completed"),
                ("CANCELLED", "abandoned"),
                ("FAILED", "abandoned"),
            )
            for words in (READY, CONCLUDED, [])
        ),
    ],
)
async def test_state(status: str, checkout_status: list[str], state: State) -> None:
    """Only what can be paid as it is, is open; a sign of a payment is one whatever stands beside it."""
    assert state == await state_of(status, checkout_status)


@pytest.mark.parametrize(
    ("status", "checkout_status"),
    [
        ("PROCESSING", READY),
        ("open", READY),
        (None, READY),
        (["OPEN"], READY),
        ("OPEN", "READY_FOR_CHECKOUT"),
        ("OPEN", None),
        ("OPEN", [*READY, "PAYMENT_STARTED"]),
        ("OPEN", [7]),
    ],
)
async def test_unknown_word_is_no_state(status: object, checkout_status: object) -> None:
    """A word that is not documented could stand for a payment, so nothing is concluded from it."""
    assert isinstance(await state_of(status, checkout_status), UpstreamInvalidError)


@pytest.mark.parametrize("member", ["id", "status", "checkoutStatus"])
async def test_every_member_is_needed(member: str) -> None:
    """An answer that leaves one out says nothing."""
    body = {name: value for name, value in GOOD.items() if name != member}

    assert isinstance((await asked(json_response(200, body)))[0], UpstreamInvalidError)


@pytest.mark.parametrize("id_", ["OS260101000000043XYZ", ID.lower(), f"{ID}\n", 7, None])
async def test_other_session_is_refused(id_: object) -> None:
    """What is said of another session is not taken for this one."""
    assert isinstance((await asked(json_response(200, GOOD | {"id": id_})))[0], UpstreamInvalidError)


@pytest.mark.parametrize("message", ["Session not found", "No such session"])
async def test_session_that_is_gone(message: str) -> None:
    """A 404 that speaks of the session is its end."""
    assert "expired" == (await asked(json_response(404, {"status": "404 NOT_FOUND", "message": message})))[0]


@pytest.mark.parametrize("body", [b'{"message": "Not Found"}', b"<html>No such session</html>", b""])
async def test_throttling_is_no_end(body: bytes) -> None:
    """Any other 404 throttles: the session may well be there."""
    error, _ = await asked(response(404, body, ("Retry-After: 7",)))

    assert isinstance(error, UpstreamThrottledError)
    assert 7 == error.retry_after_seconds


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (201, UpstreamInvalidError),
        (204, UpstreamInvalidError),
        (302, UpstreamInvalidError),
        (400, UpstreamRejectedError),
        (401, UpstreamCredentialsError),
        (403, UpstreamCredentialsError),
        (429, UpstreamThrottledError),
        (500, UpstreamUnavailableError),
        (504, UpstreamTimeoutError),
    ],
)
async def test_each_status(status: int, kind: type[CheckoutError]) -> None:
    """An answer without the session is an error of its kind, and is asked for once."""
    error, server = await asked(response(status, b""))

    assert (kind, 1) == (type(error), len(server.requests))


async def test_deadline_is_never_above_the_upstreams() -> None:
    """A shop that waits for less than the limit of asking waits for less here too."""
    timeouts = replace(TIMEOUTS, total=0.2)
    async with upstream(silent) as server, client_of(server.url, timeouts=timeouts) as client, asyncio.timeout(1.0):
        with pytest.raises(UpstreamTimeoutError):
            await FastSpringV2Verifier(CHECKOUT, client).state(SESSION)


class Played:
    """A session at the sandbox, what is done to it, and what its verifier tells."""

    def __init__(self, hand: httpx.AsyncClient, verifier: FastSpringV2Verifier, session_id: str) -> None:
        self.hand = hand
        self._verifier = verifier
        self.session = replace(SESSION, session_id=session_id)

    async def pay(self, outcome: str) -> None:
        """Play a payment."""
        path = f"/_sandbox/sessions/{self.session.session_id}/pay"
        (await self.hand.post(path, json={"outcome": outcome})).raise_for_status()

    async def state(self) -> State:
        """What FastSpring tells now."""
        return await self._verifier.state(self.session)


@pytest.fixture
async def played(sandbox: Sandbox) -> AsyncGenerator[Played]:
    """A new session at the sandbox."""
    path = "/v2/checkouts/acme/popup-checkout/sessions"
    body = json.dumps({"live": False, "cart": {"lineItems": [{"productPath": "pro-license"}]}})
    async with (
        httpx.AsyncClient(base_url=sandbox.url, auth=("sandbox", "sandbox"), trust_env=False) as hand,
        client_of(sandbox.url) as client,
    ):
        answer = await hand.post(path, content=body, headers={"Content-Type": "application/json"})
        yield Played(hand, FastSpringV2Verifier(CHECKOUT, client), answer.json()["id"])


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ([], "open"),
        (["failed"], "open"),
        (["failed_for_good"], "abandoned"),
        (["canceled"], "abandoned"),
        (["pending"], "pending"),
        (["pending", "failed"], "open"),
        (["pending", "paid"], "completed"),
        (["failed_for_good", "paid"], "completed"),
    ],
)
async def test_at_the_sandbox(played: Played, outcomes: list[str], state: State) -> None:
    """A session that was paid, is being paid, failed or was cancelled is told as that."""
    for outcome in outcomes:
        await played.pay(outcome)

    assert state == await played.state()


async def test_time_at_the_sandbox(played: Played) -> None:
    """After its time a session has expired, and one that FastSpring has forgotten as well."""
    await played.hand.post("/_sandbox/clock", json={"advanceSeconds": 24 * 3600})
    by_the_clock = await played.state()
    await played.hand.post("/_sandbox/reset")

    assert ("expired", "expired") == (by_the_clock, await played.state())


async def test_cart_that_was_emptied_at_the_sandbox(played: Played) -> None:
    """A session that lost its last product cannot be paid, and is not handed out again."""
    items = f"/v2/checkouts/acme/popup-checkout/sessions/{played.session.session_id}/cart/items"
    (await played.hand.delete(f"{items}/pro-license")).raise_for_status()

    assert "abandoned" == await played.state()


async def test_throttling_at_the_sandbox(played: Played, sandbox: Sandbox) -> None:
    """A refusal for the number of calls does not end the session."""
    sandbox.put_fault("throttled_404")
    with pytest.raises(UpstreamThrottledError):
        await played.state()
