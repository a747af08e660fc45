"""A product that exists for one checkout alone: PayNow's inline product in our spelling.

Each member is PayNow's own in camelCase (github.com/paynow-gg/openapi, InlineProductCreateDto), so its snake_case
name is what is sent. Amounts are in the smallest unit of the store's currency.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from service.checkout.scalars import FlakeId, StringMap, Text255

MinorUnits = Annotated[int, Meta(ge=0, le=2**63 - 1, description="In the currency's smallest unit.", examples=[2450])]
BasisPoints = Annotated[int, Meta(ge=0, le=10_000, description="Hundredths of a percent.", examples=[250])]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Interval = Literal["day", "week", "month", "year"]
Moment = Annotated[datetime, Meta(tz=True, examples=["2026-01-01T10:00:00Z"])]
FlakeIds = Annotated[tuple[FlakeId, ...], Meta(max_length=100)]
Text = Annotated[str, Meta(max_length=10_000)]
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
CommandStage = Literal[
    "on_purchase", "on_expire", "on_refund", "on_renew", "on_chargeback", "on_trial_start", "on_trial_expire"
]


class ProductTrial(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """How the product may be tried, and who may try it."""

    enabled: bool | None = None
    period_value: Count | None = None
    period_scale: Interval | None = None
    revoke_immediately_when_canceled: bool | None = None
    new_customers_only: bool | None = None
    new_customer_order_lookback_value: Count | None = None
    new_customer_order_lookback_scale: Interval | None = None
    allow_repeat_trials: bool | None = None
    repeat_trial_cooldown_value: Count | None = None
    repeat_trial_cooldown_scale: Interval | None = None


class Recommendation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A product that is offered beside this one; `discountAmount` by its type in minor units or per cent."""

    recommended_product_id: FlakeId
    type: Literal["additional", "alternative", "increase_quantity"]
    discount_type: Literal["none", "fixed", "percentage"]
    discount_amount: MinorUnits
    prefer_as_subscription: bool
    minimum_base_product_quantity: Count | None = None
    minimum_recommended_product_quantity: Count | None = None
    quantity_to_add: Count | None = None


class Upselling(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What else is offered to who buys the product."""

    enabled: bool | None = None
    recommendations: Annotated[tuple[Recommendation, ...], Meta(max_length=32)] | None = None


class StockLimit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """How many may be bought in a span of time."""

    enabled: bool
    time_scale: Interval
    include_trials: bool
    quantity: Count | None = None
    time_value: Count | None = None


class ProductCommand(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What a game server runs at a stage of the product's life."""

    stage: CommandStage
    content: Text
    online_only: bool
    override_execute_on_gameserver_ids: FlakeIds | None = None


class DeliverableActions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What is delivered beside commands."""

    grant_giftcard: bool


class ProductPayoutSplit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A share of the product's revenue; unlike a line's split it names a user. The last one has no percentage."""

    user_id: FlakeId
    platform_fee: BasisPoints
    percentage: BasisPoints | None = None


class InlineProduct(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A product made up for one line; PayNow lets a store do this on request only."""

    slug: Text255 | None = None
    name: Text255 | None = None
    description: Text | None = None
    label: Text255 | None = None
    price: MinorUnits | None = None
    single_game_server_only: bool | None = None
    allow_one_time_purchase: bool | None = None
    allow_subscription: bool | None = None
    subscription_interval_value: Count | None = None
    subscription_interval_scale: Interval | None = None
    trial: ProductTrial | None = None
    upselling: Upselling | None = None
    remove_after_enabled: bool | None = None
    remove_after_time_value: Count | None = None
    remove_after_time_scale: Literal["day", "week", "month"] | None = None
    store_stock_limit: StockLimit | None = None
    customer_stock_limit: StockLimit | None = None
    stock_limit_do_not_include_removed: bool | None = None
    tags: FlakeIds | None = None
    gameservers: FlakeIds | None = None
    commands: Annotated[tuple[ProductCommand, ...], Meta(max_length=64)] | None = None
    deliverable_actions: DeliverableActions | None = None
    metadata: StringMap | None = None
    payout_splits: Annotated[tuple[ProductPayoutSplit, ...], Meta(max_length=32)] | None = None
    tax_code: TaxCode | None = None
    allow_concurrent_active_items: bool | None = None
    is_hidden: bool | None = None
    is_gifting_disabled: bool | None = None
    enabled_at: Moment | None = None
    enabled_until: Moment | None = None
    required_product_ids: FlakeIds | None = None
    required_product_all: bool | None = None
    custom_variable_ids: FlakeIds | None = None
    is_gift_cards_disabled: bool | None = None
    is_coupons_disabled: bool | None = None
    is_affiliate_links_disabled: bool | None = None
    tier_group_id: FlakeId | None = None
