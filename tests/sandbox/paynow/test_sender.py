"""Webhooks as they arrive at whoever listens."""

import base64
import hashlib
import hmac

import httpx
import msgspec
import pytest

from service.sandbox.paynow.catalogue import VIP
from tests.sandbox.paynow.calls import (
    CONTROL,
    PATH,
    SERVER,
    Json,
    Receiver,
    change_settings,
    checkout,
    line,
    pay,
)

SECRET = "a webhook secret"
NOON = 1_767_268_800_000
PAID = ["ON_ORDER_COMPLETED", "ON_PAYMENT_COMPLETED"]


@pytest.fixture
async def deliverer(buyer: httpx.AsyncClient, receiver: Receiver) -> httpx.AsyncClient:
    """The receiver listens to everything, and nothing is sent by itself."""
    await change_settings(buyer, automatic=False, webhook={"url": receiver.url, "secret": SECRET})
    return buyer


async def deliver(http: httpx.AsyncClient, **delivery: object) -> Json:
    answer = await http.post(f"{CONTROL}/webhooks/deliveries", json=delivery)
    assert 200 == answer.status_code, answer.text
    return answer.json()


async def subscribe(http: httpx.AsyncClient, receiver: Receiver, event: str, kind: str = "json_v1") -> str:
    body = {"url": receiver.url, "subscribed_to": event, "type": kind}
    answer = await http.post(f"{PATH}/webhooks", json=body, headers=SERVER)
    return str(answer.raise_for_status().json()["secret"])


def events(receiver: Receiver) -> Json:
    return [msgspec.json.decode(body) for _, body in receiver.posts]


def types(receiver: Receiver) -> list[str]:
    return [event["event_type"] for event in events(receiver)]


def is_signed(post: tuple[dict[str, str], bytes], secret: str = SECRET) -> bool:
    headers, body = post
    text = headers.get("paynow-timestamp", "").encode() + b"." + body
    expected = base64.b64encode(hmac.digest(secret.encode(), text, hashlib.sha256)).decode()
    return expected == headers.get("paynow-signature")


async def test_subscriptions_get_their_event_under_their_secret(buyer: httpx.AsyncClient, receiver: Receiver) -> None:
    """A payment tells each subscription its own event, signed with its own secret, in Unix milliseconds."""
    payment_secret = await subscribe(buyer, receiver, "OnPaymentCompleted")
    order_secret = await subscribe(buyer, receiver, "OnOrderCompleted")
    await subscribe(buyer, receiver, "OnRefund")
    await subscribe(buyer, receiver, "OnOrderCompleted", kind="discord_v1")
    paid = await pay(buyer, (await checkout(buyer))["id"])

    assert PAID == types(receiver)
    assert is_signed(receiver.posts[0], order_secret)
    assert is_signed(receiver.posts[1], payment_secret)
    assert {str(NOON)} == {headers["paynow-timestamp"] for headers, _ in receiver.posts}
    assert [200, 200] == [receipt["status"] for receipt in paid["deliveries"]]


async def test_order_carries_the_metadata(deliverer: httpx.AsyncClient, receiver: Receiver) -> None:
    """A completed order names its checkout with the metadata of both levels; a payment names its order alone."""
    made = await checkout(deliverer, line(metadata={"sku": "vip"}), line(VIP), metadata={"ref": "r1"})
    await pay(deliverer, made["id"])
    await deliver(deliverer)
    order, payment = events(receiver)

    assert {"event_type", "event_id", "body"} == set(order)
    assert (made["id"], made["id"]) == (order["body"]["checkout_id"], order["body"]["checkout"]["id"])
    assert {"ref": "r1"} == order["body"]["checkout"]["metadata"]
    assert [{"sku": "vip"}, {}] == [each["metadata"] for each in order["body"]["checkout"]["lines"]]
    assert order["body"]["id"] == payment["body"]["order_id"]
    assert made["id"] not in receiver.posts[1][1].decode()


