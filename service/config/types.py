"""Value types that settings in several places share."""

import ipaddress
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

#: Marks a key that is read and checked although the feature behind it is not there yet; `check` says so.
LATER = Meta(extra={"effect": "none yet"})
#: Marks a reference to what is no secret, so that every user may read its file.
PUBLIC = Meta(extra={"public": True})

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$(?!\n)", examples=["default"])]
Port = Annotated[int, Meta(ge=1, le=65535, examples=[8000])]
Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]
OptionalCount = Annotated[int, Meta(ge=0, le=1_000_000_000)]
Days = Annotated[int, Meta(ge=1, le=36_500)]
Seconds = Annotated[int, Meta(ge=1, le=315_360_000)]
SecondsOrNever = Annotated[int, Meta(ge=0, le=315_360_000)]
Timeout = Annotated[float, Meta(gt=0, le=60, examples=[5.0])]
HeaderName = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$(?!\n)", examples=["X-Release"])]
CountryCode = Annotated[str, Meta(pattern=r"^[A-Z]{2}$(?!\n)", examples=["DE"])]
LanguageTag = Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$(?!\n)", examples=["de"])]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
HttpsUrl = Annotated[str, Meta(pattern=r"^https?://[^\s@\\#]+$(?!\n)", examples=["https://shop.example/path"])]
Origin = Annotated[
    str,
    Meta(pattern=r"^https?://[a-z0-9.:\[\]-]+$(?!\n)", examples=["https://shop.example"]),
]


def is_loopback_host(host: str) -> bool:
    """Whether a host name or address can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def url_fault(url: str) -> str | None:
    """What is wrong with a URL that secrets or buyers travel to; None when nothing is."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        return f"is no address ({error}): write one like https://shop.example"
    if parts.scheme == "https" or is_loopback_host(host):
        return None
    return "plain http is for loopback addresses only: use https"
