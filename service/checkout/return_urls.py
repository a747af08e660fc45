"""Which addresses a buyer may be sent back to: exact origin, then a path pattern, after one strict parse."""

import re
from fnmatch import fnmatchcase

# One grammar and no second opinion: no userinfo, no backslash, no control or non-ASCII characters, no fragment.
_ORIGIN = r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?"
_URL = re.compile(
    rf"(?P<origin>{_ORIGIN})"
    r"(?P<path>/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?"
    r"(?P<query>\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?"
)
# A path that another parser could read as a different one: dot segments, and separators that hide behind an encoding.
_AMBIGUOUS = re.compile(r"(^|/)(\.|%2e){1,2}(/|;|$)|//|%(2f|5c|25|0[0-9a-f]|1[0-9a-f]|7f)", re.IGNORECASE)


def is_allowed_return_url(url: str, patterns: tuple[str, ...]) -> bool:
    """Whether `url` is on the list. A pattern is an exact origin and a path with shell wildcards."""
    parsed = _URL.fullmatch(url)
    if parsed is None or _AMBIGUOUS.search(parsed["path"] or "/"):
        return False
    return any(
        parsed["origin"] == origin and fnmatchcase(parsed["path"] or "/", path)
        for origin, path in map(split_pattern, patterns)
    )


def is_origin(text: str) -> bool:
    """Whether a text is an exact origin that a URL can have."""
    return re.fullmatch(_ORIGIN, text) is not None


def split_pattern(pattern: str) -> tuple[str, str]:
    """The origin and the path of a pattern; without a path it is the root alone."""
    scheme, _, rest = pattern.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host}", slash + path if slash else "/"
