"""The configuration that tests start from: a checkout at the sandbox, behind a trusted proxy, with one caller."""

from hashlib import sha256
from pathlib import Path

from service.settings import Settings, load_settings

CALLER_KEY = "backoffice-key"
ORIGIN = "https://shop.example"
SECRETS = {"SANDBOX_USERNAME": "sandbox", "SANDBOX_PASSWORD": "sandbox"}
PLAIN_CHECKOUT = 'upstream = "acme"\npath = "acme/popup-checkout"\nlive = false\n'

TOML = """
[server]
trusted_proxies = ["127.0.0.1/32", "10.0.0.0/8"]
country_header = "CF-IPCountry"
trusted_headers = ["X-Release"]

[limits]
per_ip_per_minute = 1000000

[upstreams.acme]
provider = "fastspring_v2"
base_url = "{sandbox}"
credentials = [{{ username = {{ env = "SANDBOX_USERNAME" }}, password = {{ env = "SANDBOX_PASSWORD" }} }}]

[checkouts.default]
upstream = "acme"
path = "acme/popup-checkout"
storefront = "acme.test.onfastspring.com/popup-checkout"
live = false
allowed_origins = ["https://shop.example"]
attributes = ["license-name"]
return_urls = ["https://shop.example/*"]
fallback_url = "https://acme.onfastspring.com/{{product}}"

[checkouts.default.order_tags]
channel = "web"
release = "{{header:X-Release}}"

[[checkouts.default.payment_methods]]
when = {{ country = ["DE", "AT"] }}
order = ["SEPA", "PAYPAL", "CARD"]
hide = ["WIRE"]

[[checkouts.default.payment_methods]]
order = ["CARD", "PAYPAL"]

[callers.backoffice]
key_sha256 = ["{caller}"]
scopes = ["checkout:create", "sessions:read", "sessions:write", "metrics:read"]
"""


def default_toml(sandbox_url: str) -> str:
    """The configuration as text."""
    return TOML.format(sandbox=sandbox_url, caller=sha256(CALLER_KEY.encode()).hexdigest())


def settings_of(toml: str, folder: Path) -> Settings:
    """The settings of a configuration text, by the way that the service reads them."""
    file = folder / "checkout.toml"
    file.write_text(toml)
    return load_settings({"CHECKOUT_CONFIG": str(file), **SECRETS}).settings
