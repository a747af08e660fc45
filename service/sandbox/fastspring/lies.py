"""Good answers of the v2 API spoiled one member at a time: each must be noticed by whoever reads them."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from service.sandbox.documents import Document, decimal_of, drop, is_document, is_list, put, read
from service.sandbox.faults import Fault
from service.sandbox.provider import Lie

LONG_AGO = "2020-01-01T00:00:00.000Z"
HOSTILE_ID = "OS1\r\nSet-Cookie: stolen=1"
FOREIGN_URL = "https://evil.example/checkout/session/OS1"
SCRIPT_URL = "javascript:alert(1)//.onfastspring.com"


def putting(path: str, value: object) -> Lie:
    return lambda document, _: put(document, path, value)


def changing(path: str, change: Callable[[object], object]) -> Lie:
    return lambda document, _: put(document, path, change(read(document, path)))


def wrong_total(document: Document, _: Fault) -> None:
    for name in ("netTotal", "withTaxNetTotal", "withoutTaxNetTotal"):
        put(document, f"cart.{name}", decimal_of(read(document, f"cart.{name}")) + Decimal("1.00"))


def missing_tag(document: Document, _: Fault) -> None:
    tags = read(document, "orderTags")
    if is_document(tags) and tags:
        tags.pop(next(iter(tags)))


def extra_warning(document: Document, fault: Fault) -> None:
    warnings = read(document, "warnings")
    if is_list(warnings):
        warnings.append({"code": fault.code, "field": "country", "message": "Not valid"})


def wrong_types(document: Document, _: Fault) -> None:
    for path, value in (("id", 17), ("expires", True), ("live", "no"), ("cart", "none"), ("checkoutUrls", 0)):
        put(document, path, value)


LIES: Mapping[str, Lie] = {
    "missing_id": lambda document, _: drop(document, "id"),
    "hostile_id": putting("id", HOSTILE_ID),
    "wrong_types": wrong_types,
    "wrong_live": changing("live", lambda live: not live),
    "wrong_quantity": changing("cart.lineItems.0.quantity", lambda quantity: decimal_of(quantity) + 1),
    "wrong_product": putting("cart.lineItems.0.productPath", "something-else"),
    "missing_item": putting("cart.lineItems", []),
    "missing_tag": missing_tag,
    "missing_tags": lambda document, _: drop(document, "orderTags"),
    "changed_tag": changing("orderTags", lambda tags: dict.fromkeys(tags, "changed") if is_document(tags) else tags),
    "unlocked": putting("cart.lineItems.0.quantityBehavior", "ALLOW"),
    "foreign_url": putting("checkoutUrls.webcheckoutUrl", FOREIGN_URL),
    "script_url": putting("checkoutUrls.webcheckoutUrl", SCRIPT_URL),
    "wrong_total": wrong_total,
    "wrong_currency": changing("currency", lambda currency: "GBP" if currency != "GBP" else "USD"),
    "wrong_country": changing("country", lambda country: "GB" if country != "GB" else "US"),
    "expired": putting("expires", LONG_AGO),
    "expired_status": putting("status", "EXPIRED"),
    "not_ready": putting("checkoutStatus", ["PRODUCTS_REQUIRED"]),
    "concluded": putting("checkoutStatus", ["CONCLUDED"]),
    "extra_warning": extra_warning,
}
