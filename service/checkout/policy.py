"""What a checkout allows, for browsers and callers alike; pure. Each refusal names every field at fault."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

import msgspec

from service.checkout.card_numbers import holds_card_number
from service.checkout.countries import is_country
from service.checkout.errors import (
    CartNotAllowedError,
    CountryNotAllowedError,
    FieldError,
    InvalidRequestError,
    ProductNotAllowedError,
    RestrictedFieldError,
    ReturnUrlNotAllowedError,
    member_of,
)
from service.checkout.models import Contact, Item, OrderRequest, Pricing
from service.checkout.money import exponent
from service.checkout.return_urls import is_allowed_return_url
from service.checkout.settings import BROKER_REFERENCE, CheckoutSettings


def admit(request: OrderRequest, checkout: CheckoutSettings, *, is_whole: bool = True) -> None:
    """Pass a request that the checkout's policy allows; one that is not whole may have no cart yet.

    Raises:
        RequestRefusedError: one of its children, by the first rule that is broken.
    """
    _check_reserved_names(request)
    check_card_numbers(request)
    _check_pricing(request.items)
    if is_whole:
        _check_cart(request.items, checkout)
    _check_products(request.items, checkout.products)
    _check_country(request.country, checkout.countries)
    _check_return_urls(request, checkout.return_urls)


def _check_reserved_names(request: OrderRequest) -> None:
    taken = [f"{place}.{BROKER_REFERENCE}" for place, names in _maps(request) if BROKER_REFERENCE in names]
    if taken:
        errors = tuple(FieldError(field=field, detail="This name is the service's own: remove it.") for field in taken)
        raise RestrictedFieldError("A name that only the service sets was given.", errors=errors)


def _maps(request: OrderRequest) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Every map of a request whose names the asker makes up."""
    if request.order_tags:
        yield "orderTags", request.order_tags
    if request.metadata:
        yield "metadata", request.metadata
    if request.account_tags:
        yield "accountTags", request.account_tags
    for index, item in enumerate(request.items):
        if item.attributes:
            yield f"items[{index}].attributes", item.attributes
        if item.metadata:
            yield f"items[{index}].metadata", item.metadata
        if item.custom_variables:
            yield f"items[{index}].customVariables", item.custom_variables
        if item.inline_product and item.inline_product.metadata:
            yield f"items[{index}].inlineProduct.metadata", item.inline_product.metadata


def check_card_numbers(request: OrderRequest) -> None:
    """Pass a request without a card number in its free texts.

    Raises:
        InvalidRequestError: there is one.
    """
    detail = "Holds a card number: the checkout page asks for it, never this service."
    places = [(path, name) for path, name, text in _free_texts(request) if holds_card_number(text)]
    if places:
        errors = tuple(FieldError(field=member_of(path, name), detail=detail) for path, name in places)
        raise InvalidRequestError("A card number was typed into a free text.", errors=errors)


def _free_texts(request: OrderRequest) -> Iterator[tuple[str, str, str]]:
    """Names, companies, addresses and attributes; ids, tax ids and phone numbers are not looked at.

    Each with where it stands, and its name there.
    """
    if customer := request.customer:
        yield from _texts_of_person(customer, "customer")
        if customer.ship_to:
            yield from _texts_of_person(customer.ship_to, "customer.shipTo")
    for index, item in enumerate(request.items):
        if item.attributes:
            for name, text in item.attributes.items():
                yield f"items[{index}].attributes", name, text


def _texts_of_person(person: Contact, path: str) -> Iterator[tuple[str, str, str]]:
    if person.first_name:
        yield path, "firstName", person.first_name
    if person.last_name:
        yield path, "lastName", person.last_name
    if person.company:
        yield path, "company", person.company
    if address := person.address:
        lines = zip(address.__struct_encode_fields__, msgspec.structs.astuple(address), strict=True)
        yield from ((f"{path}.address", name, text) for name, text in lines if text)


