"""What the provider really applies of a request, with a warning for each input that it does not take."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import get_args

from msgspec import UNSET, Struct, UnsetType

from service.sandbox.countries import (
    COUNTRIES,
    DEFAULT_COUNTRY,
    country_of_address,
    currency_of,
    is_public_address,
    tax_percent_of,
)
from service.sandbox.fastspring.settings import CheckoutSettings, FastSpringSettings
from service.sandbox.fastspring.wire import Address, Language, SessionRequest

TAX_ID = re.compile(r"(?=.*\d)[A-Za-z0-9./ -]{5,20}")
POSTAL_CODES = {
    "US": re.compile(r"\d{5}(-\d{4})?"),
    "DE": re.compile(r"\d{5}"),
    "AT": re.compile(r"\d{4}"),
    "GB": re.compile(r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}", re.IGNORECASE),
}
ANY_POSTAL_CODE = re.compile(r"[A-Za-z0-9 -]{2,10}")
MESSAGES = {
    "INVALID_PROMO_CODE": ("promoCode", "The promo code is not valid"),
    "INVALID_COUNTRY": ("country", "The country is not valid"),
    "CHECKOUT_NOT_LIVE": ("live", "The checkout is in test mode"),
    "INVALID_TAX_ID": ("customer.taxId", "The tax id is not valid"),
    "INVALID_BUYER_IP": ("buyerIp", "The buyer IP is not valid"),
    "INVALID_LOCALE": ("locale", "The locale is not valid"),
    "INVALID_POSTAL_CODE": ("customer.billToAddress.postalCode", "The postal code is not valid"),
}


class InputWarning(Struct, frozen=True):
    code: str
    field: str
    message: str


class Applied(Struct, frozen=True, kw_only=True):
    """`coupon_percent` is None without a coupon that holds."""

    locale: str
    country: str
    currency: str
    live: bool
    tax_percent: Decimal
    tax_included: bool
    coupon_percent: int | None
    warnings: tuple[InputWarning, ...]


def applied(request: SessionRequest, checkout: CheckoutSettings, settings: FastSpringSettings) -> Applied:
    country = country_of(request)
    return Applied(
        locale=language_of(request) or "en",
        country=country,
        currency=currency_of(country),
        live=request.live and not checkout.test_mode,
        tax_percent=tax_percent_of(country),
        tax_included=checkout.tax_included,
        coupon_percent=settings.coupon_percents.get(given(request.cart.coupon_code)),
        warnings=tuple(warning(code) for code, found in faults(request, checkout, settings, country).items() if found),
    )


def given(text: str | UnsetType) -> str:
    return "" if text is UNSET else text


def country_of(request: SessionRequest) -> str:
    named = given(request.country).upper()
    if named in COUNTRIES:
        return named
    return country_of_address(given(request.buyer_ip)) or DEFAULT_COUNTRY


def language_of(request: SessionRequest) -> str | None:
    language = given(request.locale)[:2].lower()
    return language if language in get_args(Language) else None


def warning(code: str) -> InputWarning:
    field, message = MESSAGES[code]
    return InputWarning(code, field, message)


def faults(
    request: SessionRequest, checkout: CheckoutSettings, settings: FastSpringSettings, country: str
) -> Mapping[str, bool]:
    coupon, address = given(request.cart.coupon_code), given(request.buyer_ip)
    tax_id = given(request.customer.tax_id)
    return {
        "INVALID_PROMO_CODE": bool(coupon) and coupon not in settings.coupon_percents,
        "INVALID_COUNTRY": bool(request.country) and given(request.country).upper() not in COUNTRIES,
        "CHECKOUT_NOT_LIVE": request.live and checkout.test_mode,
        "INVALID_TAX_ID": bool(tax_id) and not TAX_ID.fullmatch(tax_id),
        "INVALID_BUYER_IP": bool(address) and not is_public_address(address),
        "INVALID_LOCALE": bool(given(request.locale)) and language_of(request) is None,
        "INVALID_POSTAL_CODE": not is_postal_code(request.customer.bill_to_address, country),
    }


def is_postal_code(address: Address | UnsetType, country: str) -> bool:
    code = "" if address is UNSET else given(address.postal_code)
    return not code or POSTAL_CODES.get(country, ANY_POSTAL_CODE).fullmatch(code) is not None
