"""What a shop configures for FastSpring v2: the account's credentials, the checkout path, the popup's storefront."""

import base64
from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from service.checkout.acceptance import Expectations
from service.checkout.settings import CheckoutSettings
from service.config.secret import Secret
from service.config.types import HttpsUrl, is_loopback_host, url_fault
from service.providers.base import UpstreamSettings


class BasicCredentials(Struct, frozen=True, kw_only=True):
    """One generation: API username and password (in the app: Developer Tools > APIs > API Credentials)."""

    username: Secret
    password: Secret


class FastSpringUpstream(UpstreamSettings, frozen=True, kw_only=True):
    """A FastSpring account; one pair of credentials serves live and test."""

    base_url: HttpsUrl = "https://api.fastspring.com"
    credentials: Annotated[tuple[BasicCredentials, ...], Meta(min_length=1)]

    def authorizations(self) -> tuple[str, ...]:
        """HTTP Basic, newest generation first."""
        pairs = (f"{one.username.reveal()}:{one.password.reveal()}" for one in self.credentials)
        return tuple("Basic " + base64.b64encode(pair.encode()).decode() for pair in pairs)


CheckoutPath = Annotated[
    str,
    Meta(
        pattern=r"^(?!\.{1,2}/)[A-Za-z0-9_.-]{1,128}/(?!\.{1,2}$)[A-Za-z0-9_.-]{1,128}$(?!\n)",
        examples=["acme/popup-checkout"],
    ),
]
StorefrontPath = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._/-]*)?$(?!\n)",
        examples=["acme.onfastspring.com/popup-checkout"],
    ),
]


class FastSpringV2Checkout(CheckoutSettings, frozen=True, kw_only=True):
    """A checkout: `path` is `{store}/{type}-{name}`, `storefront` the host and path that the popup loads."""

    path: CheckoutPath
    storefront: StorefrontPath | None = None
    builder_url: HttpsUrl = "https://sbl.onfastspring.com/sbl/1.0.3/fastspring-builder.min.js"

    def faults(self) -> Iterator[tuple[str, str]]:
        """Rules over several keys."""
        yield from CheckoutSettings.faults(self)
        if self.path.partition("/")[0].endswith(".onfastspring.com"):
            yield "path", "begins with the store's id alone, for example acme/popup-checkout"
        if fault := url_fault(self.builder_url):
            yield "builder_url", fault


def advice(checkout: FastSpringV2Checkout) -> Iterator[tuple[str, str]]:
    """What `check` warns about: a session of one mode cannot be paid on the other mode's storefront."""
    host = (checkout.storefront or "").partition("/")[0]
    if host.endswith(".onfastspring.com") and checkout.live == (".test." in host):
        wanted = "acme.onfastspring.com/…" if checkout.live else "acme.test.onfastspring.com/…"
        yield "storefront", f"its host and `live` are of different modes: name one like {wanted}"


def expectations(checkout: FastSpringV2Checkout, upstream: FastSpringUpstream) -> Expectations:
    """The hosts that a checkout page may be on: FastSpring's, and the seller's own."""
    own = {urlsplit(f"//{checkout.storefront or ''}").hostname, urlsplit(checkout.fallback_url or "").hostname}
    return Expectations(
        hosts=(".onfastspring.com", *sorted(host for host in own if host)),
        loopback=is_loopback_host(urlsplit(upstream.base_url).hostname or ""),
        accept_warnings=checkout.accept_warnings,
    )
