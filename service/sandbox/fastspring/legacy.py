"""The v1 request: its strict schema, and the same wishes in the words of v2."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from service.sandbox.documents import Document, decimal_of, is_document
from service.sandbox.fastspring import wire
from service.sandbox.fastspring.validation import DECIMAL_PLACES, check_email, check_tags, converted, places
from service.sandbox.fastspring.wire import Count, PriceMap, Text50, Text255, Wire
from service.sandbox.refusal import RefusalError

ACCOUNT_UNKNOWN = "account not found"
FROM_ONE = re.compile("[1-9][0-9]{0,8}")


class Contact(Wire, frozen=True):
    first: Text50 | UnsetType = UNSET
    last: Text50 | UnsetType = UNSET
    email: Text255 | UnsetType = UNSET
    company: Text255 | UnsetType = UNSET
    phone: Text255 | UnsetType = UNSET
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")] | UnsetType = UNSET
    language: Annotated[str, Meta(pattern="^[a-z]{2}$")] | UnsetType = UNSET


class Lookup(Wire, frozen=True):
    custom: Annotated[str, Meta(min_length=4, pattern="^[A-Za-z0-9_-]+$")]


class Pricing(Wire, frozen=True):
    price: PriceMap | UnsetType = UNSET
    trial: Count | UnsetType = UNSET
    payment_collected: bool | UnsetType = UNSET
    paid_trial: bool = False
    trial_price: PriceMap | UnsetType = UNSET
    renew: Literal["auto", "manual", "opt-auto", "opt-manual"] | UnsetType = UNSET
    interval: Literal["adhoc", "day", "week", "month", "year"] | UnsetType = UNSET
    interval_length: Count | UnsetType = UNSET
    quantity_behavior: Literal["allow", "lock", "hide"] | UnsetType = UNSET
    quantity_default: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    discount_type: Literal["percent", "amount"] | UnsetType = UNSET
    discount_duration: Count | UnsetType = UNSET
    quantity_discounts: dict[str, Annotated[int, Meta(ge=0, le=100)] | PriceMap] | UnsetType = UNSET


class Item(Wire, frozen=True):
    product: Annotated[str, Meta(min_length=1, max_length=256)]
    quantity: Annotated[int, Meta(ge=1)] = 1
    attributes: dict[str, str] | UnsetType = UNSET
    pricing: Pricing = Pricing()


class LegacyRequest(Wire, frozen=True):
    items: Annotated[list[Item], Meta(min_length=1)]
    account: Annotated[str, Meta(max_length=64)] | UnsetType = UNSET
    contact: Contact | UnsetType = UNSET
    language: Annotated[str, Meta(pattern="^[a-z]{2}$")] | UnsetType = UNSET
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")] | UnsetType = UNSET
    lookup: Lookup | UnsetType = UNSET
    tags: dict[str, str] | UnsetType = UNSET
    coupon: str | UnsetType = UNSET
    expiration: Annotated[int, Meta(ge=1, le=7)] = 1


def legacy_request(document: Document) -> LegacyRequest:
    request = converted(document, LegacyRequest)
    check_tags(request.tags, "tags")
    if (request.account is UNSET) == (request.contact is UNSET):
        raise refused("account or contact required")
    if request.contact is not UNSET:
        check_contact(request.contact)
    products = [item.product for item in request.items]
    if len(set(products)) < len(products):
        raise refused("Item exists.")
    for index, item in enumerate(request.items):
        check_tags(item.attributes, f"items[{index}].attributes")
        check_pricing(item.pricing)
    return request


def check_contact(contact: Contact) -> None:
    if contact.email is UNSET:
        raise refused("contact.email required")
    check_email(contact.email, "contact.email")


def refused(message: str, shape: str = "") -> RefusalError:
    return RefusalError(HTTPStatus.BAD_REQUEST, message, shape=shape)


def check_pricing(pricing: Pricing) -> None:
    if pricing.paid_trial and pricing.trial_price is UNSET:
        raise refused("trialPrice required")
    if pricing.interval not in (UNSET, "adhoc") and pricing.interval_length is UNSET:
        raise refused("intervalLength required")
    check_discounts(pricing)
    check_amounts(pricing)


def check_discounts(pricing: Pricing) -> None:
    discounts = {} if pricing.quantity_discounts is UNSET else pricing.quantity_discounts
    is_percent = pricing.discount_type == "percent"
    if any(not FROM_ONE.fullmatch(key) or isinstance(value, int) != is_percent for key, value in discounts.items()):
        raise refused("quantityDiscounts invalid")


def check_amounts(pricing: Pricing) -> None:
    discounts = {} if pricing.quantity_discounts is UNSET else pricing.quantity_discounts
    maps = [prices for prices in (pricing.price, pricing.trial_price, *discounts.values()) if is_document(prices)]
    if any(places(decimal_of(amount)) > DECIMAL_PLACES for prices in maps for amount in prices.values()):
        raise refused("Amounts have at most 2 decimals")


def translated(request: LegacyRequest, registered_country: str | None) -> wire.SessionRequest:
    """`registered_country`: of an account that is known, which wins over the country that is sent."""
    contact = request.contact or Contact()
    return wire.SessionRequest(
        locale=contact.language or request.language,
        country=registered_country or contact.country or request.country,
        customer=wire.Customer(account_id=request.account, bill_to_contact=translated_contact(contact)),
        order_tags=request.tags,
        cart=wire.CartRequest(coupon_code=request.coupon, line_items=[translated_item(item) for item in request.items]),
    )


def translated_contact(contact: Contact) -> wire.Contact:
    return wire.Contact(
        email=contact.email,
        first_name=contact.first,
        last_name=contact.last,
        company=contact.company,
        phone_number=contact.phone,
    )


def translated_item(item: Item) -> wire.Item:
    return wire.Item(
        product_path=item.product,
        quantity=item.quantity,
        quantity_behavior=QUANTITY_BEHAVIORS.get(item.pricing.quantity_behavior or "", UNSET),
        attributes=item.attributes,
        custom_price=wire.CustomPrice(
            unit_price=item.pricing.price, discounts=translated_discounts(item.pricing.quantity_discounts)
        ),
    )


QUANTITY_BEHAVIORS: Mapping[str, Literal["ALLOW", "LOCK", "HIDE"]] = {
    "allow": "ALLOW",
    "lock": "LOCK",
    "hide": "HIDE",
}


def translated_discounts(discounts: Mapping[str, int | PriceMap] | UnsetType) -> list[wire.Discount]:
    if discounts is UNSET:
        return []
    return [
        wire.Discount(min_quantity=int(quantity), percent_discount=discount)
        if isinstance(discount, int)
        else wire.Discount(min_quantity=int(quantity), amount_discount=discount)
        for quantity, discount in discounts.items()
    ]
