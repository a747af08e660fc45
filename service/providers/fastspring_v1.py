"""FastSpring Sessions v1 (legacy): its settings, read and checked; the adapter is still to come."""

from typing import Annotated, Literal

from msgspec import Meta

from service.checkout.settings import CheckoutSettings
from service.config.types import LATER
from service.providers.base import ProviderModule
from service.providers.fastspring_v2.settings import FastSpringUpstream

ContactField = Literal["email", "firstName", "lastName", "company", "phone"]
HostName = Annotated[
    str, Meta(pattern=r"^[a-z0-9.-]+(/[A-Za-z0-9._-]+)?$(?!\n)", examples=["acme.onfastspring.com"]), LATER
]


class FastSpringV1Checkout(CheckoutSettings, frozen=True, kw_only=True):
    """A storefront; `browser_contact` says which contact fields a browser may set, as they update an account."""

    storefront: HostName
    expiration_days: Annotated[int, Meta(ge=1, le=7), LATER] = 1
    browser_contact: Annotated[tuple[ContactField, ...], LATER] = ("email",)


PROVIDER = ProviderModule(
    name="fastspring_v1",
    upstream_settings=FastSpringUpstream,
    checkout_settings=FastSpringV1Checkout,
    # Sessions v1 has no read call, no payment-method controls and no warnings.
    no_use_for=frozenset({"verify_after_seconds", "payment_methods", "accept_warnings"}),
)
