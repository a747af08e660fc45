"""What a shop configures for PayNow: the account's API keys, the store, which call to use, and who may buy."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from service.checkout.acceptance import Expectations
from service.checkout.models import OrderRequest
from service.checkout.settings import CheckoutSettings
from service.config.secret import Secret
from service.config.types import HttpsUrl, Seconds, is_loopback_host, url_fault
from service.providers.base import UpstreamSettings
from service.providers.paynow_gg.vocabulary import is_flake_id

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
StoreId = Annotated[str, Meta(pattern=r"^[0-9]{1,19}$(?!\n)", examples=["411486491630370816"])]
_PASTED_PREFIX = re.compile(r"APIKey +", re.IGNORECASE)
_KEY = re.compile(r"[!-~]+")
# "A Minecraft name may be claimed"; anything else the shop must have proven (docs: signing customers in).
_MAY_BE_CLAIMED = frozenset({"minecraft", "minecraft_java_name", "minecraft_bedrock_name"})


class ApiKey(Struct, frozen=True, kw_only=True):
    """One generation of the store's API key."""

    api_key: Secret

    def key(self) -> str:
        """The key alone; one that was pasted with the prefix that the documentation shows is taken too."""
        return _PASTED_PREFIX.sub("", self.api_key.reveal(), count=1)

    def faults(self) -> Iterator[tuple[str, str]]:
        """A key that no header could carry."""
        if not _KEY.fullmatch(self.key()):
            yield "api_key", "is no API key: write the key alone, in one line, without spaces or special letters"


class PayNowUpstream(UpstreamSettings, frozen=True, kw_only=True):
    """A PayNow account."""

    base_url: HttpsUrl = "https://api.paynow.gg"
    credentials: Annotated[tuple[ApiKey, ...], Meta(min_length=1)]

    def authorizations(self) -> tuple[str, ...]:
        """`APIKey KEY`, newest generation first."""
        return tuple(f"APIKey {one.key()}" for one in self.credentials)


class PayNowCheckout(CheckoutSettings, frozen=True, kw_only=True):
    """A store.

    `session_seconds` is how long a session is taken to live, as PayNow does not say. `browser_identities` are the
    platforms that a browser may claim an identity of; with `customer_identity = "name"` a buyer of whom nothing is
    known is a customer named by a keyed hash of the buyer key.
    """

    store_id: StoreId
    mode: Literal["management", "storefront"] = "management"
    session_seconds: Seconds = 3600
    browser_identities: tuple[Platform, ...] = ()
    customer_identity: Literal["name"] | None = None
    builder_url: HttpsUrl = "https://cdn.paynow.gg/paynow-js/bundle.js"

    def refused_from_browsers(self, request: OrderRequest) -> Iterator[str]:
        """Also an identity of a platform that a browser may not claim here."""
        yield from CheckoutSettings.refused_from_browsers(self, request)
        identity = request.customer and request.customer.identity
        if identity and identity.platform not in self.browser_identities:
            yield "customer.identity"

    def faults(self) -> Iterator[tuple[str, str]]:
        """Rules over several keys."""
        yield from CheckoutSettings.faults(self)
        if not self.live:
            yield "live", "PayNow has no test mode: write true"
        if not is_flake_id(self.store_id):
            yield "store_id", "is no id of PayNow's: copy it from the dashboard"
        if self.session_seconds <= self.expiry_margin_seconds:
            yield "session_seconds", "is not above `expiry_margin_seconds`, so no session could be handed out: raise it"
        if fault := url_fault(self.builder_url):
            yield "builder_url", fault


def advice(checkout: PayNowCheckout) -> Iterator[tuple[str, str]]:
    """What `check` warns about."""
    if not checkout.browser_identities and checkout.customer_identity is None:
        text = "no browser can buy, as nothing says who the buyer is"
        yield "customer_identity", f'{text}: write "name", or name the platforms of browser_identities'
    for index, platform in enumerate(checkout.browser_identities):
        if platform not in _MAY_BE_CLAIMED:
            text = "anybody can claim such an identity: have your server prove it and ask for the checkout as a caller"
            yield f"browser_identities[{index}]", text
    if checkout.mode == "storefront" and checkout.default_country is None:
        text = "PayNow asks for the buyer's address or country, and a request may tell neither: name a country"
        yield "default_country", text


def expectations(_checkout: PayNowCheckout, upstream: PayNowUpstream) -> Expectations:
    """The one host that a checkout page may be on."""
    loopback = is_loopback_host(urlsplit(upstream.base_url).hostname or "")
    return Expectations(hosts=("checkout.paynow.gg",), loopback=loopback)
