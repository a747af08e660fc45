"""Our order in v1's words: the body of create."""

from decimal import Decimal

import msgspec
from msgspec import Struct

from service.checkout import models
from service.checkout.settings import BROKER_REFERENCE

PriceMap = dict[str, Decimal]


class Contact(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Finds the account of its e-mail, and updates it. Without a country a new buyer is taken for one in the US."""

    first: str | None = None
    last: str | None = None
    email: str | None = None
    company: str | None = None
    phone: str | None = None
    country: str | None = None
    language: str | None = None


class Lookup(Struct, frozen=True, kw_only=True):
    custom: str


class Pricing(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """`quantityDiscounts` by the quantity that a tier begins at: {"1": 50} in percent, {"1": {"USD": 5}} as amounts."""

    price: PriceMap | None = None
    trial: int | None = None
    paid_trial: bool | None = None
    trial_price: PriceMap | None = None
    payment_collected: bool | None = None
    renew: str | None = None
    interval: str | None = None
    interval_length: int | None = None
    quantity_behavior: str | None = None
    quantity_default: int | None = None
    discount_type: str | None = None
    discount_duration: int | None = None
    quantity_discounts: dict[str, int | PriceMap] | None = None


class Item(Struct, frozen=True, kw_only=True, omit_defaults=True):
    product: str
    quantity: int
    attributes: dict[str, str] | None = None
    pricing: Pricing | None = None


class SessionRequest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`expiration` is in days, 1 to 7. Country and language stand in the contact, as the current schema has them."""

    items: tuple[Item, ...]
    expiration: int
    account: str | None = None
    contact: Contact | None = None
    lookup: Lookup | None = None
    tags: dict[str, str] | None = None
    coupon: str | None = None


# What nothing was said of, made once to read and to compare with.
_NOBODY, _NO_PRICING = models.Customer(), models.Pricing()
_NO_CONTACT, _NOTHING_FIXED = Contact(), Pricing()

# Money travels as JSON numbers with at most two decimals.
encode = msgspec.json.Encoder(decimal_format="number").encode


def session_request(order: models.Order, *, expiration_days: int) -> SessionRequest:
    """The body of create for an order of ours; `expiration_days` counts where the order names none.

    What only the service added and v1 has no member for is left out: the buyer's address and the payment methods.
    """
    return SessionRequest(
        items=tuple(_item(item, order.reference) for item in order.items),
        expiration=order.expiration_days or expiration_days,
        account=order.account_id,
        contact=None if order.account_id else _contact(order),
        lookup=Lookup(custom=order.lookup.custom) if order.lookup else None,
        tags=order.order_tags,
        coupon=order.coupon,
    )


def _contact(order: models.Order) -> Contact | None:
    """The buyer; country and language alone where nothing else is known."""
    buyer = order.customer or _NOBODY
    contact = Contact(
        first=buyer.first_name,
        last=buyer.last_name,
        email=buyer.email,
        company=buyer.company,
        phone=buyer.phone,
        country=order.country,
        language=order.language,
    )
    return contact if contact != _NO_CONTACT else None


def _item(item: models.Item, reference: str) -> Item:
    return Item(
        product=item.product,
        quantity=item.quantity,
        attributes={**(item.attributes or {}), BROKER_REFERENCE: reference},
        pricing=_pricing(item),
    )


def _pricing(item: models.Item) -> Pricing | None:
    ours = item.pricing or _NO_PRICING
    tiers = ours.discounts or ()
    pricing = Pricing(
        price=_price_map(ours.price),
        trial=ours.trial,
        paid_trial=ours.paid_trial,
        trial_price=_price_map(ours.trial_price),
        payment_collected=ours.payment_collected,
        renew=ours.renew,
        interval=ours.interval,
        interval_length=ours.interval_length,
        quantity_behavior=item.quantity_behavior or ours.quantity_behavior,
        quantity_default=item.quantity_default or ours.quantity_default,
        discount_type=kind_of(tiers[0]) if tiers else None,
        discount_duration=ours.discount_duration,
        quantity_discounts={str(tier.min_quantity): _discount(tier) for tier in tiers} or None,
    )
    return pricing if pricing != _NOTHING_FIXED else None


def kind_of(tier: models.Discount) -> str:
    """v1's word for the kind of a discount."""
    return "amount" if tier.percent is None else "percent"


def _discount(tier: models.Discount) -> int | PriceMap:
    return (_price_map(tier.amount) or {}) if tier.percent is None else tier.percent


def _price_map(prices: models.Prices | None) -> PriceMap | None:
    return {currency: Decimal(amount) for currency, amount in prices.items()} if prices else None
