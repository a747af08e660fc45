"""What a shop configures for FastSpring v2: the account's credentials, the checkout path, the popup's storefront."""

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

from service.checkout.acceptance import Expectations
from service.checkout.settings import CheckoutSettings
from service.config.types import HttpsUrl, is_loopback_host, url_fault
from service.providers.fastspring import BUILDER_URL, FastSpringUpstream, mode_advice

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
    builder_url: HttpsUrl = BUILDER_URL

    def segments(self) -> tuple[str, ...]:
        """Where the checkout's sessions are: the slash of `path` separates; encoded, it names what does not exist."""
        return ("v2", "checkouts", *self.path.split("/"), "sessions")

    def faults(self) -> Iterator[tuple[str, str]]:
        """Rules over several keys."""
        yield from CheckoutSettings.faults(self)
        if self.path.partition("/")[0].endswith(".onfastspring.com"):
            yield "path", "begins with the store's id alone, for example acme/popup-checkout"
        if fault := url_fault(self.builder_url):
            yield "builder_url", fault


def advice(checkout: FastSpringV2Checkout) -> Iterator[tuple[str, str]]:
    """What `check` warns about: a storefront of the other mode."""
    return mode_advice(checkout.storefront, live=checkout.live)


def expectations(checkout: FastSpringV2Checkout, upstream: FastSpringUpstream) -> Expectations:
    """The hosts that a checkout page may be on: FastSpring's, and the seller's own."""
    own = {urlsplit(f"//{checkout.storefront or ''}").hostname, urlsplit(checkout.fallback_url or "").hostname}
    return Expectations(
        hosts=(".onfastspring.com", *sorted(host for host in own if host)),
        loopback=is_loopback_host(urlsplit(upstream.base_url).hostname or ""),
        accept_warnings=checkout.accept_warnings,
    )
