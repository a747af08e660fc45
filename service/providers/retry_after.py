"""`Retry-After` (RFC 9110, 10.2.3): seconds or a date, as whole seconds from now."""

import math
import re
from datetime import UTC, datetime, timedelta

_SECONDS = re.compile(r"[0-9]{1,5}")
_DATE = "%a, %d %b %Y %H:%M:%S GMT"
_LONGEST = timedelta(seconds=99_999)


def retry_after_seconds(value: str | None, date: str | None) -> int | None:
    """How long to wait; None where the header is missing or says nothing that can be read.

    `date` is the answer's own `Date`: counted from there, a clock of ours that is wrong does no harm.
    """
    if not value:
        return None
    if _SECONDS.fullmatch(value):
        return int(value)
    until = _read(value)
    if until is None:
        return None
    wait = until - (_read(date) or datetime.now(UTC))
    return max(0, math.ceil(wait.total_seconds())) if wait <= _LONGEST else None


def _read(text: str | None) -> datetime | None:
    try:
        return datetime.strptime(text or "", _DATE).replace(tzinfo=UTC)
    except ValueError:
        return None
