"""Reads a request strictly: JSON, then the documented schema, then the rules that a schema cannot say."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from service.sandbox.documents import Document, decimal_of, is_document, read
from service.sandbox.fastspring.wire import (
    Customer,
    CustomPrice,
    Discount,
    Item,
    SessionRequest,
)
from service.sandbox.money import exchanged
from service.sandbox.refusal import RefusalError, bad_field

WireT = TypeVar("WireT")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
LARGEST_TAGS_CHARACTERS = 4000
SMALLEST_EDS_FEE_DOLLARS = Decimal("1.50")
DECIMAL_PLACES = 2


def document_of(body: bytes) -> Document:
    try:
        document: object = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise RefusalError(HTTPStatus.BAD_REQUEST, "Malformed JSON request") from error
    if not is_document(document):
        raise RefusalError(HTTPStatus.BAD_REQUEST, "A JSON object is required")
    return document


def converted(document: Document, kind: type[WireT]) -> WireT:
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise refusal_of(str(error), document) from error


def refusal_of(text: str, document: Document) -> RefusalError:
    """msgspec names one fault, as `Expected ... - at `$.cart.lineItems[0].quantity``."""
    message, _, path = text.partition(" - at ")
    field = re.sub(r"\[(\d+)\]", r".\1", path.rpartition("$")[2].strip("`.")).lstrip(".")
    unknown = re.search(r"unknown field `(.*)`", message)
    if unknown:
        field = f"{field}.{unknown[1]}".lstrip(".")
    code = "UNKNOWN_FIELD" if unknown else "INVALID_VALUE"
    return bad_field(with_brackets(field), message, code=code, value=read(document, field))


def with_brackets(field: str) -> str:
    return re.sub(r"\.(\d+)", r"[\1]", field)


def session_request(document: Document) -> SessionRequest:
    request = converted(document, SessionRequest)
    check_customer(request.customer, "customer")
    check_tags(request.order_tags, "orderTags")
    paths = [item.product_path for item in request.cart.line_items]
    for index, item in enumerate(request.cart.line_items):
        if item.product_path in paths[:index]:
            raise bad_field(f"cart.lineItems[{index}].productPath", "Item exists", value=item.product_path)
        check_item(item, f"cart.lineItems[{index}].")
    return request


def check_customer(customer: Customer, field: str) -> None:
    contacts = {"billToContact": customer.bill_to_contact, "shipToContact": customer.ship_to_contact}
    for name, contact in contacts.items():
        if contact is not UNSET and contact.email is not UNSET:
            check_email(contact.email, f"{field}.{name}.email")


def check_email(email: str, field: str) -> None:
    if not EMAIL.fullmatch(email):
        raise bad_field(field, "Invalid email format", code="INVALID_EMAIL_FORMAT", value=email)


def check_tags(tags: Mapping[str, str] | UnsetType, field: str) -> None:
    if tags is not UNSET and sum(len(key) + len(value) for key, value in tags.items()) > LARGEST_TAGS_CHARACTERS:
        raise bad_field(field, f"Tags may have {LARGEST_TAGS_CHARACTERS} characters in total")


def check_item(item: Item, prefix: str) -> None:
    check_tags(item.attributes, f"{prefix}attributes")
    if item.custom_price is not UNSET:
        check_price_maps(item.custom_price, f"{prefix}customPrice")
        check_discounts(item.custom_price.discounts, f"{prefix}customPrice.discounts")
        check_eds_fee(item.custom_price.eds_fee, f"{prefix}customPrice.edsFee")


def check_price_maps(price: CustomPrice, field: str) -> None:
    maps = [price.unit_price, price.setup_fee, price.shipping_fee, price.eds_fee]
    maps += [] if price.discounts is UNSET else [discount.amount_discount for discount in price.discounts]
    amounts = [decimal_of(amount) for prices in maps if prices is not UNSET for amount in prices.values()]
    if any(places(amount) > DECIMAL_PLACES for amount in amounts):
        raise bad_field(field, "Amounts have at most 2 decimals")


def places(amount: Decimal) -> int:
    exponent = amount.normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) else DECIMAL_PLACES + 1


def check_discounts(discounts: Iterable[Discount] | UnsetType, field: str) -> None:
    tiers = [] if discounts is UNSET else list(discounts)
    if len({tier.min_quantity for tier in tiers}) < len(tiers):
        raise bad_field(field, "Discount tiers must not overlap")
    if any((tier.amount_discount is UNSET) == (tier.percent_discount is UNSET) for tier in tiers):
        raise bad_field(field, "A discount is either an amount or a percentage")


def check_eds_fee(fee: Mapping[str, float] | UnsetType, field: str) -> None:
    if fee is UNSET:
        return
    for currency, amount in fee.items():
        if exchanged(decimal_of(amount), currency, "USD") <= SMALLEST_EDS_FEE_DOLLARS:
            raise bad_field(field, "The fee must exceed USD 1.50", value=amount)
