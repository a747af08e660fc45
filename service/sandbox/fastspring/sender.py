"""Sends events to a webhook as the provider would, and as it should not."""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import Literal

import httpx
from msgspec import Struct

from service.sandbox.documents import Document, encoded, is_document, merged
from service.sandbox.fastspring.account import FastSpring
from service.sandbox.fastspring.events import folded
from service.sandbox.fastspring.sessions import short_id
from service.sandbox.fastspring.settings import WebhookTarget
from service.sandbox.refusal import RefusalError

SIGNATURE_HEADER = "X-FS-Signature"
TIMEOUT_SECONDS = 5.0


class Delivery(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which events (all, where neither ids nor types are given), and how they travel.

    `copies` repeats each post, `repeats` each event within its post, `new_ids` makes them resends by hand.
    """

    event_ids: list[str] = []
    types: list[str] = []
    reverse: bool = False
    batch: bool = True
    copies: int = 1
    repeats: int = 1
    new_ids: bool = False
    expanded: bool | None = None
    tags: bool = True
    changes: Document = {}
    signature: Literal["good", "wrong", "other_body", "malformed", "missing"] = "good"
    raw_body: str | None = None


class Receipt(Struct, frozen=True, kw_only=True, rename="camel"):
    """`status` is None where nobody answered; `error` says why."""

    event_ids: list[str]
    status: int | None = None
    body: str = ""
    error: str | None = None


async def deliver(fastspring: FastSpring, delivery: Delivery) -> list[Receipt]:
    target = fastspring.settings.webhook
    if target is None:
        raise RefusalError(HTTPStatus.CONFLICT, "No webhook target is set")
    async with httpx.AsyncClient(trust_env=False, timeout=TIMEOUT_SECONDS) as http:
        receipts = [await post(http, target, events, delivery) for events in posts(fastspring, target, delivery)]
    for receipt in receipts:
        mark_processed(fastspring, acknowledged(receipt))
    return receipts


def posts(fastspring: FastSpring, target: WebhookTarget, delivery: Delivery) -> Iterator[list[Document]]:
    events = [event for event in fastspring.events if is_chosen(event, delivery)]
    ordered = events[::-1] if delivery.reverse else events
    for group in [ordered] if delivery.batch else [[event] for event in ordered]:
        for _ in range(delivery.copies):
            yield [dressed(event, target, delivery) for event in group for _ in range(delivery.repeats)]


def is_chosen(event: Document, delivery: Delivery) -> bool:
    by_id = not delivery.event_ids or event["id"] in delivery.event_ids
    return by_id and (not delivery.types or event["type"] in delivery.types)


def dressed(event: Document, target: WebhookTarget, delivery: Delivery) -> Document:
    data = event["data"]
    if is_document(data):
        data = merged(data, delivery.changes if delivery.tags else {**delivery.changes, "tags": None})
    sent = {**event, "data": data, "id": short_id() if delivery.new_ids else event["id"]}
    expanded = target.expanded if delivery.expanded is None else delivery.expanded
    # The order of members varies between real events.
    return dict(reversed((sent if expanded else folded(sent)).items()))


async def post(
    http: httpx.AsyncClient, target: WebhookTarget, events: Sequence[Document], delivery: Delivery
) -> Receipt:
    body = encoded({"events": events}) if delivery.raw_body is None else delivery.raw_body.encode()
    headers = {"content-type": "application/json", "user-agent": "FS", **signature(body, target, delivery)}
    event_ids = [str(event["id"]) for event in events]
    try:
        answer = await http.post(target.url, content=body, headers=headers)
    except httpx.HTTPError as error:
        return Receipt(event_ids=event_ids, error=repr(error))
    return Receipt(event_ids=event_ids, status=answer.status_code, body=answer.text)


def signature(body: bytes, target: WebhookTarget, delivery: Delivery) -> dict[str, str]:
    if target.secret is None or delivery.signature == "missing":
        return {}
    signatures = {
        "good": signed(body, target.secret),
        "wrong": signed(body, f"not {target.secret}"),
        "other_body": signed(body + b" ", target.secret),
        "malformed": "*** no base64 ***",
    }
    return {SIGNATURE_HEADER: signatures[delivery.signature]}


def signed(body: bytes, secret: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


def acknowledged(receipt: Receipt) -> list[str]:
    """200 acknowledges every event, 202 those whose ids stand in the answer, one a line."""
    if receipt.status == HTTPStatus.OK:
        return receipt.event_ids
    return receipt.body.split() if receipt.status == HTTPStatus.ACCEPTED else []


def mark_processed(fastspring: FastSpring, event_ids: Iterable[str]) -> list[str]:
    wanted = set(event_ids)
    known = [str(event["id"]) for event in fastspring.events if event["id"] in wanted]
    fastspring.events = [
        {**event, "processed": True} if event["id"] in wanted else event for event in fastspring.events
    ]
    return known


async def send_if_automatic(fastspring: FastSpring, event: Document) -> list[Receipt]:
    target = fastspring.settings.webhook
    if target is None or not target.automatic:
        return []
    return await deliver(fastspring, Delivery(event_ids=[str(event["id"])]))
