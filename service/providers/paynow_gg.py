"""PayNow.gg: its settings, read and checked; the adapter is still to come."""

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct

from service.checkout.settings import CheckoutSettings
from service.config.secret import Secret
from service.config.types import LATER, HttpsUrl, Seconds
from service.providers.base import ProviderModule, UpstreamSettings

Platform = Literal[
    "steam",
    "minecraft",
    "paynow_name",
    "paynow",
    "minecraft_java_name",
    "minecraft_bedrock_name",
    "xbox_xuid",
    "minecraft_uuid",
]
StoreId = Annotated[str, Meta(pattern=r"^[0-9]{1,19}$(?!\n)", examples=["411486491630370816"]), LATER]


class ApiKey(Struct, frozen=True, kw_only=True):
    """One generation of the store's API key."""

    api_key: Secret


class PayNowUpstream(UpstreamSettings, frozen=True, kw_only=True):
    """A PayNow account."""

    base_url: HttpsUrl = "https://api.paynow.gg"
    credentials: Annotated[tuple[ApiKey, ...], Meta(min_length=1)]

    def authorizations(self) -> tuple[str, ...]:
        """`APIKey KEY`, newest generation first; a key that was pasted with its prefix is taken too."""
        keys = (one.api_key.reveal() for one in self.credentials)
        return tuple(f"APIKey {key.removeprefix('APIKey ')}" for key in keys)


class PayNowCheckout(CheckoutSettings, frozen=True, kw_only=True):
    """A store; `session_seconds` is how long a session is taken to live, as PayNow does not say."""

    store_id: StoreId
    mode: Annotated[Literal["management", "storefront"], LATER] = "management"
    session_seconds: Annotated[Seconds, LATER] = 3600
    browser_identities: Annotated[tuple[Platform, ...], LATER] = ()
    customer_identity: Annotated[Literal["name"] | None, LATER] = None

    def faults(self) -> Iterator[tuple[str, str]]:
        """Rules over several keys."""
        yield from CheckoutSettings.faults(self)
        if not self.live:
            yield "live", "PayNow has no test mode: write true"


PROVIDER = ProviderModule(
    name="paynow_gg",
    upstream_settings=PayNowUpstream,
    checkout_settings=PayNowCheckout,
    # PayNow takes no payment-method, language or item-attribute fields, locks no quantity and warns of nothing.
    no_use_for=frozenset({"payment_methods", "accept_warnings", "lock_quantity", "attributes"}),
)
