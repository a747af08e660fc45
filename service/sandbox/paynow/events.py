"""The events of an order, as webhooks carry them."""

from collections.abc import Callable, Mapping

from service.sandbox.clock import iso_milliseconds
from service.sandbox.documents import Document
from service.sandbox.paynow.account import PayNow
from service.sandbox.paynow.checkouts import Checkout
from service.sandbox.paynow.orders import Order, order_document


def event_of(paynow: PayNow, kind: str, order: Order) -> Document:
    body = BODIES.get(kind, payment_body)(order)
    if kind in EXTRAS:
        body |= EXTRAS[kind](paynow)
    return {"event_type": kind, "event_id": paynow.new_id(), "body": body}


def order_body(order: Order) -> Document:
    """The only event of an order that names its checkout, with the metadata that it was made with."""
    return {
        **order_document(order),
        "customer": {"id": order.checkout.request.customer_id},
        "checkout": checkout_body(order.checkout),
    }


def checkout_body(checkout: Checkout) -> Document:
    lines = [
        {"id": line.id, "product_id": line.product_id, "metadata": line.request.metadata or {}}
        for line in checkout.lines
    ]
    return {"id": checkout.id, "metadata": checkout.request.metadata or {}, "lines": lines}


def subscription_body(order: Order) -> Document:
    checkout = order.checkout
    line = next(line for line in checkout.lines if line.request.subscription)
    return {
        "id": line.id,
        "store_id": checkout.store_id,
        "customer_id": checkout.request.customer_id,
        "checkout_id": checkout.id,
        "checkout_line_id": line.id,
        "checkout": checkout_body(checkout),
        "product_id": line.product_id,
        "currency": order.currency,
        "total_amount": line.subtotal,
        "status": "active",
    }


def payment_body(order: Order) -> Document:
    """A payment names its order, and nothing of the checkout."""
    amounts = order.amounts
    return {
        "id": order.payment_id,
        "store_id": order.checkout.store_id,
        "order_id": order.id,
        "gateway": "sandbox",
        "currency": order.currency,
        "tax_inclusive": True,
        "amount": amounts["total_amount"],
        "tax_amount": amounts["tax_amount"],
        "status": "completed",
    }


BODIES: Mapping[str, Callable[[Order], Document]] = {
    "ON_ORDER_COMPLETED": order_body,
    "ON_SUBSCRIPTION_ACTIVATED": subscription_body,
}
EXTRAS: Mapping[str, Callable[[PayNow], Document]] = {
    "ON_PAYMENT_FAILED": lambda _: {"status": "failed", "failure_code": "card_declined"},
    "ON_REFUND": lambda _: {"status": "completed"},
    "ON_CHARGEBACK": lambda paynow: {
        "status": "chargeback",
        "chargeback_status": "open",
        "chargeback_at": iso_milliseconds(paynow.now),
    },
    "ON_CHARGEBACK_CLOSED": lambda _: {"status": "chargeback", "chargeback_status": "lost"},
}
