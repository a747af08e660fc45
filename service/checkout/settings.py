"""What every checkout can configure, whichever provider stands behind it; a provider's module adds its own keys."""

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct

from service.checkout.countries import is_country
from service.checkout.errors import member_of
from service.checkout.models import OrderRequest, PaymentMethod
from service.checkout.return_urls import is_origin, split_pattern
from service.checkout.templates import template_fault
from service.config.types import (
    Count,
    CountryCode,
    HttpsUrl,
    LanguageTag,
    Origin,
    SecondsOrNever,
    url_fault,
)

BROKER_REFERENCE = "broker_ref"

Pattern = Annotated[str, Meta(min_length=1, max_length=256, examples=["pro-*"])]
WarningCode = Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9_]{0,63}$(?!\n)", examples=["INVALID_PROMO_CODE"])]
AttributeName = Annotated[str, Meta(min_length=1, max_length=64, examples=["license-name"])]


class Condition(Struct, frozen=True, kw_only=True):
    """When a rule applies: every list that is given must match; products are shell patterns over any item."""

    country: tuple[CountryCode, ...] = ()
    product: tuple[Pattern, ...] = ()
    language: tuple[LanguageTag, ...] = ()


class PaymentRule(Struct, frozen=True, kw_only=True):
    """Which payment methods a buyer sees, and in which order."""

    when: Condition = Condition()
    order: tuple[PaymentMethod, ...] = ()
    hide: tuple[PaymentMethod, ...] = ()


class CheckoutSettings(Struct, frozen=True, kw_only=True):
    """`[checkouts.NAME]`: one upstream and the policy of one storefront."""

    upstream: str
    live: bool
    allowed_origins: tuple[Origin, ...] = ()
    products: Annotated[tuple[Pattern, ...], Meta(examples=[["pro-license"]])] = ("*",)
    max_items: Annotated[int, Meta(ge=1, le=100)] = 20
    max_quantity: Count = 100
    attributes: tuple[AttributeName, ...] = ()
    return_urls: tuple[HttpsUrl, ...] = ()
    fallback_url: HttpsUrl | None = None
    countries: tuple[CountryCode, ...] = ()
    country_source: Annotated[tuple[Literal["request", "header"], ...], Meta(examples=[["request", "header"]])] = (
        "request",
        "header",
    )
    default_country: CountryCode | None = None
    languages: tuple[LanguageTag, ...] = ()
    reuse_seconds: SecondsOrNever | None = None
    expiry_margin_seconds: SecondsOrNever = 300
    verify_after_seconds: SecondsOrNever = 60
    accept_warnings: tuple[WarningCode, ...] = (
        "INVALID_PROMO_CODE",
        "INVALID_POSTAL_CODE",
        "INVALID_LOCALE",
        "INVALID_TAX_ID",
    )
    lock_quantity: bool = False
    payment_methods: tuple[PaymentRule, ...] = ()
    order_tags: dict[str, Annotated[str, Meta(max_length=1000)]] = {}

    def refused_from_browsers(self, request: OrderRequest) -> Iterator[str]:
        """The fields of a request that this checkout takes from callers alone; a provider's settings may add some."""
        for index, item in enumerate(request.items):
            for name in item.attributes or ():
                if name not in self.attributes:
                    yield member_of(f"items[{index}].attributes", name)

    def faults(self) -> Iterator[tuple[str, str]]:
        """Rules over several keys."""
        if self.default_country and self.countries and self.default_country not in self.countries:
            yield "default_country", "is not among `countries`: add it there, or name one of them"
        yield from self._unknown_countries()
        if BROKER_REFERENCE in self.attributes:
            yield "attributes", f"`{BROKER_REFERENCE}` is set by the service alone: remove it"
        if BROKER_REFERENCE in self.order_tags:
            yield f"order_tags.{BROKER_REFERENCE}", "is set by the service alone: remove it"
        for name, template in self.order_tags.items():
            if fault := template_fault(template):
                yield f"order_tags.{name}", fault
        for index, pattern in enumerate(self.return_urls):
            if fault := url_fault(pattern) or _origin_fault(pattern):
                yield f"return_urls[{index}]", fault
        if self.fallback_url and (fault := _fallback_fault(self.fallback_url)):
            yield "fallback_url", fault

    def _unknown_countries(self) -> Iterator[tuple[str, str]]:
        named = {f"countries[{index}]": country for index, country in enumerate(self.countries)}
        for key, country in {**named, "default_country": self.default_country}.items():
            if country and not is_country(country):
                yield key, "is no ISO 3166-1 alpha-2 code: write one, for example GB for the United Kingdom"


def _origin_fault(pattern: str) -> str | None:
    """Origins are compared whole: one with a wildcard or capital letters would never match."""
    if is_origin(split_pattern(pattern)[0]):
        return None
    return "must begin with an exact origin in lower case: wildcards are for the path alone"


def _fallback_fault(url: str) -> str | None:
    filled = url.replace("{product}", "product")
    if set(filled) & set("{}"):
        return "has one variable: {product}"
    return url_fault(filled)
