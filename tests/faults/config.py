"""Configurations of several upstreams, a checkout of the same name for each, with limits for the load of a test."""

from collections.abc import Mapping
from hashlib import sha256

from tests.support.config import CALLER_KEY

_UPSTREAM = """
[upstreams.{name}]
provider = "fastspring_v2"
base_url = "{url}"
credentials = [{{ username = {{ env = "SANDBOX_USERNAME" }}, password = {{ env = "SANDBOX_PASSWORD" }} }}]
{limits}

[checkouts.{name}]
upstream = "{name}"
path = "acme/popup-checkout"
live = false
order_tags = {{ channel = "web" }}
fallback_url = "https://acme.onfastspring.com/{{product}}"
"""
# All load comes from one address: that of a proxy, so that it has no share of its own.
_REST = """
[server]
trusted_proxies = ["127.0.0.1/32"]

[limits]
per_ip_per_minute = 1000000

[callers.backoffice]
key_sha256 = ["{sha256}"]
scopes = ["checkout:create", "sessions:read", "metrics:read"]
"""


_STORE = """
[store]
url = "{url}"
seal_keys = [{{ env = "SEAL_KEY" }}]
hash_key = {{ env = "HASH_KEY" }}
"""


def config_of(urls: Mapping[str, str], *, store: str | None = None, **limits: float) -> str:
    """An upstream and a checkout for each name; `limits` are those of every upstream. `store` is the store's URL."""
    lines = "\n".join(f"{key} = {value}" for key, value in limits.items())
    parts = [_UPSTREAM.format(name=name, url=url, limits=lines) for name, url in urls.items()]
    if store is not None:
        parts.append(_STORE.format(url=store))
    return "".join(parts) + _REST.format(sha256=sha256(CALLER_KEY.encode()).hexdigest())
