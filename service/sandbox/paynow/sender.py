"""Sends events to whoever subscribed, as the provider would, and as it should not."""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from http import HTTPStatus
from typing import Literal

import httpx
from msgspec import Struct

from service.sandbox.clock import epoch_milliseconds
from service.sandbox.documents import Document, encoded
from service.sandbox.paynow.account import PayNow
from service.sandbox.paynow.payments import altered
from service.sandbox.paynow.settings import WebhookTarget
from service.sandbox.refusal import RefusalError

SIGNATURE_HEADER = "PayNow-Signature"
TIMESTAMP_HEADER = "PayNow-Timestamp"
TIMEOUT_SECONDS = 5.0
MILLISECONDS = 1000


class Delivery(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which events (all, where neither ids nor types are given), and how they travel.

    `age_seconds` is how long ago the signed timestamp says that it was sent; `new_ids` makes events anew.
    """

    event_ids: list[str] = []
    types: list[str] = []
    reverse: bool = False
    copies: int = 1
    new_ids: bool = False
    changes: Document = {}
    age_seconds: float = 0
    signature: Literal[
        "good", "among_others", "wrong", "other_body", "other_timestamp", "hex", "malformed", "missing"
    ] = "good"
    timestamp: Literal["good", "seconds", "malformed", "missing"] = "good"
    raw_body: str | None = None


class Receipt(Struct, frozen=True, kw_only=True, rename="camel"):
    """`status` is None where nobody answered; `error` says why."""

    event_id: str
    url: str
    status: int | None = None
    body: str = ""
    error: str | None = None


async def deliver(paynow: PayNow, delivery: Delivery) -> list[Receipt]:
    if not paynow.subscriptions and paynow.settings.webhook is None:
        raise RefusalError(HTTPStatus.CONFLICT, "Nobody subscribed, and no webhook target is set")
    return await send(paynow, delivery)


async def send(paynow: PayNow, delivery: Delivery) -> list[Receipt]:
    async with httpx.AsyncClient(trust_env=False, timeout=TIMEOUT_SECONDS) as http:
        return [
            await post(http, paynow, target, event, delivery)
            for event in chosen(paynow, delivery)
            for target in targets(paynow, str(event["event_type"]))
            for _ in range(delivery.copies)
        ]


def chosen(paynow: PayNow, delivery: Delivery) -> Iterator[Document]:
    for event in reversed(paynow.events) if delivery.reverse else paynow.events:
        by_id = not delivery.event_ids or event["event_id"] in delivery.event_ids
        if by_id and (not delivery.types or event["event_type"] in delivery.types):
            new_id = {"event_id": paynow.new_id()} if delivery.new_ids else {}
            yield {**altered(event, delivery.changes), **new_id}


def targets(paynow: PayNow, event_type: str) -> list[WebhookTarget]:
    """A subscription is to `OnOrderCompleted` where the event says `ON_ORDER_COMPLETED`."""
    name = event_type.title().replace("_", "")
    subscriptions = [one for one in paynow.subscriptions.values() if one.subscribed_to == name]
    subscribed = [WebhookTarget(url=one.url, secret=one.secret) for one in subscriptions if one.type == "json_v1"]
    return subscribed if paynow.settings.webhook is None else [*subscribed, paynow.settings.webhook]


async def post(
    http: httpx.AsyncClient, paynow: PayNow, target: WebhookTarget, event: Document, delivery: Delivery
) -> Receipt:
    body = encoded(event) if delivery.raw_body is None else delivery.raw_body.encode()
    milliseconds = epoch_milliseconds(paynow.now) - int(delivery.age_seconds * MILLISECONDS)
    headers = {"content-type": "application/json", **security_headers(body, target.secret, milliseconds, delivery)}
    event_id = str(event["event_id"])
    try:
        answer = await http.post(target.url, content=body, headers=headers)
    except httpx.HTTPError as error:
        return Receipt(event_id=event_id, url=target.url, error=repr(error))
    return Receipt(event_id=event_id, url=target.url, status=answer.status_code, body=answer.text)


def security_headers(body: bytes, secret: str, milliseconds: int, delivery: Delivery) -> dict[str, str]:
    """The signature is always over the timestamp that is sent, unless it is to be of another one."""
    timestamps = {
        "good": str(milliseconds),
        "seconds": str(milliseconds // MILLISECONDS),
        "malformed": "yesterday",
        "missing": "",
    }
    timestamp = timestamps[delivery.timestamp]
    good, wrong = signed(timestamp, body, secret), signed(timestamp, body, f"not {secret}")
    signatures = {
        "good": good,
        "among_others": f"{wrong},{good}",
        "wrong": wrong,
        "other_body": signed(timestamp, body + b" ", secret),
        "other_timestamp": signed(str(milliseconds + 1), body, secret),
        "hex": base64.b64decode(good).hex(),
        "malformed": "*** no base64 ***",
        "missing": "",
    }
    headers = {SIGNATURE_HEADER: signatures[delivery.signature], TIMESTAMP_HEADER: timestamp}
    return {name: value for name, value in headers.items() if value}


def signed(timestamp: str, body: bytes, secret: str) -> str:
    digest = hmac.digest(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return base64.b64encode(digest).decode()


async def send_if_automatic(paynow: PayNow, events: list[Document]) -> list[Receipt]:
    if not events or not paynow.settings.automatic:
        return []
    return await send(paynow, Delivery(event_ids=[str(event["event_id"]) for event in events]))
