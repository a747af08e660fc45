"""A checkout session as it is remembered, and the order that came of it."""

import secrets
import string
from datetime import datetime
from enum import StrEnum

from msgspec import UNSET, Struct

from service.sandbox.fastspring.applied import Applied
from service.sandbox.fastspring.pricing import Cart
from service.sandbox.fastspring.wire import SessionRequest

ID_DIGITS = 9
ID_LETTERS = 3


class SessionStatus(StrEnum):
    OPEN = "OPEN"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"
    PENDING_ORDER = "PENDING_ORDER"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


class Order(Struct, frozen=True, kw_only=True):
    id: str
    reference: str
    payment_method: str


class CheckoutSession(Struct, frozen=True, kw_only=True):
    """`ended` is what a payment made of it; expiry follows from the clock."""

    id: str
    store: str
    checkout: str
    url: str
    created: datetime
    expires: datetime
    request: SessionRequest
    applied: Applied
    cart: Cart
    account: str
    ended: SessionStatus | None = None
    order: Order | None = None

    def status(self, now: datetime) -> SessionStatus:
        if self.ended:
            return self.ended
        return SessionStatus.EXPIRED if now >= self.expires else SessionStatus.OPEN

    @property
    def checkout_status(self) -> str:
        if self.ended:
            return "CONCLUDED"
        return "READY_FOR_CHECKOUT" if self.cart.lines else "PRODUCTS_REQUIRED"

    @property
    def email(self) -> str | None:
        contact = self.request.customer.bill_to_contact
        return None if contact is UNSET or contact.email is UNSET else contact.email


def dated_id(prefix: str, now: datetime) -> str:
    """Two letters, 15 digits that begin with the date, three letters."""
    digits = str(secrets.randbelow(10**ID_DIGITS)).zfill(ID_DIGITS)
    letters = "".join(secrets.choice(string.ascii_uppercase) for _ in range(ID_LETTERS))
    return f"{prefix}{now:%y%m%d}{digits}{letters}"


def short_id() -> str:
    """22 characters of URL-safe base64, as v1 sessions, orders and accounts have."""
    return secrets.token_urlsafe(16)


def order_reference(store: str, now: datetime) -> str:
    return f"{store.upper()}{now:%y%m%d}-{secrets.randbelow(10_000):04}-{secrets.randbelow(100_000):05}"
