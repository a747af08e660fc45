"""Our order in FastSpring's words: the body of create, and which of our fields it can express."""

from decimal import Decimal

import msgspec
from msgspec import Struct

from service.checkout import models
from service.checkout.settings import BROKER_REFERENCE
from service.providers.base import Vocabulary, refuse_fields
from service.providers.fastspring import CURRENCIES

VOCABULARY = Vocabulary(
    order=frozenset(
        "coupon customer country language buyer_ip payment_methods_order hide_payment_methods account_id"
        " external_account_id account_tags".split()
    ),
    customer=frozenset("email first_name last_name company phone address ship_to tax_id tax_id_region".split()),
    item=frozenset("product quantity attributes quantity_behavior quantity_default descriptions".split()),
    pricing=frozenset(
        "price discounts discount_duration setup_fee shipping_fee eds_fee trial interval interval_length"
        " interval_count quantity_behavior quantity_default".split()
    ),
)
LANGUAGES = frozenset("ar cs da de en es fi fr hr it iw ja ko nl no pl pt ru sk sv tr zh".split())
_LANGUAGE_WORDS = {"he": "iw"}  # the old code of Hebrew
_INTERVAL_WORDS = {"adhoc": "ON_DEMAND", "day": "DAY", "week": "WEEK", "month": "MONTH", "year": "YEAR"}

PriceMap = dict[str, Decimal]


