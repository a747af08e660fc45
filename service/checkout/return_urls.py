"""Which addresses a buyer may be sent back to: exact origin, then a path pattern, after one strict parse."""

import re
from fnmatch import fnmatchcase
from unicodedata import normalize
from urllib.parse import unquote

# One grammar and no second opinion: no userinfo, no backslash, no control or non-ASCII characters, no fragment.
_ORIGIN = r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?"
_URL = re.compile(
    rf"(?P<origin>{_ORIGIN})"
    r"(?P<path>/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?"
    r"(?P<query>\?(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?"
)
# A path that another parser could read as a different one: dot segments, also with parameters or spaces, empty
# segments, a backslash, and what is encoded a second time.
_AMBIGUOUS = re.compile(r"/ *\.(?: *\.)? *(?:/|;|$)|//|[\\%]")
_CONTROL = re.compile(r"%(?:[01][0-9a-f]|7f)", re.IGNORECASE)


def is_allowed_return_url(url: str, patterns: tuple[str, ...]) -> bool:
    """Whether `url` is on the list. A pattern is an exact origin and a path with shell wildcards."""
    parsed = _URL.fullmatch(url)
    if parsed is None or _CONTROL.search(parsed["query"] or "") or not _is_plain(parsed["path"] or "/"):
        return False
    return any(
        parsed["origin"] == origin and fnmatchcase(parsed["path"] or "/", path)
        for origin, path in map(split_pattern, patterns)
    )


def _is_plain(path: str) -> bool:
    """Whether the escapes of a path are text, and say nothing about where it leads: no slash, no dot segment."""
    try:
        text = normalize("NFKC", unquote(path, errors="strict"))
    except UnicodeDecodeError:
        return False
    return text.isprintable() and text.count("/") == path.count("/") and not _AMBIGUOUS.search(text)


def is_origin(text: str) -> bool:
    """Whether a text is an exact origin that a URL can have."""
    return re.fullmatch(_ORIGIN, text) is not None


def split_pattern(pattern: str) -> tuple[str, str]:
    """The origin and the path of a pattern; without a path it is the root alone."""
    scheme, _, rest = pattern.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host}", slash + path if slash else "/"
