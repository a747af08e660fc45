"""The bodies of both checkout calls; unknown members are refused at every level.

A member that may be null defaults to None, one that may only be left out to UNSET.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from service.sandbox.paynow.flake import FlakeId

Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
TextMap = dict[str, str]
Platform = Literal[
    "invalid",
    "steam",
    "minecraft",
    "paynow_name",
    "paynow",
    "minecraft_java_name",
    "minecraft_bedrock_name",
    "xbox_xuid",
    "minecraft_uuid",
]


class Wire(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything that is sent to us."""


class PlatformAccount(Wire, frozen=True):
    platform: Platform
    id: str


class Line(Wire, frozen=True):
    """What a line may say in either call."""

    quantity: Int32
    subscription: bool | None = None
    trial: bool | None = None
    gift_to: PlatformAccount | UnsetType = UNSET
    gift_to_customer_id: FlakeId | UnsetType = UNSET
    selected_gameserver_id: FlakeId | UnsetType = UNSET
    custom_variables: TextMap | None = None


class CheckoutRequest(Wire, frozen=True):
    """What a checkout may say in either call, its lines apart."""

    coupon_id: FlakeId | UnsetType = UNSET
    promo_codes: list[str] | None = None
    affiliate_code: str | None = None
    return_url: str | None = None
    cancel_url: str | None = None
    auto_redirect: bool | None = None


class StorefrontLine(Line, frozen=True, kw_only=True):
    product_id: FlakeId


class StorefrontRequest(CheckoutRequest, frozen=True, kw_only=True):
    lines: list[StorefrontLine]
