"""The value types: what an origin, a header name, a country and their like may be."""

from typing import Any

import msgspec
import pytest

from service.config.types import (
    CountryCode,
    HeaderName,
    HttpsUrl,
    LanguageTag,
    Name,
    Origin,
    Sha256,
    Timeout,
    is_loopback_host,
    url_fault,
)


def fits(kind: Any, value: object) -> bool:  # noqa: ANN401  # a type expression has no narrower type
    """Whether a value is one of this type."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


RIGHT = [
    (Origin, "https://shop.example"),
    (Origin, "http://localhost:3000"),
    (Origin, "https://[2001:db8::1]:8443"),
    (HeaderName, "X-Release"),
    (CountryCode, "DE"),
    (LanguageTag, "de-AT"),
    (Name, "2026-11"),
    (Name, "a.b"),
    (Sha256, "0" * 64),
    (HttpsUrl, "https://shop.example/*"),
    (Timeout, 60.0),
]
WRONG = [
    (Origin, "*"),
    (Origin, "https://*.shop.example"),
    (Origin, "https://shop.example/"),
    (Origin, "https://shop.example/path"),
    (Origin, "https://Shop.example"),
    (Origin, "https://shop.example\n"),
    (Origin, "null"),
    (Origin, "shop.example"),
    (HeaderName, "X_Release"),
    (HeaderName, "X-Release:"),
    (HeaderName, ""),
    (CountryCode, "de"),
    (CountryCode, "DEU"),
    (LanguageTag, "DE"),
    (Name, ""),
    (Name, "-a"),
    (Name, "a b"),
    (Name, "a\n"),
    (Sha256, "A" * 64),
    (HttpsUrl, "https://user:secret@shop.example"),
    (HttpsUrl, "https://shop.example/#part"),
    (HttpsUrl, "ftp://shop.example"),
    (Timeout, 0.0),
    (Timeout, -1.0),
    (Timeout, float("nan")),
    (Timeout, float("inf")),
]


@pytest.mark.parametrize(("kind", "value"), RIGHT)
def test_right(kind: object, value: object) -> None:
    """Taken as it is."""
    assert fits(kind, value)


@pytest.mark.parametrize(("kind", "value"), WRONG)
def test_wrong(kind: object, value: object) -> None:
    """Refused."""
    assert not fits(kind, value)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("[::1]", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("localhost.evil.example", False),
        ("", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:  # noqa: FBT001  # a table's column
    """Only this machine's own addresses are loopback."""
    assert expected == is_loopback_host(host)


@pytest.mark.parametrize("url", ["https://api.example", "http://127.0.0.1:80", "http://[::1]/x", "http://localhost"])
def test_secrets_may_travel_here(url: str) -> None:
    """https anywhere; plain http only to this machine."""
    assert url_fault(url) is None


@pytest.mark.parametrize("url", ["http://api.example", "http://10.0.0.1", "http://127.0.0.1.evil.example"])
def test_secrets_may_not_travel_here(url: str) -> None:
    """Plain http to another machine is refused with the mend."""
    assert "plain http is for loopback addresses only: use https" == url_fault(url)


@pytest.mark.parametrize("url", ["https://[::1", "https://shop.example:port", "https://shop.example:99999"])
def test_no_address(url: str) -> None:
    """What no client could connect to is said to be no address, not only when it is called."""
    assert str(url_fault(url)).startswith("is no address (")
