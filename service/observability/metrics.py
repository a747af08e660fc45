"""Every metric of the service. Labels are of closed sets: routes, statuses, names from the configuration."""

import os
import re
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.multiprocess import mark_process_dead

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
UPSTREAM_RETRIES = Counter("checkout_upstream_retries_total", "Calls to a provider that were made again.", ["upstream"])
UPSTREAM_REFUSED = Counter(
    "checkout_upstream_refused_total",
    "Calls to a provider that were not made, by reason: breaker, bulkhead, rate, share or deadline.",
    ["upstream", "reason"],
)
UPSTREAM_IN_FLIGHT = Gauge(
    "checkout_upstream_in_flight", "Calls to a provider under way.", ["upstream"], multiprocess_mode="livesum"
)
BREAKERS_OPEN = Gauge(
    "checkout_upstream_breakers_open",
    "Worker processes that leave a provider alone, as it failed.",
    ["upstream"],
    multiprocess_mode="livesum",
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
LIMITS_EXCEEDED = Counter(
    "checkout_limits_exceeded_total",
    "Requests over a limit, by its kind and what became of them; anything but `refused` is an alarm.",
    ["kind", "verdict"],
)
LIMITS_WITHOUT_ADDRESS = Counter(
    "checkout_limits_without_address_total", "Sessions asked for by browsers of which only a proxy's address is known."
)
CHALLENGES = Counter(
    "checkout_challenges_total",
    "Challenges by outcome: asked, solved, failed, or unavailable and let pass.",
    ["outcome"],
)

_LIVE_GAUGE = re.compile(r"gauge_live[a-z]+_([0-9]+)")


def forget_ended_processes() -> None:
    """Drop what workers that have ended last said to be under way; a worker calls it that takes another's place."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    files = Path(folder).iterdir() if folder else ()
    for pid in {int(found[1]) for file in files if (found := _LIVE_GAUGE.match(file.name))}:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid)  # type: ignore[no-untyped-call]  # untyped in prometheus_client
