"""Alarms that may come a thousand times a second: all are counted, one a second of each kind is logged."""

import time
from typing import Literal

import structlog

from service.observability import metrics

Verdict = Literal["refused", "challenged", "solved", "passed", "would_be_refused", "would_be_challenged"]
_LOG_EVERY_SECONDS = 1.0
_logged_at: dict[str, float] = {}
log = structlog.get_logger()


def limit_exceeded(kind: str, verdict: Verdict, checkout: str) -> None:
    """A request came over a limit, and what became of it."""
    metrics.LIMITS_EXCEEDED.labels(kind, verdict).inc()
    if _is_due(f"limit {kind}"):
        log.warning("limits.exceeded", kind=kind, verdict=verdict, checkout=checkout)


def challenge_unavailable(provider: str, reason: str) -> None:
    """A browser passed without its answer being looked at."""
    if _is_due(f"challenge {reason}"):
        log.error("challenge.unavailable", provider=provider, reason=reason)


def _is_due(kind: str) -> bool:
    now = time.monotonic()
    if now - _logged_at.get(kind, -_LOG_EVERY_SECONDS) < _LOG_EVERY_SECONDS:
        return False
    _logged_at[kind] = now
    return True
