"""A payment, played: what it makes of the session, and the event that tells of it."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Literal

from msgspec import Struct, structs

from service.sandbox.documents import Document, is_document, merged
from service.sandbox.fastspring.account import FastSpring
from service.sandbox.fastspring.events import event_of
from service.sandbox.fastspring.sessions import (
    CheckoutSession,
    Order,
    SessionStatus,
    order_reference,
    short_id,
)
from service.sandbox.refusal import RefusalError

Outcome = Literal["paid", "pending", "failed", "failed_for_good", "canceled", "refunded", "charged_back"]
EVENT_TYPES: Mapping[Outcome, str] = {
    "paid": "order.completed",
    "pending": "order.payment.pending",
    "failed": "order.failed",
    "failed_for_good": "order.failed",
    "canceled": "order.canceled",
    "refunded": "return.created",
    "charged_back": "order.chargeback",
}
# A failed payment leaves the session open, as the buyer may try again; FAILED is documented, but not when it comes.
ENDINGS: Mapping[Outcome, SessionStatus | None] = {
    "paid": SessionStatus.COMPLETED,
    "pending": SessionStatus.PENDING_ORDER,
    "failed": None,
    "failed_for_good": SessionStatus.FAILED,
    "canceled": SessionStatus.CANCELLED,
    "refunded": SessionStatus.COMPLETED,
    "charged_back": SessionStatus.COMPLETED,
}
GIVING_BACK: tuple[Outcome, ...] = ("refunded", "charged_back")
FAILING: tuple[Outcome, ...] = ("failed", "failed_for_good")


class Payment(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """`changes` is a merge patch for the event's data; `send` posts the event where a target is set."""

    outcome: Outcome = "paid"
    method: str = "CARD"
    changes: Document = {}
    send: bool = True


def pay(fastspring: FastSpring, session: CheckoutSession, payment: Payment) -> tuple[CheckoutSession, Document]:
    """Takes late payments too: a wire transfer may arrive when the session is long expired."""
    require_possible(session, payment)
    order = session.order or Order(
        id=short_id(), reference=order_reference(session.store, fastspring.now), payment_method=payment.method
    )
    paid = structs.replace(session, ended=ENDINGS[payment.outcome], order=order)
    event = event_of(EVENT_TYPES[payment.outcome], paid, order, fastspring.now)
    data = event["data"]
    changed = {**event, "data": merged(data if is_document(data) else {}, payment.changes)}
    fastspring.events.append(changed)
    kept = structs.replace(paid, order=None) if payment.outcome in FAILING else paid
    return fastspring.keep(kept), changed


def require_possible(session: CheckoutSession, payment: Payment) -> None:
    is_paid = session.ended is SessionStatus.COMPLETED
    if is_paid != (payment.outcome in GIVING_BACK):
        raise RefusalError(HTTPStatus.CONFLICT, "Session is paid" if is_paid else "Session is not paid")
    if not session.cart.lines:
        raise RefusalError(HTTPStatus.CONFLICT, "Session has no products")
