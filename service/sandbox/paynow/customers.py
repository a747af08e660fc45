"""Customers: a gaming identity or a plain name, never an e-mail address."""

import uuid
from collections.abc import Callable, Mapping
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from service.sandbox.documents import Document
from service.sandbox.paynow.reading import converted
from service.sandbox.paynow.wire import PlatformAccount, TextMap, Wire
from service.sandbox.refusal import bad_field

Number = Annotated[str, Meta(pattern=r"^[0-9]{1,20}\Z")]
MinecraftPlatform = Literal["unknown", "java", "bedrock"]


class CustomerRequest(Wire, frozen=True):
    """The body of a create and of an update."""

    steam_id: Number | UnsetType = UNSET
    minecraft_uuid: str | UnsetType | None = UNSET
    minecraft_platform: MinecraftPlatform | UnsetType = UNSET
    xbox_xuid: str | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET
    metadata: TextMap | UnsetType | None = UNSET


class MinecraftProfile(Struct, frozen=True, kw_only=True):
    id: str
    name: str
    avatar_url: str


class Customer(Struct, frozen=True, kw_only=True):
    id: str
    store_id: str
    created_at: str
    metadata: TextMap = {}
    updated_at: str | UnsetType = UNSET
    steam_id: str | UnsetType = UNSET
    minecraft_uuid: str | UnsetType | None = UNSET
    minecraft_platform: str | UnsetType = UNSET
    minecraft: MinecraftProfile | UnsetType = UNSET
    xbox_xuid: str | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET

    def shows(self, text: str) -> bool:
        texts = (self.id, self.steam_id, self.minecraft_uuid, self.xbox_xuid, self.name)
        return any(isinstance(value, str) and text.lower() in value.lower() for value in texts)


def given(request: CustomerRequest) -> Document:
    """The members that the request has; metadata stands for itself as a whole."""
    members: Document = {name: value for name, value in structs.asdict(request).items() if value is not UNSET}
    if "metadata" in members:
        members["metadata"] = members["metadata"] or {}
    return members


def named_in_minecraft(platform: str) -> Callable[[Customer, str], bool]:
    def holds(customer: Customer, name: str) -> bool:
        profile = customer.minecraft
        return profile is not UNSET and customer.minecraft_platform == platform and profile.name == name

    return holds


# A name that a platform gave is not found by `name`, which is only what was set on the customer itself.
LOOKUPS: Mapping[str, Callable[[Customer, str], bool]] = {
    "id": lambda customer, value: customer.id == value,
    "steam_id": lambda customer, value: customer.steam_id == value,
    "minecraft_uuid": lambda customer, value: customer.minecraft_uuid == value,
    "xbox_xuid": lambda customer, value: customer.xbox_xuid == value,
    "minecraft_java_name": named_in_minecraft("java"),
    "minecraft_bedrock_name": named_in_minecraft("bedrock"),
    "name": lambda customer, value: customer.name == value,
}
LOOKUP_BY_PLATFORM: Mapping[str, str] = {
    "steam": "steam_id",
    "minecraft": "minecraft_java_name",
    "minecraft_java_name": "minecraft_java_name",
    "minecraft_bedrock_name": "minecraft_bedrock_name",
    "minecraft_uuid": "minecraft_uuid",
    "xbox_xuid": "xbox_xuid",
    "paynow_name": "name",
    "paynow": "name",
}
MINECRAFT_PLATFORMS: Mapping[str, str] = {"minecraft_java_name": "java", "minecraft_bedrock_name": "bedrock"}


def lookup_of(account: PlatformAccount, field: str) -> tuple[str, str]:
    """How a customer with this account on a platform is looked up."""
    if account.platform not in LOOKUP_BY_PLATFORM or not account.id:
        raise bad_field(field, "Not an account on a platform", value=account.id)
    return LOOKUP_BY_PLATFORM[account.platform], account.id


def identity(lookup: str, value: str) -> Document:
    """The members of a new customer that this lookup then finds."""
    if lookup not in MINECRAFT_PLATFORMS:
        return given(converted({lookup: value}, CustomerRequest))
    player = str(uuid.uuid5(uuid.NAMESPACE_DNS, value))
    profile = MinecraftProfile(id=player, name=value, avatar_url=f"https://avatars.example/{player}")
    platform = MINECRAFT_PLATFORMS[lookup]
    return {"minecraft": profile, "minecraft_uuid": player, "minecraft_platform": platform}
