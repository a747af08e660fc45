"""A good value for every member of a request, at every level: the tests that walk them fail when one is missing."""

from typing import Any

from msgspec import Struct

from service.checkout import models

# What the service itself acts on; a provider's words have nothing to do with it.
HANDLED_BY_THE_SERVICE = frozenset(
    "checkout items reference quote challenge fresh returnUrl cancelUrl language orderTags pseudonym".split()
)
_FLAKE_ID = "411486491630370816"
_ADDRESS = {
    "line1": "Sample Street 1",
    "line2": "Floor 2",
    "city": "Sampleton",
    "region": "Sample",
    "postalCode": "12345",
}
_CONTACT = {
    "email": "sample@example.org",
    "firstName": "Samuela",
    "lastName": "Sampleton",
    "company": "Sample Ltd",
    "phone": "+49 30 1234567",
    "address": {"city": "Sampleton"},
}
_PRICES = {"EUR": "24.50", "USD": "27.00"}
_IDENTITY = {"platform": "steam", "id": "76561198000000000"}

# (struct, path of its members, JSON of an order around the member, {member: value})
LEVELS: list[tuple[type[Struct], str, dict[str, Any]]] = [
    (
        models.Order,
        "",
        {
            "coupon": "SAMPLE10",
            "customer": {"email": "sample@example.org"},
            "country": "FR",
            "affiliateCode": "sample",
            "promoCodes": ["SAMPLE"],
            "buyerIp": "9.9.9.9",
            "paymentMethodsOrder": ["SEPA"],
            "hidePaymentMethods": ["WIRE"],
            "live": True,
            "accountId": "sample-account",
            "externalAccountId": "sample-external",
            "accountTags": {"sample": "account"},
            "lookup": {"custom": "sample-key"},
            "expirationDays": 3,
            "customerId": _FLAKE_ID,
            "customerToken": "sample-token",
            "couponId": _FLAKE_ID,
            "metadata": {"sample": "metadata"},
            "autoRedirect": True,
        },
    ),
    (
        models.Customer,
        "customer",
        {
            **_CONTACT,
            "shipTo": {"firstName": "Gifted"},
            "taxId": "DE123456789",
            "taxIdRegion": "CA",
            "identity": _IDENTITY,
        },
    ),
    (models.Address, "customer.address", _ADDRESS),
    (models.Recipient, "customer.shipTo", {**_CONTACT, "type": "GIFT_PURCHASE"}),
    (models.Address, "customer.shipTo.address", _ADDRESS),
    (
        models.Item,
        "items.0",
        {
            "product": "411486491630370819",
            "quantity": 7,
            "attributes": {"sample": "attribute"},
            "subscription": True,
            "trial": True,
            "giftTo": _IDENTITY,
            "gameServer": _FLAKE_ID,
            "customVariables": {"sample": "variable"},
            "pricing": {"price": _PRICES},
            "quantityBehavior": "lock",
            "quantityDefault": 3,
            "descriptions": {"display": {"en": "Sample"}},
            "metadata": {"sample": "metadata"},
            "giftToCustomerId": _FLAKE_ID,
            "inlineProduct": {"name": "Sample"},
            "payoutSplits": [{"payoutId": _FLAKE_ID, "percentage": 5.0}],
        },
    ),
    (
        models.Pricing,
        "items.0.pricing",
        {
            "price": _PRICES,
            "discounts": [{"percent": 5}],
            "discountDuration": 3,
            "setupFee": _PRICES,
            "shippingFee": _PRICES,
            "edsFee": _PRICES,
            "trial": 14,
            "paidTrial": True,
            "trialPrice": _PRICES,
            "paymentCollected": True,
            "renew": "manual",
            "interval": "month",
            "intervalLength": 2,
            "intervalCount": 12,
            "quantityBehavior": "hide",
            "quantityDefault": 4,
        },
    ),
    (models.Discount, "items.0.pricing.discounts.0", {"minQuantity": 7, "percent": 6, "amount": {"EUR": "1.00"}}),
    (
        models.Descriptions,
        "items.0.descriptions",
        {
            "display": {"en": "Sample"},
            "instructions": {"de": "Muster"},
            "summary": {"fr": "Exemple"},
            "imageUrl": "https://shop.example/sample.png",
        },
    ),
]
MEMBERS = [(path, member, value) for _, path, values in LEVELS for member, value in values.items()]


def with_member(order: dict[str, Any], path: str, member: str | None, value: object = None) -> dict[str, Any]:
    """A copy of an order with everything along a path made, and a member set at its end."""
    steps = path.split(".") if path else []
    if member is not None:
        steps = [*steps, member]
    changed: dict[str, Any] = _with(order, steps, value, create=member is None)
    return changed


def _with(node: Any, steps: list[str], value: object, *, create: bool) -> Any:  # noqa: ANN401  # JSON
    if not steps:
        return node or {} if create else value
    step, *rest = steps
    if step.isdigit():
        items = list(node or [{}])
        items[int(step)] = _with(items[int(step)], rest, value, create=create)
        return items
    node = dict(node or {})
    node[step] = _with(node.get(step), rest, value, create=create)
    return node


def spelled(path: str) -> str:
    """`items.0.pricing` as our answers spell it: `items[0].pricing`."""
    steps = path.split(".")
    return "".join(f"[{step}]" if step.isdigit() else f".{step}" for step in steps).lstrip(".")
