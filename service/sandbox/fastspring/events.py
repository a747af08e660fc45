"""The events of an order, as webhooks carry them."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from msgspec import UNSET

from service.sandbox.clock import epoch_milliseconds
from service.sandbox.documents import Document, is_document, is_list, read
from service.sandbox.fastspring.answers import line_document, with_displays
from service.sandbox.fastspring.pricing import Line
from service.sandbox.fastspring.sessions import CheckoutSession, Order, short_id

WIRE_TRANSFER_WINDOW = timedelta(days=13)


def event_of(kind: str, session: CheckoutSession, order: Order, now: datetime) -> Document:
    """`data` is expanded here; `folded` turns it into the form with expansion off."""
    return {
        "id": short_id(),
        "type": kind,
        "live": session.applied.live,
        "created": epoch_milliseconds(now),
        "processed": False,
        "data": DATA.get(kind, order_data)(kind, session, order, now),
    }


def order_data(kind: str, session: CheckoutSession, order: Order, now: datetime) -> Document:
    customer = contact_of(session)
    return {
        "order": order.id,
        "id": order.id,
        "reference": order.reference,
        "buyerReference": None,
        "ipAddress": None if session.request.buyer_ip is UNSET else session.request.buyer_ip,
        "completed": kind == "order.completed",
        "changed": epoch_milliseconds(now),
        "language": session.applied.locale,
        "live": session.applied.live,
        "currency": session.applied.currency,
        "payoutCurrency": "USD",
        "quote": None,
        "invoiceUrl": None,
        "siteId": session.store,
        "account": account_of(session, customer),
        **amounts(session),
        "payment": {"type": order.payment_method.lower()},
        "customer": customer,
        "address": {"country": session.applied.country},
        "recipients": [{"recipient": customer}],
        "notes": [],
        "items": [item_data(line, session) for line in session.cart.lines],
        **tags_of(session),
        **(EXTRAS[kind](now) if kind in EXTRAS else {}),
    }


def return_data(kind: str, session: CheckoutSession, order: Order, now: datetime) -> Document:
    """A return is a thing of its own that names its order under `original`."""
    data = order_data(kind, session, order, now)
    original = {name: data[name] for name in ("order", "id", "reference", "account", "currency", "total")}
    return {**data, "return": short_id(), "id": short_id(), "original": original, "reason": "BUYER_REQUEST"}


DATA: Mapping[str, Callable[[str, CheckoutSession, Order, datetime], Document]] = {"return.created": return_data}
EXTRAS: Mapping[str, Callable[[datetime], Document]] = {
    "order.payment.pending": lambda now: {
        "reason": "PAYMENT_PENDING",
        "paymentDueDate": epoch_milliseconds(now + WIRE_TRANSFER_WINDOW),
    },
    "order.canceled": lambda _: {"reason": "EXPIRE"},
}


def amounts(session: CheckoutSession) -> Document:
    cart = session.cart
    tax = cart.tax_total
    listed = cart.tax.without_tax(cart.list_total, cart.tax.part_of(cart.list_total))
    net = cart.tax.without_tax(cart.net_total, tax)
    figures = {"total": cart.to_pay, "tax": tax, "subtotal": listed, "discount": listed - net}
    return with_displays(figures, session.applied)


def contact_of(session: CheckoutSession) -> Document:
    contact = session.request.customer.bill_to_contact
    if contact is UNSET:
        return {}
    members = {
        "first": contact.first_name,
        "last": contact.last_name,
        "email": contact.email,
        "company": contact.company,
        "phone": contact.phone_number,
    }
    return {name: value for name, value in members.items() if value is not UNSET}


def account_of(session: CheckoutSession, contact: Document) -> Document:
    return {
        "id": session.account,
        "account": session.account,
        "contact": contact,
        "language": session.applied.locale,
        "country": session.applied.country,
    }


def item_data(line: Line, session: CheckoutSession) -> Document:
    document = line_document(line, session.applied)
    discount = (line.unit_product_discount + line.unit_coupon_discount) * line.item.quantity
    coupon = session.request.cart.coupon_code
    return {
        "product": {"product": line.item.product_path, "display": document["descriptions"]},
        "quantity": line.item.quantity,
        "sku": None,
        **with_displays({"subtotal": line.extended_net, "discount": discount}, session.applied),
        "attributes": {} if line.item.attributes is UNSET else line.item.attributes,
        **({"coupon": coupon} if session.applied.coupon_percent is not None else {}),
    }


def tags_of(session: CheckoutSession) -> Document:
    return {"tags": session.request.order_tags} if session.request.order_tags else {}


def folded(event: Document) -> Document:
    """With expansion off, account and products are id strings."""
    data = event["data"]
    if not is_document(data):
        return event
    items = data.get("items")
    lines = [folded_item(item) for item in items] if is_list(items) else items
    return {**event, "data": {**data, "account": read(data, "account.id"), "items": lines}}


def folded_item(item: object) -> object:
    return {**item, "product": read(item, "product.product")} if is_document(item) else item
