"""A payment, played: what it makes of the order, and the events that tell of it."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Literal

from msgspec import Struct, structs

from service.sandbox.clock import iso_milliseconds
from service.sandbox.documents import Document, is_document, merged
from service.sandbox.paynow.account import PayNow, keep
from service.sandbox.paynow.checkouts import Checkout
from service.sandbox.paynow.events import event_of
from service.sandbox.paynow.orders import Order, OrderStatus
from service.sandbox.refusal import RefusalError

Outcome = Literal["paid", "pending", "failed", "canceled", "refunded", "charged_back", "chargeback_closed"]
# From which states of an order an outcome is possible, and what it makes of it.
STEPS: Mapping[Outcome, tuple[tuple[OrderStatus, ...], OrderStatus]] = {
    "paid": (("created",), "completed"),
    "pending": (("created",), "created"),
    "failed": (("created",), "created"),
    "canceled": (("created",), "canceled"),
    "refunded": (("completed",), "refunded"),
    "charged_back": (("completed",), "chargeback"),
    "chargeback_closed": (("chargeback",), "chargeback"),
}
EVENT_TYPES: Mapping[Outcome, tuple[str, ...]] = {
    "paid": ("ON_ORDER_COMPLETED", "ON_PAYMENT_COMPLETED"),
    "pending": (),
    "failed": ("ON_PAYMENT_FAILED",),
    "canceled": (),
    "refunded": ("ON_REFUND",),
    "charged_back": ("ON_CHARGEBACK",),
    "chargeback_closed": ("ON_CHARGEBACK_CLOSED",),
}


class Payment(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """`changes` is a merge patch for the body of each event; `send` posts the events where somebody listens."""

    outcome: Outcome = "paid"
    changes: Document = {}
    send: bool = True


def pay(paynow: PayNow, checkout: Checkout, payment: Payment) -> tuple[Order, list[Document]]:
    order = paynow.order_by_checkout.get(checkout.id) or new_order(paynow, checkout)
    possible_from, status = STEPS[payment.outcome]
    if order.status not in possible_from:
        raise RefusalError(HTTPStatus.CONFLICT, f"The order is {order.status}")
    completed_at = iso_milliseconds(paynow.now) if payment.outcome == "paid" else order.completed_at
    changed = structs.replace(order, status=status, completed_at=completed_at)
    keep(paynow.order_by_checkout, checkout.id, changed)
    events = [altered(event_of(paynow, kind, changed), payment.changes) for kind in event_types(checkout, payment)]
    paynow.events.extend(events)
    return changed, events


def new_order(paynow: PayNow, checkout: Checkout) -> Order:
    return Order(
        id=paynow.new_id(),
        payment_id=paynow.new_id(),
        checkout=checkout,
        currency=paynow.settings.currency,
        created_at=iso_milliseconds(paynow.now),
    )


def event_types(checkout: Checkout, payment: Payment) -> list[str]:
    activates = payment.outcome == "paid" and checkout.type != "one_time"
    return [*EVENT_TYPES[payment.outcome], *(["ON_SUBSCRIPTION_ACTIVATED"] if activates else [])]


def altered(event: Document, changes: Document) -> Document:
    body = event["body"]
    return {**event, "body": merged(body, changes)} if is_document(body) else event
