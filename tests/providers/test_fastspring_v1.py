"""FastSpring v1's settings, as far as they go before its adapter."""

from service.providers.fastspring_v1 import PROVIDER, FastSpringV1Checkout
from service.providers.fastspring_v2.settings import FastSpringUpstream


def test_account_is_the_same_as_for_v2() -> None:
    """One FastSpring account, with the same credentials, serves both versions; a session lives for a day."""
    checkout = FastSpringV1Checkout(upstream="acme", live=True, storefront="acme.onfastspring.com")

    assert FastSpringUpstream is PROVIDER.upstream_settings
    assert (1, ("email",)) == (checkout.expiration_days, checkout.browser_contact)
