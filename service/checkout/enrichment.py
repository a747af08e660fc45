"""What the service adds to a request: tags, country, language, address, payment methods, mode; pure.

Each choice is returned with the rule that made it, so that a preview can say why a field is what it is.
"""

import re
from fnmatch import fnmatchcase
from typing import NamedTuple

from msgspec.structs import asdict, replace

from service.checkout.buyer import Buyer
from service.checkout.models import Item, Order, OrderRequest
from service.checkout.quotes.claims import Quote
from service.checkout.settings import BROKER_REFERENCE, CheckoutSettings, Condition
from service.checkout.templates import fill


class Choice(NamedTuple):
    """A value, and the key path or source that decided it."""

    value: str | None
    rule: str


class PaymentChoice(NamedTuple):
    """Payment methods in order, those to hide, and the rule that decided; None leaves it to the provider."""

    order: tuple[str, ...] | None
    hide: tuple[str, ...] | None
    rule: str


def enrich(  # noqa: PLR0913  # each is another source of what stands in an order
    name: str,
    checkout: CheckoutSettings,
    request: OrderRequest,
    buyer: Buyer,
    *,
    reference: str,
    pseudonym: str | None = None,
    quote: Quote | None = None,
) -> Order:
    """The order that a provider is asked for. Weakest first: configuration, request (with what its quote adds)."""
    country = choose_country(checkout, request, buyer, quote).value
    language = choose_language(checkout, request, buyer).value
    payment = choose_payment_methods(checkout, request, country, language)
    places = {
        "checkout": name,
        "country": country,
        "language": language,
        "origin": buyer.origin,
        "caller": buyer.caller,
        "quote": quote.id if quote else None,
        "reference": reference,
    }
    tags = {tag: text for tag, template in checkout.order_tags.items() if (text := fill(template, places, buyer))}
    chosen = {
        "checkout": name,
        "reference": reference,
        "pseudonym": pseudonym,
        "live": checkout.live if request.live is None else request.live,
        "country": country,
        "language": language,
        "buyer_ip": request.buyer_ip or buyer.address,
        "items": with_locks(request.items) if checkout.lock_quantity else request.items,
        "order_tags": tags | (request.order_tags or {}) | {BROKER_REFERENCE: reference},
        "payment_methods_order": payment.order,
        "hide_payment_methods": payment.hide,
    }
    return Order(**asdict(request) | chosen)


def choose_country(
    checkout: CheckoutSettings, request: OrderRequest, buyer: Buyer, quote: Quote | None = None
) -> Choice:
    """The billing country. A header's country outside the list is ignored: a network's guess refuses nobody.

    `country_source` is about browsers: what a caller names, in a quote for one, outranks the configuration.
    """
    is_named_by_caller = buyer.caller or (quote and quote.order.country)
    if is_named_by_caller and request.country:
        return Choice(request.country.upper(), "request")
    for source in checkout.country_source:
        if source == "request" and request.country:
            return Choice(request.country.upper(), "request")
        if source == "header" and buyer.header_country and _is_served(buyer.header_country, checkout):
            return Choice(buyer.header_country, "server.country_header")
    return Choice(checkout.default_country, "default_country")


def _is_served(country: str, checkout: CheckoutSettings) -> bool:
    return not checkout.countries or country in checkout.countries


def choose_language(checkout: CheckoutSettings, request: OrderRequest, buyer: Buyer) -> Choice:
    """A two-letter language: the first preference that the checkout speaks, else its first language."""
    if not (request.language or buyer.accept_language or checkout.languages):
        return Choice(None, "languages")
    asked = [primary_tag(request.language)] if request.language else accepted_languages(buyer.accept_language)
    rule = "request" if request.language else "Accept-Language"
    spoken = [primary_tag(language) for language in checkout.languages]
    for language in asked:
        if language in spoken or (not spoken and len(language) == _LETTERS):
            return Choice(language, rule)
    return Choice(next(iter(spoken), None), "languages")


def accepted_languages(header: str | None) -> list[str]:
    """The primary tags of an `Accept-Language` header, the most wanted first, without `*` and refused ones (`q=0`)."""
    if header is None:
        return []
    found = (_LANGUAGE_RANGE.fullmatch(part.strip()) for part in header.split(",")[:16])
    ranked = [(float(one["quality"] or 1), one["primary"].lower()) for one in found if one]
    return [primary for quality, primary in sorted(ranked, key=lambda one: -one[0]) if quality]


_LETTERS = 2  # providers know languages by their two-letter tags
_LANGUAGE_RANGE = re.compile(
    r"(?P<primary>[A-Za-z]{2})(-[A-Za-z0-9-]{1,32})?(\s*;\s*q=(?P<quality>[01](\.[0-9]{0,3})?))?"
)


def primary_tag(language: str) -> str:
    """`de` of `de-AT`."""
    return language.partition("-")[0].lower()


def choose_payment_methods(
    checkout: CheckoutSettings, request: OrderRequest, country: str | None, language: str | None
) -> PaymentChoice:
    """The caller's lists, else those of the first rule whose `when` holds."""
    order, hide, path = None, None, "provider"
    for index, rule in enumerate(checkout.payment_methods):
        if _holds(rule.when, request.items, country, language):
            order, hide, path = rule.order or None, rule.hide or None, f"payment_methods[{index}]"
            break
    if request.payment_methods_order is not None or request.hide_payment_methods is not None:
        path = "request"
    return PaymentChoice(
        order if request.payment_methods_order is None else request.payment_methods_order,
        hide if request.hide_payment_methods is None else request.hide_payment_methods,
        path,
    )


def _holds(when: Condition, items: tuple[Item, ...], country: str | None, language: str | None) -> bool:
    return (
        (not when.country or country in when.country)
        and (not when.language or language in {primary_tag(tag) for tag in when.language})
        and (not when.product or any(fnmatchcase(item.product, pattern) for item in items for pattern in when.product))
    )


def with_locks(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """Fix the quantity of every line whose behaviour no caller decided."""
    return tuple(
        item
        if item.quantity_behavior or (item.pricing and item.pricing.quantity_behavior)
        else replace(item, quantity_behavior="lock")
        for item in items
    )
