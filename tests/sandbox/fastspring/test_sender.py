"""Webhooks as they arrive at whoever listens."""

import base64
import hashlib
import hmac
from typing import Any, Protocol

import httpx
import msgspec
import pytest

SESSIONS = "/v2/checkouts/acme/popup-checkout/sessions"
CONTROL = "/_sandbox/webhooks/fastspring"
SECRET = "a webhook secret"
BODY = {
    "country": "DE",
    "orderTags": {"ref": "r1"},
    "customer": {"billToContact": {"email": "ada@example.org"}},
    "cart": {"couponCode": "SPRING10", "lineItems": [{"productPath": "pro-license", "quantity": 2}]},
}
Json = Any  # events are picked apart by the assertions themselves


class Receiver(Protocol):
    posts: list[tuple[dict[str, str], bytes]]
    status: int
    answer: bytes

    @property
    def url(self) -> str: ...


@pytest.fixture(autouse=True)
async def target(seller: httpx.AsyncClient, receiver: Receiver) -> None:
    """The receiver listens, and nothing is sent by itself."""
    await set_target(seller, receiver, automatic=False)


async def set_target(http: httpx.AsyncClient, receiver: Receiver, **options: object) -> None:
    target = {"url": receiver.url, "secret": SECRET, **options}
    (await http.put(f"{CONTROL}/target", json=target)).raise_for_status()


async def session(http: httpx.AsyncClient) -> str:
    return str((await http.post(SESSIONS, json=BODY)).json()["id"])


async def pay(http: httpx.AsyncClient, session_id: str, **payment: object) -> Json:
    answer = await http.post(f"/_sandbox/sessions/{session_id}/pay", json=payment)
    assert 200 == answer.status_code, answer.text
    return answer.json()


async def deliver(http: httpx.AsyncClient, **delivery: object) -> Json:
    answer = await http.post(f"{CONTROL}/deliveries", json=delivery)
    assert 200 == answer.status_code, answer.text
    return answer.json()


def events(receiver: Receiver, post: int = 0) -> Json:
    return msgspec.json.decode(receiver.posts[post][1])["events"]


def ids(receiver: Receiver) -> list[list[str]]:
    return [[event["id"] for event in events(receiver, post)] for post in range(len(receiver.posts))]


def is_signed(post: tuple[dict[str, str], bytes], secret: str = SECRET) -> bool:
    headers, body = post
    expected = base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()
    return expected == headers.get("x-fs-signature")


async def test_payment_is_told_by_itself(seller: httpx.AsyncClient, receiver: Receiver) -> None:
    """With an automatic target a payment posts its signed event at once."""
    await set_target(seller, receiver)
    paid = await pay(seller, await session(seller))
    [event] = events(receiver)

    assert is_signed(receiver.posts[0])
    assert ("order.completed", 200) == (event["type"], paid["deliveries"][0]["status"])
    assert 1_767_268_800_000 == event["created"]


async def test_data_of_an_order(seller: httpx.AsyncClient, receiver: Receiver) -> None:
    """The order names its tags and never the session; its total is subtotal less discount plus tax."""
    session_id = await session(seller)
    await pay(seller, session_id)
    await deliver(seller)
    data = events(receiver)[0]["data"]

    assert {"currency": "EUR", "live": True, "tags": {"ref": "r1"}, "total": 81.0}.items() <= data.items()
    assert round(data["subtotal"] - data["discount"] + data["tax"], 2) == data["total"]
    assert data["order"] == data["id"]
    assert session_id not in receiver.posts[0][1].decode()


async def test_expansion(seller: httpx.AsyncClient, receiver: Receiver) -> None:
    """With expansion off, account and product are id strings; with expansion on, objects."""
    await pay(seller, await session(seller))
    for expanded in (False, True):
        await deliver(seller, expanded=expanded)
    folded, expanded_data = (events(receiver, post)[0]["data"] for post in (0, 1))

    assert "pro-license" == folded["items"][0]["product"]
    assert folded["account"] == expanded_data["account"]["id"]
    assert "pro-license" == expanded_data["items"][0]["product"]["product"]
    assert folded["order"] == expanded_data["order"]


