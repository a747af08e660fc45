"""An order as the API shows it."""

from typing import Literal

from msgspec import Struct

from service.sandbox.documents import Document
from service.sandbox.paynow.checkouts import Checkout, CheckoutLine

OrderStatus = Literal["created", "completed", "canceled", "refunded", "chargeback"]
PRETTY_LENGTH = 10


class Order(Struct, frozen=True, kw_only=True):
    """Made when the first payment is tried; `payment_id` names the payment in the events."""

    id: str
    payment_id: str
    checkout: Checkout
    currency: str
    created_at: str
    status: OrderStatus = "created"
    completed_at: str | None = None

    @property
    def pretty_id(self) -> str:
        return f"pn-{self.id[-PRETTY_LENGTH:]}"

    @property
    def amounts(self) -> Document:
        """Prices include their tax, which is none."""
        subtotal, discount = self.checkout.subtotal, self.checkout.discount
        return {
            "discount_amount": discount,
            "subtotal_amount": subtotal,
            "tax_amount": 0,
            "total_amount": subtotal - discount,
            "giftcard_usage_amount": 0,
        }


def order_document(order: Order) -> Document:
    checkout = order.checkout
    return {
        "id": order.id,
        "pretty_id": order.pretty_id,
        "store_id": checkout.store_id,
        "customer_id": checkout.request.customer_id,
        "checkout_id": checkout.id,
        "checkout_token": checkout.token,
        "status": order.status,
        "type": checkout.type,
        "is_subscription": checkout.type != "one_time",
        "billing_email": checkout.billing_email or "",
        "billing_country": checkout.country or "",
        "customer_ip": checkout.ip or "",
        "currency": order.currency,
        **order.amounts,
        "created_at": order.created_at,
        "completed_at": order.completed_at,
        "lines": [line_document(line) for line in checkout.lines],
    }


def line_document(line: CheckoutLine) -> Document:
    return {
        "id": line.id,
        "checkout_line_id": line.id,
        "product_id": line.product_id,
        "product_name": line.name,
        "price": line.price,
        "quantity": line.request.quantity,
        "subtotal_amount": line.subtotal,
    }
