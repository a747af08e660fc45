"""Is the provider's answer what was asked for? Runs before anything is handed to a buyer; pure.

A success status proves nothing: the provider may have switched the mode, ignored an input, emptied the cart or dropped
a tag, and says so only in the body.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from service.checkout.errors import FieldError, UpstreamMismatchError, member_of
from service.checkout.models import Item, Order, ProviderSession
from service.checkout.money import decimal_text
from service.config.types import is_loopback_host

# One grammar and no second opinion: no userinfo, no backslash, no encoded or non-ASCII host, no white space.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?(?:[/?#][!-\[\]-~]*)?"
)


class Expectations(Struct, frozen=True, kw_only=True):
    """What a checkout demands of an answer beyond the order itself.

    `hosts` are the names a checkout URL may have, `.example.com` meaning every name below it; `loopback` allows plain
    http to this machine, for sandboxes.
    """

    hosts: tuple[str, ...]
    loopback: bool = False
    accept_warnings: tuple[str, ...] = ()


def accept(
    order: Order,
    session: ProviderSession,
    expected: Expectations,
    *,
    expires_after: datetime,
    currency: str | None = None,
) -> None:
    """Pass a session that is what was asked for. A member that the provider does not give is not compared.

    `currency` is that of a quote which names one.

    Raises:
        UpstreamMismatchError: names each difference by field; holds no text of the provider.
    """
    differences = [
        *_session_differences(order, session, expected, expires_after),
        *_currency_differences(session, currency),
        *_cart_differences(order, session),
        *_warning_differences(session, expected),
    ]
    if differences:
        errors = tuple(FieldError(field=field, detail=detail) for field, detail in differences)
        raise UpstreamMismatchError("The provider's session is not what was asked for.", errors=errors)


def _session_differences(
    order: Order, session: ProviderSession, expected: Expectations, expires_after: datetime
) -> Iterator[tuple[str, str]]:
    if not session.payable:
        yield "state", "The session cannot be paid."
    if session.live is not None and session.live != order.live:
        yield "live", "The session is in the other mode."
    if session.expires_at <= expires_after:
        yield "expiresAt", "The session is over, or too close to it."
    if not is_expected_url(session.checkout_url, expected):
        yield "checkoutUrl", "The checkout address is not the provider's."
    if session.tags is not None:
        for name, value in (order.order_tags or {}).items():
            if session.tags.get(name) != value:
                yield member_of("orderTags", name), "The tag was not taken over."


def _currency_differences(session: ProviderSession, currency: str | None) -> Iterator[tuple[str, str]]:
    if currency and session.currency and session.currency != currency:
        yield "currency", "The currency is not that of the quote."


def is_expected_url(url: str, expected: Expectations) -> bool:
    """Whether a checkout address is https on one of the expected hosts (or this machine, for a sandbox)."""
    parsed = _URL.fullmatch(url)
    if parsed is None:
        return False
    scheme, host = parsed["scheme"], parsed["host"].lower()
    if scheme == "https":
        for name in expected.hosts:
            if host == name or (name.startswith(".") and host.endswith(name)):
                return True
    return expected.loopback and is_loopback_host(host)


def _cart_differences(order: Order, session: ProviderSession) -> Iterator[tuple[str, str]]:
    if session.items is None:
        return
    taken = {item.product: item for item in session.items}
    if len(session.items) != len(order.items):
        yield "items", "The cart has another number of lines."
    for index, item in enumerate(order.items):
        answer = taken.get(item.product)
        if answer is None:
            yield f"items[{index}].product", "The product is not in the cart."
            continue
        if answer.quantity != item.quantity:
            yield f"items[{index}].quantity", "The quantity is another one."
        if _is_locked(item) and answer.locked is False:
            yield f"items[{index}].quantityBehavior", "The quantity is not locked."
    yield from _total_differences(order, session)


def _is_locked(item: Item) -> bool:
    return (item.quantity_behavior or (item.pricing and item.pricing.quantity_behavior)) == "lock"


def _total_differences(order: Order, session: ProviderSession) -> Iterator[tuple[str, str]]:
    own_total = fixed_total(order, session.currency)
    if own_total is None or session.total is None or session.currency is None:
        return
    if decimal_text(own_total, session.currency) not in {session.total.amount, session.net_total}:
        yield "total", "The total is not the sum of the fixed prices."


def fixed_total(order: Order, currency: str | None) -> Decimal | None:
    """The sum of the prices that a caller fixed; None where anything else has a say in the total.

    The store's tax mode decides whether it is the total with or without tax, so both are good.
    """
    total = Decimal(0)
    for item in order.items:
        pricing = item.pricing
        if pricing is None or pricing.price is None or currency not in pricing.price:
            return None
        if (
            order.coupon
            or pricing.discounts
            or pricing.setup_fee
            or pricing.shipping_fee
            or pricing.eds_fee
            or pricing.trial
        ):
            return None
        total += Decimal(pricing.price[currency]) * item.quantity
    return total


def _warning_differences(session: ProviderSession, expected: Expectations) -> Iterator[tuple[str, str]]:
    for warning in session.warnings:
        if warning.code not in expected.accept_warnings:
            yield warning.field or "warnings", f"The provider warned with {warning.code}."