async def test_batches_and_single_posts(seller: httpx.AsyncClient, receiver: Receiver) -> None:
    """Several events travel in one post, or each in its own."""
    sent = [(await pay(seller, await session(seller)))["event"]["id"] for _ in range(2)]
    await deliver(seller)
    await deliver(seller, batch=False)

    assert [sent, sent[:1], sent[1:]] == ids(receiver)


async def test_out_of_order(seller: httpx.AsyncClient, receiver: Receiver) -> None:
    """The later event can come first."""
    session_id = await session(seller)
    for outcome in ("pending", "paid"):
        await pay(seller, session_id, outcome=outcome)
    await deliver(seller, reverse=True, batch=False)

    assert ["order.completed", "order.payment.pending"] == [events(receiver, post)[0]["type"] for post in (0, 1)]


async def test_duplicates_and_resends(seller: httpx.AsyncClient, receiver: Receiver) -> None:
    """A retry keeps the event's id, a resend by hand has a new one, and a batch may hold an event twice."""
    event_id = (await pay(seller, await session(seller)))["event"]["id"]
    await deliver(seller, copies=2)
    await deliver(seller, newIds=True)
    await deliver(seller, repeats=2)

    [first], [second], [resent], twice = ids(receiver)
    assert [event_id] * 4 == [first, second, *twice]
    assert event_id != resent
    orders = {events(receiver, post)[0]["data"]["order"] for post in range(4)}
    assert 1 == len(orders)


async def test_late_wire_payment(seller: httpx.AsyncClient, receiver: Receiver) -> None:
    """A wire transfer completes its order, under the same id, days after the session is over."""
    session_id = await session(seller)
    await pay(seller, session_id, outcome="pending", method="WIRE")
    await seller.post("/_sandbox/clock", json={"advanceSeconds": 12 * 24 * 3600})
    late = await pay(seller, session_id)
    await deliver(seller)
    pending, completed = (event["data"] for event in events(receiver))

    assert ("COMPLETED", "wire") == (late["session"]["status"], completed["payment"]["type"])
    assert (pending["order"], "PAYMENT_PENDING") == (completed["order"], pending["reason"])
    assert pending["paymentDueDate"] > completed["changed"]


async def test_expired_session_can_be_paid_late(seller: httpx.AsyncClient) -> None:
    """A payment that arrives after the session expired is a real payment."""
    session_id = await session(seller)
    await seller.post("/_sandbox/clock", json={"advanceSeconds": 48 * 3600})

    assert "COMPLETED" == (await pay(seller, session_id))["session"]["status"]


@pytest.mark.parametrize(
    ("outcomes", "types", "status"),
    [
        (["failed"], ["order.failed"], "OPEN"),
        (["failed_for_good"], ["order.failed"], "FAILED"),
        (["pending"], ["order.payment.pending"], "PENDING_ORDER"),
        (["pending", "canceled"], ["order.payment.pending", "order.canceled"], "CANCELLED"),
        (["pending", "failed", "paid"], ["order.payment.pending", "order.failed", "order.completed"], "COMPLETED"),
        (["paid", "refunded"], ["order.completed", "return.created"], "COMPLETED"),
        (["paid", "charged_back"], ["order.completed", "order.chargeback"], "COMPLETED"),
    ],
)
async def test_outcomes(
    seller: httpx.AsyncClient, receiver: Receiver, outcomes: list[str], types: list[str], status: str
) -> None:
    """Each outcome of a payment has its event, and leaves the session as it should."""
    session_id = await session(seller)
    paid = [await pay(seller, session_id, outcome=outcome) for outcome in outcomes]
    await deliver(seller)

    assert (types, status) == ([event["type"] for event in events(receiver)], paid[-1]["session"]["status"])


@pytest.mark.parametrize("outcomes", [["refunded"], ["paid", "paid"], ["paid", "pending"]])
async def test_impossible_outcomes(seller: httpx.AsyncClient, outcomes: list[str]) -> None:
    """What is not paid cannot be given back, and what is paid is not paid again."""
    session_id = await session(seller)
    path = f"/_sandbox/sessions/{session_id}/pay"
    statuses = [(await seller.post(path, json={"outcome": outcome})).status_code for outcome in outcomes]

    assert 409 == statuses[-1]