@pytest.mark.parametrize(
    ("outcomes", "seen", "says"),
    [
        (["failed"], ["ON_PAYMENT_FAILED"], {"failure_code": "card_declined"}),
        (["failed", "paid"], ["ON_PAYMENT_FAILED", *PAID], {"status": "completed"}),
        (["paid", "refunded"], [*PAID, "ON_REFUND"], {"status": "completed"}),
        (["paid", "charged_back"], [*PAID, "ON_CHARGEBACK"], {"chargeback_status": "open"}),
        (
            ["paid", "charged_back", "chargeback_closed"],
            [*PAID, "ON_CHARGEBACK", "ON_CHARGEBACK_CLOSED"],
            {"chargeback_status": "lost"},
        ),
    ],
)
async def test_outcomes(
    deliverer: httpx.AsyncClient, receiver: Receiver, outcomes: list[str], seen: list[str], says: Json
) -> None:
    """Each outcome of a payment has its event, which names the order."""
    made = await checkout(deliverer)
    orders = [(await pay(deliverer, made["id"], outcome=outcome))["order"]["id"] for outcome in outcomes]
    await deliver(deliverer)
    last = events(receiver)[-1]["body"]

    assert seen == types(receiver)
    assert {"order_id": orders[0], **says}.items() <= last.items()


@pytest.mark.parametrize(("outcome", "status"), [("pending", "created"), ("canceled", "canceled")])
async def test_what_is_not_told(deliverer: httpx.AsyncClient, receiver: Receiver, outcome: str, status: str) -> None:
    """An order that waits or is canceled has no event: only who asks for orders learns of it."""
    paid = await pay(deliverer, (await checkout(deliverer))["id"], outcome=outcome)
    await deliver(deliverer)

    assert (status, []) == (paid["order"]["status"], types(receiver))


async def test_subscription_is_activated(deliverer: httpx.AsyncClient, receiver: Receiver) -> None:
    """A recurring line tells of its activation, naming checkout and line."""
    made = await checkout(deliverer, line(VIP), line(VIP, subscription=True, metadata={"sku": "vip"}))
    await pay(deliverer, made["id"])
    await deliver(deliverer)
    order, _, activated = events(receiver)
    lines = order["body"]["checkout"]["lines"]

    assert "ON_SUBSCRIPTION_ACTIVATED" == activated["event_type"]
    assert (made["id"], lines[1]["id"]) == (activated["body"]["checkout_id"], activated["body"]["checkout_line_id"])


@pytest.mark.parametrize(
    "outcomes",
    [["refunded"], ["paid", "paid"], ["canceled", "paid"], ["paid", "failed"], ["paid", "chargeback_closed"]],
)
async def test_impossible_outcomes(buyer: httpx.AsyncClient, outcomes: list[str]) -> None:
    """What is not paid cannot be given back, and what is paid is not paid again."""
    path = f"{CONTROL}/checkouts/{(await checkout(buyer))['id']}/pay"
    statuses = [(await buyer.post(path, json={"outcome": outcome})).status_code for outcome in outcomes]

    assert 409 == statuses[-1]


async def test_payment_of_nothing(buyer: httpx.AsyncClient) -> None:
    """A checkout that does not exist cannot be paid."""
    assert 404 == (await buyer.post(f"{CONTROL}/checkouts/1/pay", json={})).status_code


async def test_duplicates_and_resends(deliverer: httpx.AsyncClient, receiver: Receiver) -> None:
    """A retry keeps the event's id; an event can also be made anew."""
    await pay(deliverer, (await checkout(deliverer))["id"])
    await deliver(deliverer, copies=2, types=["ON_ORDER_COMPLETED"])
    await deliver(deliverer, newIds=True, types=["ON_ORDER_COMPLETED"])
    first, second, anew = [event["event_id"] for event in events(receiver)]

    assert (first, True) == (second, first != anew)


async def test_out_of_order(deliverer: httpx.AsyncClient, receiver: Receiver) -> None:
    """The payment can come before the order that it is of."""
    await pay(deliverer, (await checkout(deliverer))["id"])
    await deliver(deliverer, reverse=True)

    assert PAID[::-1] == types(receiver)


async def test_choice(deliverer: httpx.AsyncClient, receiver: Receiver) -> None:
    """Events are chosen by id."""
    first, _ = [(await pay(deliverer, (await checkout(deliverer))["id"]))["events"] for _ in range(2)]
    await deliver(deliverer, eventIds=[first[1]["event_id"]])

    assert first[1:] == events(receiver)


