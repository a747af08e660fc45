"""A checkout as it is remembered, and what it costs."""

import secrets
import string
from datetime import datetime

from msgspec import UNSET, Struct

from service.sandbox.paynow.management import ManagementLine, ManagementRequest

TOKEN_LENGTH = 28
PERCENT = 100


class CheckoutLine(Struct, frozen=True, kw_only=True):
    """`price` of one, in the smallest unit; an inline product gets an id for this checkout alone."""

    id: str
    product_id: str
    name: str
    price: int
    request: ManagementLine

    @property
    def subtotal(self) -> int:
        return self.price * self.request.quantity


class Checkout(Struct, frozen=True, kw_only=True):
    """`ip` and `country` are those that a storefront call named; `discount_percent` is that of its coupons."""

    id: str
    token: str
    url: str
    store_id: str
    created: datetime
    request: ManagementRequest
    lines: tuple[CheckoutLine, ...]
    discount_percent: int = 0
    affiliate_code: str | None = None
    ip: str | None = None
    country: str | None = None

    @property
    def subtotal(self) -> int:
        return sum(line.subtotal for line in self.lines)

    @property
    def discount(self) -> int:
        return self.subtotal * self.discount_percent // PERCENT

    @property
    def billing_email(self) -> str | None:
        details = self.request.customer_details
        return None if details is UNSET else details.billing_email

    @property
    def type(self) -> str:
        subscribed = {bool(line.request.subscription) for line in self.lines}
        return "mixed" if len(subscribed) > 1 else "subscription_initial" if subscribed == {True} else "one_time"


def checkout_token() -> str:
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(TOKEN_LENGTH))