async def test_no_tags(seller: httpx.AsyncClient, receiver: Receiver) -> None:
    """Without tags the member is missing, not empty: when none were set, and when they are left out."""
    await pay(seller, await session(seller))
    await deliver(seller, tags=False)
    untagged = (await seller.post(SESSIONS, json={"cart": BODY["cart"]})).json()["id"]
    event_id = (await pay(seller, untagged))["event"]["id"]
    await deliver(seller, eventIds=[event_id])

    assert all("tags" not in events(receiver, post)[0]["data"] for post in (0, 1))


async def test_changes(seller: httpx.AsyncClient, receiver: Receiver) -> None:
    """An event can be altered when it happens and when it is sent: another total, another mode."""
    await pay(seller, await session(seller), changes={"total": 1.0})
    await deliver(seller, changes={"live": False})

    assert {"total": 1.0, "live": False}.items() <= events(receiver)[0]["data"].items()


@pytest.mark.parametrize("signature", ["wrong", "other_body", "malformed", "missing"])
async def test_bad_signatures(seller: httpx.AsyncClient, receiver: Receiver, signature: str) -> None:
    """A signature can be wrong, of another body, malformed or missing; the good one holds for the same event."""
    await pay(seller, await session(seller))
    for how in (signature, "good"):
        await deliver(seller, signature=how)

    assert [False, True] == [is_signed(post) for post in receiver.posts]
    assert ("missing" == signature) == ("x-fs-signature" not in receiver.posts[0][0])


async def test_target_without_a_secret(seller: httpx.AsyncClient, receiver: Receiver) -> None:
    """Without a secret there is no signature at all."""
    await set_target(seller, receiver, secret=None)
    await pay(seller, await session(seller))

    assert "x-fs-signature" not in receiver.posts[0][0]


async def test_raw_body(seller: httpx.AsyncClient, receiver: Receiver) -> None:
    """Any body can be sent with a good signature."""
    await deliver(seller, rawBody="{")

    assert b"{" == receiver.posts[0][1]
    assert is_signed(receiver.posts[0])


async def processed(http: httpx.AsyncClient) -> list[bool]:
    return [event["processed"] for event in (await http.get(f"{CONTROL}/events")).json()]


async def test_acknowledgement(seller: httpx.AsyncClient, receiver: Receiver) -> None:
    """500 acknowledges nothing, 202 the ids in its answer, 200 every event of the post."""
    sent = [(await pay(seller, await session(seller)))["event"]["id"] for _ in range(2)]
    seen: list[list[bool]] = []
    for receiver.status, receiver.answer in ((500, b""), (202, sent[1].encode()), (200, b"")):
        await deliver(seller)
        seen.append(await processed(seller))

    assert [[False, False], [False, True], [True, True]] == seen


async def test_nobody_listens(seller: httpx.AsyncClient) -> None:
    """A delivery that nobody takes is reported, and the event stays unprocessed."""
    await seller.put(f"{CONTROL}/target", json={"url": "http://127.0.0.1:1/hook"})
    [receipt] = (await pay(seller, await session(seller)))["deliveries"]

    assert receipt["status"] is None
    assert "ConnectError" in receipt["error"]
    assert [False] == await processed(seller)


async def test_no_target(seller: httpx.AsyncClient) -> None:
    """A delivery without a target is refused; a payment without one just sends nothing."""
    await seller.post("/_sandbox/reset")
    paid = await pay(seller, await session(seller))

    assert ([], 409) == (paid["deliveries"], (await seller.post(f"{CONTROL}/deliveries", json={})).status_code)


async def test_nothing_to_pay(seller: httpx.AsyncClient) -> None:
    """A session without products cannot be paid."""
    session_id = (await seller.post(SESSIONS, json={})).json()["id"]

    assert 409 == (await seller.post(f"/_sandbox/sessions/{session_id}/pay")).status_code