async def test_changes(deliverer: httpx.AsyncClient, receiver: Receiver) -> None:
    """An event can be altered when it happens and when it is sent."""
    await pay(deliverer, (await checkout(deliverer))["id"], changes={"total_amount": 1})
    await deliver(deliverer, changes={"currency": "eur", "checkout": None})
    body = events(receiver)[0]["body"]

    assert (1, "eur", False) == (body["total_amount"], body["currency"], "checkout" in body)


@pytest.mark.parametrize(
    "signature", ["wrong", "other_body", "other_timestamp", "hex", "malformed", "missing", "among_others"]
)
async def test_bad_signatures(deliverer: httpx.AsyncClient, receiver: Receiver, signature: str) -> None:
    """A signature can be bad in every way; the good one holds for the same event."""
    await pay(deliverer, (await checkout(deliverer))["id"])
    for how in (signature, "good"):
        await deliver(deliverer, signature=how, types=["ON_REFUND", "ON_ORDER_COMPLETED"])
    sent, good = [headers.get("paynow-signature") for headers, _ in receiver.posts]

    assert [False, True] == [is_signed(post) for post in receiver.posts]
    assert ("missing" == signature) == (sent is None)
    assert ("among_others" == signature) == (good in (sent or "").split(","))


@pytest.mark.parametrize(
    ("delivery", "timestamp"),
    [
        ({"ageSeconds": 301}, str(NOON - 301_000)),
        ({"ageSeconds": -600}, str(NOON + 600_000)),
        ({"timestamp": "seconds"}, str(NOON // 1000)),
        ({"timestamp": "malformed"}, "yesterday"),
        ({"timestamp": "missing"}, None),
    ],
)
async def test_timestamps(
    deliverer: httpx.AsyncClient, receiver: Receiver, delivery: Json, timestamp: str | None
) -> None:
    """An old, early, or odd timestamp is signed as it is sent, so that only the time is wrong."""
    await pay(deliverer, (await checkout(deliverer))["id"])
    await deliver(deliverer, **delivery)

    assert timestamp == receiver.posts[0][0].get("paynow-timestamp")
    assert is_signed(receiver.posts[0])


async def test_raw_body(deliverer: httpx.AsyncClient, receiver: Receiver) -> None:
    """Any body can be sent with a good signature."""
    await pay(deliverer, (await checkout(deliverer))["id"])
    await deliver(deliverer, rawBody="{", types=["ON_ORDER_COMPLETED"])

    assert b"{" == receiver.posts[0][1]
    assert is_signed(receiver.posts[0])


async def test_nothing_by_itself(deliverer: httpx.AsyncClient, receiver: Receiver) -> None:
    """Neither a payment that is not to be sent, nor any while nothing is automatic, posts an event."""
    quiet = await pay(deliverer, (await checkout(deliverer))["id"])
    await change_settings(deliverer, automatic=True)
    unsent = await pay(deliverer, (await checkout(deliverer))["id"], send=False)
    sent = await pay(deliverer, (await checkout(deliverer))["id"])

    assert [0, 0, 2] == [len(paid["deliveries"]) for paid in (quiet, unsent, sent)]
    assert 6 == len((await deliverer.get(f"{CONTROL}/events")).json())


async def test_nobody_listens(buyer: httpx.AsyncClient) -> None:
    """A delivery that nobody takes is reported."""
    await buyer.put(f"{CONTROL}/webhooks/target", json={"url": "http://127.0.0.1:1/hook", "secret": SECRET})
    receipt, _ = (await pay(buyer, (await checkout(buyer))["id"]))["deliveries"]

    assert receipt["status"] is None
    assert "ConnectError" in receipt["error"]


async def test_no_target(buyer: httpx.AsyncClient) -> None:
    """A delivery without anybody to go to is refused; a payment just sends nothing."""
    paid = await pay(buyer, (await checkout(buyer))["id"])

    assert ([], 409) == (paid["deliveries"], (await buyer.post(f"{CONTROL}/webhooks/deliveries", json={})).status_code)
