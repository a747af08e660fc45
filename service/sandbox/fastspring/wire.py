"""The requests of the v2 session API, with every limit that is documented; unknown members are refused."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from service.sandbox.money import PER_DOLLAR

Text2 = Annotated[str, Meta(max_length=2)]
Text50 = Annotated[str, Meta(max_length=50)]
Text64 = Annotated[str, Meta(max_length=64)]
Text255 = Annotated[str, Meta(max_length=255)]
Text256 = Annotated[str, Meta(max_length=256)]
Text512 = Annotated[str, Meta(max_length=512)]
Amount = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]
CurrencyCode = Annotated[str, Meta(pattern=f"^({'|'.join(PER_DOLLAR)})$")]
Language = Literal[
    "ar", "cs", "da", "de", "en", "es", "fi", "fr", "hr", "it", "iw",
    "ja", "ko", "nl", "no", "pl", "pt", "ru", "sk", "sv", "tr", "zh",
]  # fmt: skip
PaymentMethodType = Literal[
    "ACH", "ALIPAY", "AMAZON", "APPLE_PAY", "CARD", "GOOGLE_PAY", "IDEAL", "KAKAOPAY", "KLARNA",
    "MERCADO_PAGO", "PAYPAL", "PIX", "SEPA", "TOSS", "UPI", "WECHAT_PAY", "WIRE", "QUOTE",
    "PURCHASE_ORDER", "UNKNOWN",
]  # fmt: skip
PriceMap = dict[CurrencyCode, Amount]
LanguageMap = dict[Language, Text512]


class Wire(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Base of everything that is sent to us; an absent member is UNSET, and null is refused."""


class Contact(Wire, frozen=True):
    email: Text255 | UnsetType = UNSET
    first_name: Text50 | UnsetType = UNSET
    last_name: Text50 | UnsetType = UNSET
    company: Text255 | UnsetType = UNSET
    phone_number: Text64 | UnsetType = UNSET


class Address(Wire, frozen=True):
    address_line1: Text256 | UnsetType = UNSET
    address_line2: Text256 | UnsetType = UNSET
    city: Text256 | UnsetType = UNSET
    region: Text256 | UnsetType = UNSET
    postal_code: Text50 | UnsetType = UNSET


class Customer(Wire, frozen=True):
    account_id: Text64 | UnsetType = UNSET
    external_account_id: Annotated[str, Meta(min_length=4, max_length=512, pattern="^[_a-zA-Z0-9-]+$")] | UnsetType = (
        UNSET
    )
    bill_to_contact: Contact | UnsetType = UNSET
    ship_to_contact: Contact | UnsetType = UNSET
    bill_to_address: Address | UnsetType = UNSET
    ship_to_address: Address | UnsetType = UNSET
    ship_to_type: Literal["GIFT_PURCHASE", "SHIP_TO", "SAME_AS_BILL_TO"] | UnsetType = UNSET
    account_tags: dict[str, str] | UnsetType = UNSET
    tax_id: Text255 | UnsetType = UNSET
    tax_id_region: Text2 | UnsetType = UNSET


class Discount(Wire, frozen=True):
    min_quantity: Annotated[int, Meta(ge=1)] = 1
    amount_discount: PriceMap | UnsetType = UNSET
    percent_discount: Annotated[int, Meta(ge=0, le=100)] | UnsetType = UNSET


class CustomPrice(Wire, frozen=True):
    unit_price: PriceMap | UnsetType = UNSET
    discounts: list[Discount] | UnsetType = UNSET
    discount_duration: Count | UnsetType = UNSET
    setup_fee: PriceMap | UnsetType = UNSET
    shipping_fee: PriceMap | UnsetType = UNSET
    eds_fee: PriceMap | UnsetType = UNSET


class Descriptions(Wire, frozen=True):
    display: LanguageMap | UnsetType = UNSET
    instructions: LanguageMap | UnsetType = UNSET
    summary: LanguageMap | UnsetType = UNSET
    image_url: str | UnsetType = UNSET


class BillingFrequency(Wire, frozen=True):
    interval_unit: Literal["DAY", "WEEK", "MONTH", "YEAR", "ON_DEMAND"] | UnsetType = UNSET
    interval_length: Count | UnsetType = UNSET
    interval_count: Count | UnsetType = UNSET


class SubscriptionOverrides(Wire, frozen=True):
    trial_days: Count | UnsetType = UNSET
    billing_frequency: BillingFrequency | UnsetType = UNSET


class Item(Wire, frozen=True):
    product_path: Annotated[str, Meta(min_length=1, max_length=256)]
    quantity: Annotated[int, Meta(ge=1)] = 1
    quantity_behavior: Literal["ALLOW", "LOCK", "HIDE"] | UnsetType = UNSET
    quantity_default: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    descriptions: Descriptions | UnsetType = UNSET
    custom_price: CustomPrice | UnsetType = UNSET
    attributes: dict[str, str] | UnsetType = UNSET
    subscription_overrides: SubscriptionOverrides | UnsetType = UNSET


class CartRequest(Wire, frozen=True):
    coupon_code: Text256 | UnsetType = UNSET
    line_items: list[Item] = []


class SessionRequest(Wire, frozen=True):
    locale: Annotated[str, Meta(max_length=5)] | UnsetType = UNSET
    country: Annotated[str, Meta(pattern="^[A-Za-z]{2}$")] | UnsetType = UNSET
    buyer_ip: Annotated[str, Meta(max_length=39)] | UnsetType = UNSET
    live: bool = True
    customer: Customer = Customer()
    order_tags: dict[str, str] | UnsetType = UNSET
    cart: CartRequest = CartRequest()
    payment_methods_order: list[PaymentMethodType] = []
    hide_payment_methods: list[PaymentMethodType] = []
