"""What is the same in both versions of FastSpring's session API; no provider by itself."""

import base64
from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from service.checkout.models import Opener, Script
from service.checkout.ports import UpstreamRequest
from service.config.secret import Secret
from service.config.types import HttpsUrl
from service.providers.base import UpstreamSettings

CURRENCIES = frozenset(
    "AED ARS AUD BRL CAD CHF CLP CNY COP CZK DKK EUR GBP HKD HUF IDR INR JPY KRW MXN MYR NOK NZD PEN PHP PLN RUB SAR"
    " SEK SGD THB TRY TWD USD VND ZAR".split()
)
"""Of price maps in the OpenAPI definitions of v2; those of v1 list none."""


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


PROBE = UpstreamRequest(method="GET", segments=("events", "unprocessed"))
"""A read that needs the seller's credentials (reference/processed-and-unprocessed-webhook-events); it marks nothing."""

BUILDER_URL = "https://sbl.onfastspring.com/sbl/1.0.3/fastspring-builder.min.js"
"""The Store Builder Library, in the version that FastSpring's documentation shows."""


def popup(storefront: str, builder_url: str, session_id: str) -> Opener:
    """The Store Builder Library's popup on a session (docs/methods names the call; public code uses it for v2 too)."""
    return Opener(
        script=Script(src=builder_url, attributes={"id": "fsc-api", "data-storefront": storefront}),
        call="fastspring.builder.checkout",
        arguments=(session_id,),
        closed={"attribute": "data-popup-closed"},
    )


def mode_advice(storefront: str | None, *, live: bool) -> Iterator[tuple[str, str]]:
    """What `check` warns about: a session of one mode cannot be paid on the other mode's storefront.

    Test storefronts of FastSpring have `.test.` in their host; a seller's own domain tells nothing.
    """
    host = (storefront or "").partition("/")[0]
    if host.endswith(".onfastspring.com") and live == (".test." in host):
        wanted = "acme.onfastspring.com/…" if live else "acme.test.onfastspring.com/…"
        yield "storefront", f"its host and `live` are of different modes: name one like {wanted}"