def _check_pricing(items: tuple[Item, ...]) -> None:
    errors = [
        FieldError(field=f"items[{index}].{field}", detail=detail)
        for index, item in enumerate(items)
        if item.pricing
        for field, detail in (*_contradictions(item, item.pricing), *_overlong_amounts(item.pricing))
    ]
    if errors:
        raise InvalidRequestError("The pricing cannot be used.", errors=tuple(errors))


def _contradictions(item: Item, pricing: Pricing) -> Iterator[tuple[str, str]]:
    for name, field in (("quantity_behavior", "quantityBehavior"), ("quantity_default", "quantityDefault")):
        if getattr(item, name) is not None and getattr(pricing, name) is not None:
            yield field, "Say it on the item or in `pricing`, not both."
    for tier, discount in enumerate(pricing.discounts or ()):
        if (discount.percent is None) == (discount.amount is None):
            yield f"pricing.discounts[{tier}]", "Give either `percent` or `amount`."


def _overlong_amounts(pricing: Pricing) -> Iterator[tuple[str, str]]:
    maps = {
        "price": pricing.price,
        "setupFee": pricing.setup_fee,
        "shippingFee": pricing.shipping_fee,
        "edsFee": pricing.eds_fee,
        "trialPrice": pricing.trial_price,
        **{f"discounts[{tier}].amount": discount.amount for tier, discount in enumerate(pricing.discounts or ())},
    }
    for name, prices in maps.items():
        for currency, amount in (prices or {}).items():
            if len(amount.partition(".")[2]) > exponent(currency):
                yield f"pricing.{name}.{currency}", f"{currency} has {exponent(currency)} decimal places at most."


def _check_cart(items: tuple[Item, ...], checkout: CheckoutSettings) -> None:
    if not items:
        missing = FieldError(field="items", detail="Name at least one item.")
        raise InvalidRequestError("The cart is empty.", errors=(missing,))
    errors: list[FieldError] = []
    if len(items) > checkout.max_items:
        errors.append(FieldError(field="items", detail=f"At most {checkout.max_items} items are allowed."))
    seen: set[str] = set()
    for index, item in enumerate(items):
        if item.quantity > checkout.max_quantity:
            detail = f"At most {checkout.max_quantity} of a product are allowed."
            errors.append(FieldError(field=f"items[{index}].quantity", detail=detail))
        if item.product in seen:
            detail = "This product stands in the cart already: raise its quantity instead."
            errors.append(FieldError(field=f"items[{index}].product", detail=detail))
        seen.add(item.product)
    if errors:
        raise CartNotAllowedError("The cart is outside of what this checkout allows.", errors=tuple(errors))


def _check_products(items: tuple[Item, ...], patterns: tuple[str, ...]) -> None:
    if patterns == ("*",):
        return
    errors = [
        FieldError(field=f"items[{index}].product", detail="This checkout does not sell this product.")
        for index, item in enumerate(items)
        # A product that stands in the list as it is needs no pattern: none has a wildcard in its name.
        if item.product not in patterns and not any(fnmatchcase(item.product, pattern) for pattern in patterns)
    ]
    if errors:
        raise ProductNotAllowedError("A product is not sold by this checkout.", errors=tuple(errors))


def _check_country(country: str | None, allowed: tuple[str, ...]) -> None:
    if not country:
        return
    if not is_country(country.upper()):
        unknown = FieldError(field="country", detail="This is no ISO 3166-1 alpha-2 code, such as DE or GB.")
        raise CountryNotAllowedError("The country does not exist.", errors=(unknown,))
    if allowed and country.upper() not in allowed:
        outside = FieldError(field="country", detail="This checkout does not serve this country.")
        raise CountryNotAllowedError("The country is not served by this checkout.", errors=(outside,))


def _check_return_urls(request: OrderRequest, patterns: tuple[str, ...]) -> None:
    errors = [
        FieldError(field=field, detail="This address is not on the checkout's list of return URLs.")
        for field, url in (("returnUrl", request.return_url), ("cancelUrl", request.cancel_url))
        if url and not is_allowed_return_url(url, patterns)
    ]
    if errors:
        raise ReturnUrlNotAllowedError("A return address is not allowed by this checkout.", errors=tuple(errors))
