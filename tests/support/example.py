"""A configuration with every key there is, for every provider, and the environment that it needs."""

import base64
from pathlib import Path

from tests.support.certificates import Authority
from tests.support.quotes import PRIVATE, PUBLIC
from tests.support.tokens import jwks

KEY = base64.b64encode(b"k" * 32).decode()
SECRETS = {
    "SEAL_KEY": KEY,
    "OLD_SEAL_KEY": base64.b64encode(b"o" * 32).decode(),
    "HASH_KEY": base64.b64encode(b"h" * 32).decode(),
    "REDIS_USER": "hush-redis-user",
    "REDIS_PASSWORD": "hush-redis-password",
    "FS_USER": "hush-fs-user",
    "FS_PASSWORD": "hush-fs-password",
    "FS_WEBHOOK_SECRET": "hush-webhook",
    "PAYNOW_KEY": "hush-paynow",
    "QUOTE_SECRET": "hush-quote-of-thirty-two-bytes-or-more",
    "QUOTE_PRIVATE": PRIVATE,
    "QUOTE_PUBLIC": PUBLIC,
    "TURNSTILE_SECRET": "hush-turnstile",
    "OUTGOING_SECRET": "hush-outgoing",
}

_TOML = """
[server]
host = "127.0.0.1"
port = 8000
workers = 1
trusted_proxies = ["127.0.0.1/32", "10.0.0.0/8", "2001:db8::/32"]
client_ip_header = "X-Forwarded-For"
country_header = "CF-IPCountry"
trusted_headers = ["X-Release"]
max_body_bytes = 65536
max_webhook_bytes = 2097152
internal_port = 8001
drain_seconds = 20

[store]
url = "rediss://redis.example:6380/2"
username = {{ env = "REDIS_USER" }}
password = {{ env = "REDIS_PASSWORD" }}
ca_file = "{folder}/ca.pem"
cert_file = "{folder}/client.pem"
key_file = "{folder}/client.pem"
seal_keys = [{{ env = "SEAL_KEY" }}, {{ env = "OLD_SEAL_KEY" }}]
hash_key = {{ env = "HASH_KEY" }}
key_prefix = "checkout"
ledger_days = 35
order_map_days = 540

[upstreams.acme]
provider = "fastspring_v2"
base_url = "https://api.fastspring.com"
credentials = [
  {{ username = {{ env = "FS_USER" }}, password = {{ env = "FS_PASSWORD" }} }},
  {{ username = {{ env = "FS_USER" }}, password = {{ file = "{folder}/password" }} }},
]
webhook_secrets = [{{ env = "FS_WEBHOOK_SECRET" }}]
connect_timeout = 1.0
read_timeout = 5
total_timeout = 6.5
max_attempts = 2
max_concurrency = 64
rate_limit_per_minute = 240
reconcile = false

[upstreams.legacy]
provider = "fastspring_v1"
credentials = [{{ username = {{ env = "FS_USER" }}, password = {{ env = "FS_PASSWORD" }} }}]

[upstreams.games]
provider = "paynow_gg"
credentials = [{{ api_key = {{ env = "PAYNOW_KEY" }} }}]

[checkouts.default]
upstream = "acme"
path = "acme/popup-checkout"
storefront = "acme.onfastspring.com/popup-checkout"
builder_url = "https://sbl.onfastspring.com/sbl/1.0.3/fastspring-builder.min.js"
live = true
allowed_origins = ["https://shop.example"]
products = ["pro-license", "team-*"]
max_items = 20
max_quantity = 100
attributes = ["license-name"]
return_urls = ["https://shop.example/*"]
fallback_url = "https://acme.onfastspring.com/{{product}}"
countries = ["US", "DE", "AT"]
country_source = ["request", "header"]
default_country = "US"
languages = ["en", "de"]
reuse_seconds = 1800
expiry_margin_seconds = 300
verify_after_seconds = 60
accept_warnings = ["INVALID_PROMO_CODE"]
lock_quantity = false

[checkouts.default.order_tags]
channel = "web"
release = "{{header:X-Release}}"
everything = "{{checkout}}{{country}}{{language}}{{origin}}{{caller}}{{quote}}{{reference}}"

[[checkouts.default.payment_methods]]
when = {{ country = ["DE", "AT"], product = ["pro-*"], language = ["de"] }}
order = ["SEPA", "PAYPAL", "CARD"]
hide = ["WIRE"]

[[checkouts.default.payment_methods]]
order = ["CARD", "PAYPAL"]

[checkouts.old]
upstream = "legacy"
storefront = "acme.onfastspring.com"
expiration_days = 3
browser_contact = ["email", "firstName"]
live = false

[checkouts.games]
upstream = "games"
store_id = "411486491630370816"
mode = "storefront"
session_seconds = 3600
browser_identities = ["steam", "minecraft"]
customer_identity = "name"
live = true

[callers.backoffice]
key_sha256 = ["{sha_a}", "{sha_b}"]
scopes = [
  "checkout:create", "sessions:read", "sessions:write", "quotes:create", "buyers:erase", "metrics:read", "console",
]
checkouts = ["default", "games"]

[callers.robot]
jwt_subject = "robot@idp.example"

[quotes]
sign_with = "2026-11"
max_age_seconds = 86400
[quotes.keys.2026-11]
caller = "backoffice"
algorithm = "HS256"
secret = {{ env = "QUOTE_SECRET" }}
[quotes.keys.2026-12]
algorithm = "EdDSA"
private_key = {{ env = "QUOTE_PRIVATE" }}
public_key = {{ env = "QUOTE_PUBLIC" }}

[limits]
mode = "enforce"
per_ip_per_minute = 20
per_product_per_minute = 600
per_email_per_hour = 20
per_checkout_per_minute = 1200
paid_ratio_floor = 0.0

[challenge]
provider = "turnstile"
site_key = "0x4AAAAAAA"
secret = {{ env = "TURNSTILE_SECRET" }}
base_url = "http://127.0.0.1:8010"

[jwt]
jwks_file = "{folder}/jwks.json"
issuer = "https://idp.example"
audience = "checkout-broker"

[[outgoing]]
url = "https://erp.example/hooks/checkout"
secret = {{ env = "OUTGOING_SECRET" }}
events = ["session.completed", "session.refunded"]
"""


def write_example(folder: Path) -> dict[str, str]:
    """Write the configuration and its files; returns the environment."""
    authority = Authority(folder, "ca")
    authority.server("localhost")
    (pair,) = set(folder.glob("*.pem")) - {authority.file}
    pair.rename(folder / "client.pem")
    password = folder / "password"
    password.write_text("hush-file-password\n")
    password.chmod(0o600)
    (folder / "jwks.json").write_text(jwks("ec-1"))
    (folder / "jwks.json").chmod(0o644)
    file = folder / "checkout.toml"
    file.write_text(_TOML.format(folder=folder, sha_a="a" * 64, sha_b="b" * 64))
    return {"CHECKOUT_CONFIG": str(file), **SECRETS}
