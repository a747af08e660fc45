"""Two headers: a buyer's `Idempotency-Key`, and a provider's `Retry-After`."""

import calendar
import re
import time
from email.utils import parsedate_tz

from litestar import Request

from service.api.asker import idempotency_key
from service.checkout.errors import InvalidIdempotencyKeyError
from service.providers.retry_after import retry_after_seconds

_DATE = "Thu, 01 Jan 2026 10:00:00 GMT"
_NOW = calendar.timegm((2026, 1, 1, 10, 0, 0))


def target_idempotency_key(data: bytes) -> None:
    """Each line is a header: one key of printable ASCII, quoted or bare, is itself; everything else is refused."""
    lines = data.split(b"\n")
    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"idempotency-key", one) for one in lines]}
    try:
        key = idempotency_key(Request(scope))  # type: ignore[arg-type]  # as little of a scope as it reads
    except InvalidIdempotencyKeyError:
        assert _bare(lines) is None, lines
    else:
        assert key is not None
        assert key == _bare(lines), lines


def _bare(lines: list[bytes]) -> str | None:
    """The key by a reading character by character; None where there is no good one."""
    text = lines[0].decode("latin-1")
    if text.startswith('"'):
        text = _unquoted(text[1:]) or ""
    elif text.startswith(" "):
        text = ""
    good = 1 <= len(text) <= 255 and all(" " <= character <= "~" for character in text)
    return text if good and len(lines) == 1 else None


def _unquoted(text: str) -> str | None:
    key, rest = "", iter(text)
    for character in rest:
        if character == '"':
            return key if next(rest, None) is None else None
        escaped = next(rest, "") if character == "\\" else ""
        if character == "\\" and escaped not in ('"', "\\"):
            return None
        key += escaped or character
    return None


def target_retry_after(data: bytes) -> None:
    """A wait is a whole number of seconds below a day and four hours, and the one that the mail parser reads."""
    text = data.decode("latin-1")
    seconds = retry_after_seconds(text, _DATE)
    assert retry_after_seconds(text, text) in (seconds, 0)  # a date counted from itself
    retry_after_seconds(_DATE, text)
    if seconds is None:
        assert not re.fullmatch("[0-9]{1,5}", text)
        return
    assert 0 <= seconds <= 99_999
    if text.isascii() and text.isdigit():
        assert int(text) == seconds
    else:
        moment = parsedate_tz(text)
        assert moment is not None, text
        assert max(0, calendar.timegm(time.struct_time(moment[:9])) - _NOW) == seconds, text
