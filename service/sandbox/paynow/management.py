"""The body of the management call, with its inline product: a product that exists for one checkout alone."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from service.sandbox.paynow.flake import FlakeId
from service.sandbox.paynow.wire import CheckoutRequest, Int32, Int64, Line, TextMap, Wire

IntervalScale = Literal["invalid", "day", "week", "month", "year"]
RemovalScale = Literal["invalid", "day", "week", "month"]
CommandStage = Literal[
    "invalid",
    "on_purchase",
    "on_expire",
    "on_refund",
    "on_renew",
    "on_chargeback",
    "on_trial_start",
    "on_trial_expire",
]
TaxCode = Literal[
    "unknown",
    "digital_goods_subscription",
    "digital_goods_permanent",
    "saas",
    "downloaded_software",
    "digital_goods_subscription_gaming",
    "digital_goods_permanent_gaming",
    "iaas",
    "paas",
    "saas_security",
    "saas_storage",
]
Moment = Annotated[datetime, Meta(tz=True)]


class Trial(Wire, frozen=True):
    enabled: bool | None = None
    period_value: Int32 | None = None
    period_scale: IntervalScale | UnsetType = UNSET
    revoke_immediately_when_canceled: bool | None = None
    new_customers_only: bool | None = None
    new_customer_order_lookback_value: Int32 | None = None
    new_customer_order_lookback_scale: IntervalScale | UnsetType = UNSET
    allow_repeat_trials: bool | None = None
    repeat_trial_cooldown_value: Int32 | None = None
    repeat_trial_cooldown_scale: IntervalScale | UnsetType = UNSET


class Recommendation(Wire, frozen=True):
    recommended_product_id: FlakeId
    type: Literal["unknown", "additional", "alternative", "increase_quantity"]
    discount_type: Literal["unknown", "none", "fixed", "percentage"]
    discount_amount: Int64
    prefer_as_subscription: bool
    minimum_base_product_quantity: Int32 | None = None
    minimum_recommended_product_quantity: Int32 | None = None
    quantity_to_add: Int32 | None = None


class Upselling(Wire, frozen=True):
    enabled: bool | None = None
    recommendations: list[Recommendation] | None = None


class StockLimit(Wire, frozen=True):
    enabled: bool
    time_scale: IntervalScale
    include_trials: bool
    quantity: Int32 | None = None
    time_value: Int32 | None = None


class Command(Wire, frozen=True):
    stage: CommandStage
    content: str
    online_only: bool
    override_execute_on_gameserver_ids: list[FlakeId] | None = None


class DeliverableActions(Wire, frozen=True):
    grant_giftcard: bool


class ProductPayoutSplit(Wire, frozen=True):
    """Unlike a line's split it names a user, and always a fee."""

    user_id: FlakeId
    platform_fee: Int64
    percentage: Int64 | None = None


class InlineProduct(Wire, frozen=True):
    slug: str | None = None
    name: str | None = None
    description: str | None = None
    label: str | None = None
    price: Int64 | None = None
    single_game_server_only: bool | None = None
    allow_one_time_purchase: bool | None = None
    allow_subscription: bool | None = None
    subscription_interval_value: Int32 | None = None
    subscription_interval_scale: IntervalScale | UnsetType = UNSET
    trial: Trial | UnsetType = UNSET
    upselling: Upselling | UnsetType = UNSET
    remove_after_enabled: bool | None = None
    remove_after_time_value: Int32 | None = None
    remove_after_time_scale: RemovalScale | UnsetType = UNSET
    store_stock_limit: StockLimit | UnsetType = UNSET
    customer_stock_limit: StockLimit | UnsetType = UNSET
    stock_limit_do_not_include_removed: bool | None = None
    tags: list[FlakeId] | None = None
    gameservers: list[FlakeId] | None = None
    commands: list[Command] | None = None
    deliverable_actions: DeliverableActions | UnsetType = UNSET
    metadata: TextMap | None = None
    payout_splits: list[ProductPayoutSplit] | None = None
    tax_code: TaxCode | UnsetType = UNSET
    allow_concurrent_active_items: bool | None = None
    is_hidden: bool | None = None
    is_gifting_disabled: bool | None = None
    enabled_at: Moment | None = None
    enabled_until: Moment | None = None
    required_product_ids: list[FlakeId] | None = None
    required_product_all: bool | None = None
    custom_variable_ids: list[FlakeId] | None = None
    is_gift_cards_disabled: bool | None = None
    is_coupons_disabled: bool | None = None
    is_affiliate_links_disabled: bool | None = None
    tier_group_id: FlakeId | UnsetType = UNSET


class PayoutSplit(Wire, frozen=True):
    """Shares in basis points; the last split of a line has none and gets what is left."""

    payout_id: str
    percentage: Int64 | None = None
    platform_fee: Int64 | None = None


class ManagementLine(Line, frozen=True):
    product_id: FlakeId | UnsetType = UNSET
    inline_product: InlineProduct | UnsetType = UNSET
    payout_splits: list[PayoutSplit] | None = None
    metadata: TextMap | None = None


class Address(Wire, frozen=True):
    country: str | None = None
    state: str | None = None
    city: str | None = None
    postal_code: str | None = None
    line_1: str | None = None
    line_2: str | None = None


class CustomerDetails(Wire, frozen=True):
    billing_name: str | None = None
    billing_email: str | None = None
    billing_tax_id: str | None = None
    billing_address: Address | UnsetType = UNSET


class ManagementRequest(CheckoutRequest, frozen=True, kw_only=True):
    customer_id: FlakeId
    lines: list[ManagementLine]
    metadata: TextMap | None = None
    customer_details: CustomerDetails | UnsetType = UNSET
