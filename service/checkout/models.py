"""The words of the job: what a buyer or caller asks for, in one vocabulary over every provider.

The request structs are the JSON members of `POST /checkout` and `POST /internal/checkout` as well (camelCase on the
wire), so nothing is copied from one shape into another. Limits are the narrowest of the documented ones.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from service.checkout.inline_product import InlineProduct
from service.checkout.scalars import (
    PRINTABLE,
    FlakeId,
    StringMap,
    Text50,
    Text64,
    Text255,
    Text256,
    Text512,
    Url,
)

# `$(?!\n)`: in Python `$` alone would let a trailing line end pass.
Product = Annotated[
    str,
    Meta(
        pattern=r"^(?!\.{1,2}$)[A-Za-z0-9_.-]{1,256}$(?!\n)",
        description="Product path or id at the provider.",
        examples=["pro-license"],
    ),
]
Country = Annotated[str, Meta(pattern=r"^([A-Za-z]{2})?$(?!\n)", description="ISO 3166-1 alpha-2.", examples=["DE"])]
Language = Annotated[
    str, Meta(pattern=r"^([A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3})?$(?!\n)", description="BCP 47 tag.", examples=["de"])
]
Email = Annotated[str, Meta(max_length=255, pattern=r"^([^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+)?$(?!\n)")]
Quantity = Annotated[int, Meta(ge=1, le=1_000_000)]
Days = Annotated[int, Meta(ge=0, le=3650)]
Periods = Annotated[int, Meta(ge=0, le=1000)]
Percent = Annotated[int, Meta(ge=0, le=100)]
CurrencyCode = Annotated[str, Meta(pattern=r"^[A-Z]{3}$(?!\n)", examples=["EUR"])]
Amount = Annotated[
    str,
    Meta(pattern=r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,3})?$(?!\n)", description="A decimal string.", examples=["24.50"]),
]
Prices = Annotated[dict[CurrencyCode, Amount], Meta(max_length=64, examples=[{"EUR": "24.50", "USD": "27.00"}])]
QuantityBehavior = Literal["allow", "lock", "hide"]
PaymentMethod = Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9_]{0,63}$(?!\n)", examples=["PAYPAL"])]
PaymentMethods = Annotated[tuple[PaymentMethod, ...], Meta(max_length=64)]


class Address(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A postal address; `region` is a two-letter code for US and CA, a full name elsewhere."""

    line1: Text256 | None = None
    line2: Text256 | None = None
    city: Text256 | None = None
    region: Text256 | None = None
    postal_code: Text50 | None = None


