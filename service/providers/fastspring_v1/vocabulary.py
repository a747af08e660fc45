"""What v1 has words for, and what it takes only together: anything else is refused before anything is sent, by name."""

from collections.abc import Iterable, Iterator

from service.checkout.errors import FieldError, InvalidRequestError, UnsupportedFieldError
from service.checkout.models import Discount, OrderRequest, Pricing
from service.providers.base import Vocabulary
from service.providers.fastspring import CURRENCIES
from service.providers.fastspring_v1.requests import kind_of
from service.providers.fastspring_v1.settings import CONTACT_FIELDS

VOCABULARY = Vocabulary(
    order=frozenset("coupon customer country account_id lookup expiration_days".split()),
    customer=frozenset(CONTACT_FIELDS.values()),
    item=frozenset("product quantity attributes quantity_behavior quantity_default".split()),
    pricing=frozenset(
        "price discounts discount_duration trial paid_trial trial_price payment_collected renew interval"
        " interval_length quantity_behavior quantity_default".split()
    ),
)
Finding = tuple[str, str]  # a field, and what to do about it


def check_request(request: OrderRequest, *, live: bool) -> None:
    """Pass a request that v1 can express whole; `live` is the mode of the storefront, as a request cannot say it.

    Raises:
        UnsupportedFieldError: v1 has no member, or no value, for what was asked.
        InvalidRequestError: v1 takes a member only with, or only without, another one.
    """
    VOCABULARY.check(request, only_mode=live)
    priced = [(f"items[{index}].pricing", item.pricing) for index, item in enumerate(request.items) if item.pricing]
    if errors := _named(finding for path, pricing in priced for finding in _without_a_word(path, pricing)):
        raise UnsupportedFieldError("The provider of this checkout cannot express a value.", errors=errors)
    halves = [*_account_contradictions(request), *(one for path, pricing in priced for one in _halves(path, pricing))]
    if halves:
        raise InvalidRequestError("The provider of this checkout does not take this together.", errors=_named(halves))


def _named(findings: Iterable[Finding]) -> tuple[FieldError, ...]:
    return tuple(FieldError(field=field, detail=detail) for field, detail in findings)


def _without_a_word(path: str, pricing: Pricing) -> Iterator[Finding]:
    tiers = pricing.discounts or ()
    maps = {"price": pricing.price, "trialPrice": pricing.trial_price}
    maps |= {f"discounts[{index}].amount": tier.amount for index, tier in enumerate(tiers)}
    for name, prices in maps.items():
        for currency in sorted(set(prices or ()) - CURRENCIES):
            yield f"{path}.{name}.{currency}", "The provider has no prices in this currency: leave it out."
    yield from _tier_findings(f"{path}.discounts", tiers)


def _tier_findings(path: str, tiers: tuple[Discount, ...]) -> Iterator[Finding]:
    """An item has one kind of discount, and its tiers are the members of an object."""
    for index, tier in enumerate(tiers):
        if kind_of(tier) != kind_of(tiers[0]):
            yield f"{path}[{index}]", "The provider takes either percentages or amounts for an item, not both."
        if tier.min_quantity in {earlier.min_quantity for earlier in tiers[:index]}:
            yield f"{path}[{index}].minQuantity", "Another tier begins at this quantity already: keep one."


def _account_contradictions(request: OrderRequest) -> Iterator[Finding]:
    if not request.account_id:
        return
    if any(getattr(request.customer, name, None) is not None for name in CONTACT_FIELDS.values()):
        detail = "The provider takes either an account or a contact: give `accountId` or `customer`, not both."
        yield "accountId", detail
        yield "customer", detail
    if request.country:
        yield "country", "Of an account its registered country counts: leave `country` out beside `accountId`."


def _halves(path: str, pricing: Pricing) -> Iterator[Finding]:
    if pricing.interval not in (None, "adhoc") and pricing.interval_length is None:
        yield f"{path}.interval", "Has to be given with `intervalLength`, for example 1; `adhoc` alone needs none."
    if pricing.paid_trial and not pricing.trial_price:
        yield f"{path}.paidTrial", 'Has to be given with `trialPrice`, for example {"EUR": "1.00"}.'
