"""Each default is the one that is documented."""

import msgspec
import pytest
from msgspec import Struct

from service.providers.registry import discover
from service.settings import Sections

DEFAULTS: dict[str, dict[str, object]] = {
    "server": {
        "host": "127.0.0.1",
        "port": 8000,
        "workers": 1,
        "trusted_proxies": (),
        "client_ip_header": "X-Forwarded-For",
        "country_header": None,
        "trusted_headers": (),
        "max_body_bytes": 65536,
        "max_webhook_bytes": 2097152,
        "internal_port": None,
        "drain_seconds": 20,
    },
    "store": {
        "url": "embedded://",
        "username": None,
        "password": None,
        "ca_file": None,
        "cert_file": None,
        "key_file": None,
        "seal_keys": (),
        "hash_key": None,
        "key_prefix": "checkout",
        "ledger_days": 35,
        "order_map_days": 540,
    },
    "limits": {
        "mode": "enforce",
        "per_ip_per_minute": 20,
        "per_product_per_minute": 600,
        "per_email_per_hour": 20,
        "per_checkout_per_minute": 1200,
        "paid_ratio_floor": 0.0,
    },
}
UPSTREAM_DEFAULTS: dict[str, object] = {
    "webhook_secrets": (),
    "connect_timeout": 1.0,
    "read_timeout": 5.0,
    "total_timeout": 6.5,
    "max_attempts": 2,
    "max_concurrency": 64,
    "rate_limit_per_minute": 240,
    "reconcile": False,
}
CHECKOUT_DEFAULTS: dict[str, object] = {
    "allowed_origins": (),
    "products": ("*",),
    "max_items": 20,
    "max_quantity": 100,
    "attributes": (),
    "return_urls": (),
    "fallback_url": None,
    "countries": (),
    "country_source": ("request", "header"),
    "default_country": None,
    "languages": (),
    "reuse_seconds": None,
    "expiry_margin_seconds": 300,
    "verify_after_seconds": 60,
    "accept_warnings": ("INVALID_PROMO_CODE", "INVALID_POSTAL_CODE", "INVALID_LOCALE", "INVALID_TAX_ID"),
    "lock_quantity": False,
    "payment_methods": (),
    "order_tags": {},
}
UPSTREAM_REQUIRED = {"provider", "credentials"}
BASE_URLS = {
    "fastspring_v2": "https://api.fastspring.com",
    "fastspring_v1": "https://api.fastspring.com",
    "paynow_gg": "https://api.paynow.gg",
}
CHECKOUT_EXTRAS: dict[str, tuple[set[str], dict[str, object]]] = {
    "fastspring_v2": (
        {"path"},
        {
            "storefront": None,
            "builder_url": "https://sbl.onfastspring.com/sbl/1.0.3/fastspring-builder.min.js",
        },
    ),
    "fastspring_v1": (
        {"storefront"},
        {
            "builder_url": "https://sbl.onfastspring.com/sbl/1.0.3/fastspring-builder.min.js",
            "expiration_days": 1,
            "browser_contact": ("email",),
        },
    ),
    "paynow_gg": (
        {"store_id"},
        {
            "mode": "management",
            "session_seconds": 3600,
            "browser_identities": (),
            "customer_identity": None,
            "builder_url": "https://cdn.paynow.gg/paynow-js/bundle.js",
        },
    ),
}


def defaults_of(kind: type[Struct]) -> tuple[dict[str, object], set[str]]:
    """The defaults of a struct, and what it requires."""
    fields = msgspec.structs.fields(kind)
    with_default = {
        field.name: field.default_factory() if field.default is msgspec.NODEFAULT else field.default
        for field in fields
        if not field.required
    }
    return with_default, {field.name for field in fields if field.required}


@pytest.mark.parametrize("section", sorted(DEFAULTS))
def test_defaults_of_the_sections(section: str) -> None:
    """Each default is the documented one, and no key is without a line here."""
    assert DEFAULTS[section] == defaults_of(type(getattr(Sections(), section)))[0]


def test_defaults_of_the_optional_sections() -> None:
    """No caller, challenge, token, quote or outgoing webhook unless the file has it."""
    sections = Sections()

    assert ({}, None, None, None, ()) == (
        sections.callers,
        sections.challenge,
        sections.jwt,
        sections.quotes,
        sections.outgoing,
    )


@pytest.mark.parametrize("provider", sorted(CHECKOUT_EXTRAS))
def test_defaults_of_the_providers(provider: str) -> None:
    """Each default of an upstream and a checkout is the documented one, and so is what is required."""
    module, (required, extra) = discover()[provider], CHECKOUT_EXTRAS[provider]

    assert ({**UPSTREAM_DEFAULTS, "base_url": BASE_URLS[provider]}, UPSTREAM_REQUIRED) == defaults_of(
        module.upstream_settings
    )
    assert (CHECKOUT_DEFAULTS | extra, {"upstream", "live", *required}) == defaults_of(module.checkout_settings)
