"""Every metric of the service. Labels are of closed sets: routes, statuses, names from the configuration."""

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 8.0)

REQUESTS = Counter("checkout_requests_total", "HTTP requests, by route and status.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram("checkout_request_seconds", "Time to answer, by route.", ["route"], buckets=_SECONDS)
SESSIONS = Counter(
    "checkout_sessions_total", "Sessions handed out (created, reused) or refused, by problem.", ["checkout", "outcome"]
)
UPSTREAM_CALLS = Counter(
    "checkout_upstream_calls_total", "Calls to a provider, by HTTP status or kind of failure.", ["upstream", "outcome"]
)
UPSTREAM_SECONDS = Histogram(
    "checkout_upstream_seconds", "Time of a call to a provider.", ["upstream"], buckets=_SECONDS
)
STORE_FAILURES = Counter("checkout_store_failures_total", "Failed store operations, by kind.", ["kind"])
CONFIG_RELOADS = Counter("checkout_config_reloads_total", "Reloads of the configuration, by outcome.", ["outcome"])
CREDENTIALS_REFUSED = Counter(
    "checkout_credentials_refused_total", "Times a provider accepted none of our credentials: an alarm.", ["upstream"]
)
BUILD = Gauge("checkout_build_info", "Which version runs.", ["version"], multiprocess_mode="mostrecent")
CLIENT_ADDRESS_REFUSED = Counter(
    "checkout_client_address_refused_total", "Forwarding headers too long or malformed to be read."
)
