"""Return addresses: three other parsers agree on where an address that passes leads to."""

from unicodedata import normalize
from urllib.parse import unquote, unquote_to_bytes, urlsplit

import httpx
import yarl

from service.checkout.return_urls import is_allowed_return_url

PATTERNS = ("https://shop.example/*", "https://shop.example:8443/thanks", "http://127.0.0.1:3000/back/*")
PLACES = {("https", "shop.example", 443), ("https", "shop.example", 8443), ("http", "127.0.0.1", 3000)}


def target(data: bytes) -> None:
    """What passes leads to a listed place, for whoever reads it, and its path means what it says."""
    url = data.decode("utf-8", "replace")
    if not is_allowed_return_url(url, PATTERNS):
        return
    parts, theirs, third = urlsplit(url), httpx.URL(url), yarl.URL(url)
    default = {"https": 443}.get(parts.scheme, 80)
    assert (parts.scheme, parts.hostname, parts.port or default) in PLACES, url
    assert (theirs.scheme, theirs.host, theirs.port or default) in PLACES, url
    assert (third.scheme, third.host, third.port) in PLACES, url
    assert [] == [
        one for one in (parts.username, parts.password, parts.fragment, theirs.userinfo, third.user) if one
    ], url
    assert url.isascii()
    assert url.isprintable()
    assert " " not in url
    assert set() == {".", ".."} & set(unquote(unquote(parts.path)).replace("\\", "/").split("/")), url
    assert not unquote(parts.path).startswith("//"), url
    meant = normalize("NFKC", unquote(parts.path, errors="strict"))
    assert set() == {".", ".."} & {segment.partition(";")[0].strip() for segment in meant.split("/")}, url
    assert meant.count("/") == parts.path.count("/"), url
    assert meant.isprintable(), url
    assert [] == [byte for byte in unquote_to_bytes(parts.query) if byte < 0x20 or byte == 0x7F], url