class Contact(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A person or company that can be reached."""

    email: Email | None = None
    first_name: Text50 | None = None
    last_name: Text50 | None = None
    company: Text255 | None = None
    phone: Text64 | None = None
    address: Address | None = None


class Recipient(Contact, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Who the goods go to, when it is not the buyer."""

    type: Literal["GIFT_PURCHASE", "SHIP_TO", "SAME_AS_BILL_TO"] | None = None


class Identity(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A gaming identity, for providers whose customers are players."""

    platform: Annotated[str, Meta(pattern=r"^[a-z_]{1,32}$(?!\n)", examples=["steam"])]
    id: Annotated[str, Meta(min_length=1, max_length=128, pattern=PRINTABLE)]


class Customer(Contact, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """The buyer as the storefront knows them."""

    ship_to: Recipient | None = None
    tax_id: Text255 | None = None
    tax_id_region: Annotated[str, Meta(max_length=2, pattern=PRINTABLE)] | None = None
    identity: Identity | None = None


class Discount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """One tier: from `minQuantity` on, `percent` or `amount` off."""

    min_quantity: Quantity = 1
    percent: Percent | None = None
    amount: Prices | None = None


class Pricing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What a caller may fix about a price, in one vocabulary for every provider."""

    price: Prices | None = None
    discounts: Annotated[tuple[Discount, ...], Meta(max_length=32)] | None = None
    discount_duration: Periods | None = None
    setup_fee: Prices | None = None
    shipping_fee: Prices | None = None
    eds_fee: Prices | None = None
    trial: Days | None = None
    paid_trial: bool | None = None
    trial_price: Prices | None = None
    payment_collected: bool | None = None
    renew: Literal["auto", "manual", "opt-auto", "opt-manual"] | None = None
    interval: Literal["adhoc", "day", "week", "month", "year"] | None = None
    interval_length: Periods | None = None
    interval_count: Periods | None = None
    quantity_behavior: QuantityBehavior | None = None
    quantity_default: Quantity | None = None


LanguageMap = Annotated[dict[Annotated[str, Meta(pattern=r"^[a-z]{2}$(?!\n)")], Text512], Meta(max_length=64)]


class Descriptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Texts of an item by language, and its picture."""

    display: LanguageMap | None = None
    instructions: LanguageMap | None = None
    summary: LanguageMap | None = None
    image_url: Url | None = None


class PayoutSplit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A share of an item's revenue; both numbers are in basis points."""

    payout_id: Annotated[str, Meta(min_length=1, max_length=64, pattern=PRINTABLE)]
    percentage: float | None = None
    platform_fee: Annotated[int, Meta(ge=0, le=10_000)] | None = None


class ItemFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What anybody may say of an item."""

    product: Product
    quantity: Quantity = 1
    attributes: StringMap | None = None
    subscription: bool | None = None
    trial: bool | None = None
    gift_to: Identity | None = None
    game_server: FlakeId | None = None
    custom_variables: StringMap | None = None


class Item(ItemFields, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """One line of the cart, with what only a server may say of it."""

    pricing: Pricing | None = None
    quantity_behavior: QuantityBehavior | None = None
    quantity_default: Quantity | None = None
    descriptions: Descriptions | None = None
    metadata: StringMap | None = None
    gift_to_customer_id: FlakeId | None = None
    inline_product: InlineProduct | None = None
    payout_splits: Annotated[tuple[PayoutSplit, ...], Meta(max_length=32)] | None = None


class RequestFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What anybody may say of a checkout."""

    checkout: Annotated[str, Meta(max_length=64, examples=["default"])] = "default"
    coupon: Text256 | None = None
    customer: Customer | None = None
    country: Country | None = None
    language: Language | None = None
    quote: Annotated[str, Meta(max_length=32768)] | None = None
    challenge: Annotated[str, Meta(max_length=4096)] | None = None
    return_url: Url | None = None
    cancel_url: Url | None = None
    affiliate_code: Text64 | None = None
    promo_codes: Annotated[tuple[Text64, ...], Meta(max_length=16)] | None = None
    fresh: bool = False


class Lookup(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """The shop's own key of an account."""

    custom: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{4,255}$(?!\n)")]


class OrderRequest(RequestFields, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Everything that may be asked for; all that stands here and not in `RequestFields` is for servers only."""

    items: Annotated[tuple[Item, ...], Meta(max_length=100)] = ()
    order_tags: StringMap | None = None
    buyer_ip: Annotated[str, Meta(max_length=45)] | None = None
    payment_methods_order: PaymentMethods | None = None
    hide_payment_methods: PaymentMethods | None = None
    live: bool | None = None
    account_id: Text64 | None = None
    external_account_id: Annotated[str, Meta(pattern=r"^([_a-zA-Z0-9-]{4,512})?$(?!\n)")] | None = None
    account_tags: StringMap | None = None
    lookup: Lookup | None = None
    expiration_days: Annotated[int, Meta(ge=1, le=7)] | None = None
    customer_id: FlakeId | None = None
    customer_token: Annotated[str, Meta(max_length=4096)] | None = None
    coupon_id: FlakeId | None = None
    metadata: StringMap | None = None
    auto_redirect: bool | None = None


class Order(OrderRequest, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A request that policy admitted, with everything added that the service knows: what a provider renders.

    `pseudonym` is a keyed hash of the buyer key, for providers that want a name for a buyer of whom nothing is known.
    """

    reference: str
    live: bool = False
    pseudonym: str | None = None


class Money(Struct, frozen=True, kw_only=True, rename="camel"):
    """An amount in the currency's own exponent, and as the buyer reads it."""

    amount: Annotated[str, Meta(examples=["44.10"])]
    currency: Annotated[str, Meta(examples=["EUR"])]
    display: Annotated[str, Meta(examples=["44,10 €"])]


class UpstreamWarning(Struct, frozen=True, kw_only=True, rename="camel"):
    """Something the provider ignored; `field` in our vocabulary."""

    code: str
    field: str | None = None


class Script(Struct, frozen=True, kw_only=True, rename="camel"):
    """A script tag of the provider's popup."""

    src: str
    attributes: dict[str, str]


class Opener(Struct, frozen=True, kw_only=True, rename="camel"):
    """How a page opens the popup, as data: which script, which function, which arguments.

    `closed` says how the popup tells that it was closed: `{"attribute": NAME}` names the script attribute that takes
    the name of a global function; `{"on": NAME, "completed": EVENT, "closed": EVENT}` the function that takes the name
    of an event and a listener.
    """

    script: Script
    call: str
    arguments: tuple[str | dict[str, str], ...]
    closed: dict[str, str]


class SessionItem(Struct, frozen=True, kw_only=True, rename="camel"):
    """A line as the provider took it; `locked` tells whether the buyer may change the quantity."""

    product: str
    quantity: int
    locked: bool | None = None


class ProviderSession(Struct, frozen=True, kw_only=True):
    """What a provider answered, in our words. A member is None where the provider does not say."""

    session_id: str
    token: str | None
    checkout_url: str
    expires_at: datetime
    payable: bool = True
    live: bool | None = None
    country: str | None = None
    currency: str | None = None
    total: Money | None = None
    net_total: str | None = None
    items: tuple[SessionItem, ...] | None = None
    tags: dict[str, str] | None = None
    warnings: tuple[UpstreamWarning, ...] = ()
