"""A request and its quote become one; pure.

A quote outranks the browser that carries it, a caller outranks a quote. Tags and attributes merge by name, lists are
replaced.
"""

from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from service.checkout.enrichment import primary_tag
from service.checkout.errors import CartNotAllowedError, FieldError, member_of
from service.checkout.models import Item, OrderRequest

_SAID_OF_THE_REQUEST = frozenset({"checkout", "quote", "challenge", "fresh"})
_FIELDS = tuple(name for name in OrderRequest.__struct_fields__ if name not in _SAID_OF_THE_REQUEST)
S = TypeVar("S", bound=Struct)


def under_caller(caller: OrderRequest, quoted: OrderRequest) -> OrderRequest:
    """A caller's request with what its quote adds."""
    changes: dict[str, object] = {}
    for name in _FIELDS:
        own, added = getattr(caller, name), getattr(quoted, name)
        if own is None or (name == "items" and not own):
            changes[name] = added
        elif isinstance(own, dict) and added:
            changes[name] = added | own
        elif name == "items":
            changes[name] = tuple(_with_attributes(item, quoted.items) for item in own)
    return replace(caller, quote=None, **changes)


def _with_attributes(item: Item, quoted: tuple[Item, ...]) -> Item:
    attributes = next((one.attributes for one in quoted if one.product == item.product), None)
    return replace(item, attributes=attributes | (item.attributes or {})) if attributes else item


def over_browser(browser: OrderRequest, quoted: OrderRequest) -> OrderRequest:
    """A browser's request with what its quote adds; what the quote does not name is the browser's.

    Raises:
        CartNotAllowedError: the browser contradicts its quote, or adds a code to its prices; names each such field.
    """
    _refuse_codes(browser, quoted)
    contradictions: list[str] = []
    changes = {
        name: _joined(getattr(browser, name), getattr(quoted, name), spelled, contradictions)
        for name, spelled in zip(OrderRequest.__struct_fields__, OrderRequest.__struct_encode_fields__, strict=True)
        if name in _FIELDS and name != "items"
    }
    items = _joined_items(browser.items, quoted.items, contradictions)
    if contradictions:
        detail = "The quote says something else: leave it out."
        errors = tuple(FieldError(field=field, detail=detail) for field in contradictions)
        raise CartNotAllowedError("The request contradicts its quote.", errors=errors)
    return replace(browser, quote=None, items=items, **changes)


def _refuse_codes(browser: OrderRequest, quoted: OrderRequest) -> None:
    """A quoted price is what its buyer pays: a code that the quote does not carry would make it another one."""
    if not any(item.pricing or item.inline_product for item in quoted.items):
        return
    codes = {"coupon": (browser.coupon, quoted.coupon), "promoCodes": (browser.promo_codes, quoted.promo_codes)}
    detail = "The quote sets prices, which no code may change: leave it out."
    errors = tuple(
        FieldError(field=field, detail=detail) for field, (own, carried) in codes.items() if own and not carried
    )
    if errors:
        raise CartNotAllowedError("The request adds a code to quoted prices.", errors=errors)


def _joined_items(own: tuple[Item, ...], quoted: tuple[Item, ...], contradictions: list[str]) -> tuple[Item, ...]:
    if not own or not quoted:
        return own or quoted
    by_product = {item.product: item for item in own}
    if len(own) != len(quoted) or by_product.keys() != {item.product for item in quoted}:
        contradictions.append("items")
        return quoted
    places = {item.product: f"items[{index}]" for index, item in enumerate(own)}
    return tuple(
        _joined_struct(by_product[item.product], item, places[item.product], contradictions) for item in quoted
    )


def _joined(own: object, quoted: object, path: str, contradictions: list[str]) -> object:
    if own is None or quoted is None:
        return own if quoted is None else quoted
    if isinstance(own, Struct) and isinstance(quoted, Struct):
        return _joined_struct(own, quoted, path, contradictions)
    if isinstance(own, dict) and isinstance(quoted, dict):
        other = [name for name, value in own.items() if quoted.get(name, value) != value]
        contradictions += [member_of(path, name) for name in other]
        return own | quoted
    if not _says_the_same(own, quoted, path):
        contradictions.append(path)
    return quoted


def _joined_struct(own: S, quoted: S, path: str, contradictions: list[str]) -> S:
    members = zip(own.__struct_fields__, own.__struct_encode_fields__, strict=True)
    changes = {
        name: _joined(getattr(own, name), getattr(quoted, name), f"{path}.{spelled}", contradictions)
        for name, spelled in members
    }
    return replace(quoted, **changes)


def _says_the_same(own: object, quoted: object, path: str) -> bool:
    if path == "country":
        return str(own).upper() == str(quoted).upper()
    if path == "language":
        return primary_tag(str(own)) == primary_tag(str(quoted))
    return own == quoted