class Contact(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    phone_number: str | None = None


class Address(Struct, frozen=True, kw_only=True, omit_defaults=True):
    addressLine1: str | None = None  # noqa: N815  # "camel" would not give this spelling
    addressLine2: str | None = None  # noqa: N815  # as above
    city: str | None = None
    region: str | None = None
    postalCode: str | None = None  # noqa: N815  # beside the two above


class Customer(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    account_id: str | None = None
    external_account_id: str | None = None
    bill_to_contact: Contact | None = None
    ship_to_contact: Contact | None = None
    bill_to_address: Address | None = None
    ship_to_address: Address | None = None
    ship_to_type: str | None = None
    account_tags: dict[str, str] | None = None
    tax_id: str | None = None
    tax_id_region: str | None = None


class Discount(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    min_quantity: int
    amount_discount: PriceMap | None = None
    percent_discount: int | None = None


class CustomPrice(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    unit_price: PriceMap | None = None
    discounts: tuple[Discount, ...] | None = None
    discount_duration: int | None = None
    setup_fee: PriceMap | None = None
    shipping_fee: PriceMap | None = None
    eds_fee: PriceMap | None = None


class BillingFrequency(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    interval_unit: str | None = None
    interval_length: int | None = None
    interval_count: int | None = None


class SubscriptionOverrides(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    trial_days: int | None = None
    billing_frequency: BillingFrequency | None = None


class Descriptions(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    display: dict[str, str] | None = None
    instructions: dict[str, str] | None = None
    summary: dict[str, str] | None = None
    image_url: str | None = None


class LineItem(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    product_path: str
    quantity: int
    quantity_behavior: str | None = None
    quantity_default: int | None = None
    descriptions: Descriptions | None = None
    custom_price: CustomPrice | None = None
    attributes: dict[str, str] | None = None
    subscription_overrides: SubscriptionOverrides | None = None


class Cart(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    coupon_code: str | None = None
    line_items: tuple[LineItem, ...] = ()


class SessionRequest(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    live: bool
    cart: Cart
    locale: str | None = None
    country: str | None = None
    buyer_ip: str | None = None
    customer: Customer | None = None
    order_tags: dict[str, str] | None = None
    payment_methods_order: tuple[str, ...] | None = None
    hide_payment_methods: tuple[str, ...] | None = None


# What nothing was said of, made once to read and to compare with.
_NOBODY, _NO_ADDRESS, _NO_PRICING = models.Customer(), models.Address(), models.Pricing()
_NO_CUSTOMER, _NO_CONTACT = Customer(), Contact()
_NO_PRICE, _NO_FREQUENCY, _NO_OVERRIDES = CustomPrice(), BillingFrequency(), SubscriptionOverrides()

# Money travels as JSON numbers with at most two decimals.
encode = msgspec.json.Encoder(decimal_format="number").encode


def session_request(order: models.Order) -> SessionRequest:
    """The body of create for an order of ours.

    Raises:
        UnsupportedFieldError: v2 cannot express a currency or a language of a text.
    """
    return SessionRequest(
        live=order.live,
        locale=order.language,
        country=order.country,
        buyer_ip=order.buyer_ip,
        customer=customer_request(order),
        order_tags=order.order_tags,
        cart=Cart(
            coupon_code=order.coupon,
            line_items=tuple(
                [line_request(item, order.reference, f"items[{index}].") for index, item in enumerate(order.items)]
            ),
        ),
        payment_methods_order=order.payment_methods_order,
        hide_payment_methods=order.hide_payment_methods,
    )


def customer_request(order: models.Order) -> Customer | None:
    """The customer of an order, and the body of its own endpoint; None when nothing is known."""
    buyer = order.customer or _NOBODY
    ship_to = buyer.ship_to
    customer = Customer(
        account_id=order.account_id,
        external_account_id=order.external_account_id,
        account_tags=order.account_tags,
        bill_to_contact=_contact(buyer),
        bill_to_address=_address(buyer.address),
        ship_to_contact=_contact(ship_to) if ship_to else None,
        ship_to_address=_address(ship_to.address) if ship_to else None,
        ship_to_type=ship_to.type if ship_to else None,
        tax_id=buyer.tax_id,
        tax_id_region=buyer.tax_id_region,
    )
    return customer if customer != _NO_CUSTOMER else None


def _contact(person: models.Contact) -> Contact | None:
    contact = Contact(
        email=person.email,
        first_name=person.first_name,
        last_name=person.last_name,
        company=person.company,
        phone_number=person.phone,
    )
    return contact if contact != _NO_CONTACT else None


def _address(address: models.Address | None) -> Address | None:
    if address is None or address == _NO_ADDRESS:
        return None
    return Address(
        addressLine1=address.line1,
        addressLine2=address.line2,
        city=address.city,
        region=address.region,
        postalCode=address.postal_code,
    )


def line_request(item: models.Item, reference: str, path: str = "") -> LineItem:
    """A line of an order, and the body of the item endpoints; `path` is where the item stands in the request.

    Raises:
        UnsupportedFieldError: v2 cannot express a currency or a language of a text.
    """
    pricing = item.pricing or _NO_PRICING
    behavior = item.quantity_behavior or pricing.quantity_behavior
    return LineItem(
        product_path=item.product,
        quantity=item.quantity,
        # Upper case is what the schema shows (ALLOW) and what public clients send and get back (LOCK).
        quantity_behavior=behavior.upper() if behavior else None,
        quantity_default=item.quantity_default or pricing.quantity_default,
        descriptions=_descriptions(item.descriptions, path) if item.descriptions else None,
        custom_price=_custom_price(pricing, f"{path}pricing") if item.pricing else None,
        attributes={**(item.attributes or {}), BROKER_REFERENCE: reference},
        subscription_overrides=_subscription(pricing) if item.pricing else None,
    )


def _descriptions(texts: models.Descriptions, path: str) -> Descriptions:
    return Descriptions(
        display=_language_map(texts.display, f"{path}descriptions.display"),
        instructions=_language_map(texts.instructions, f"{path}descriptions.instructions"),
        summary=_language_map(texts.summary, f"{path}descriptions.summary"),
        image_url=texts.image_url,
    )


def _language_map(texts: dict[str, str] | None, path: str) -> dict[str, str] | None:
    words = {_LANGUAGE_WORDS.get(language, language): text for language, text in (texts or {}).items()}
    _refuse_unknown(words.keys() - LANGUAGES, path)
    return words or None


def _custom_price(pricing: models.Pricing, path: str) -> CustomPrice | None:
    price = CustomPrice(
        unit_price=_price_map(pricing.price, f"{path}.price"),
        discounts=tuple(
            Discount(
                min_quantity=tier.min_quantity,
                amount_discount=_price_map(tier.amount, f"{path}.discounts[{index}].amount"),
                percent_discount=tier.percent,
            )
            for index, tier in enumerate(pricing.discounts or ())
        )
        or None,
        discount_duration=pricing.discount_duration,
        setup_fee=_price_map(pricing.setup_fee, f"{path}.setupFee"),
        shipping_fee=_price_map(pricing.shipping_fee, f"{path}.shippingFee"),
        eds_fee=_price_map(pricing.eds_fee, f"{path}.edsFee"),
    )
    return price if price != _NO_PRICE else None


def _price_map(prices: dict[str, str] | None, path: str) -> PriceMap | None:
    if not prices:
        return None
    _refuse_unknown(prices.keys() - CURRENCIES, path)
    return {currency: Decimal(amount) for currency, amount in prices.items()}


def _refuse_unknown(keys: set[str], path: str) -> None:
    if keys:
        refuse_fields([f"{path}.{key}" for key in sorted(keys)])


def _subscription(pricing: models.Pricing) -> SubscriptionOverrides | None:
    frequency = BillingFrequency(
        interval_unit=_INTERVAL_WORDS[pricing.interval] if pricing.interval else None,
        interval_length=pricing.interval_length,
        interval_count=pricing.interval_count,
    )
    overrides = SubscriptionOverrides(
        trial_days=pricing.trial,
        billing_frequency=frequency if frequency != _NO_FREQUENCY else None,
    )
    return overrides if overrides != _NO_OVERRIDES else None
