"""Ids in paths: what reaches a provider's address, and what has the form of a reference."""

import re
from functools import cache

import httpx

from service.checkout.errors import UpstreamMisconfiguredError
from service.checkout.ports import UpstreamRequest
from service.checkout.reference import is_reference
from service.providers.calls import Calls
from service.providers.http import UpstreamClient
from tests.support.upstream import ASKING_ONCE, AUTHORIZATION, TIMEOUTS

BASE_URL = "https://api.provider.example/v9"
_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-")


@cache
def _client() -> UpstreamClient:
    return UpstreamClient(BASE_URL, (AUTHORIZATION,), TIMEOUTS, httpx.AsyncBaseTransport(), Calls("acme", ASKING_ONCE))


def is_plain(segment: str) -> bool:
    """Whether a segment is of the closed alphabet, and no step up or down."""
    return set(segment) <= _ALPHABET and segment not in ("", ".", "..") and len(segment) <= 256


def target(data: bytes) -> None:
    """Each line is a segment: the address is made of exactly these, or not at all."""
    segments = tuple(data.decode("utf-8", "surrogateescape").split("\n"))
    try:
        shown = _client().show(UpstreamRequest(method="GET", segments=segments, query=(("q", "/../?#@\r\n"),)))
    except UpstreamMisconfiguredError:
        assert not all(map(is_plain, segments)), segments
    else:
        assert all(map(is_plain, segments)), segments
        assert f"{BASE_URL}/{'/'.join(segments)}?q=%2F..%2F%3F%23%40%0D%0A" == shown.url


def target_reference(data: bytes) -> None:
    """A reference has one form and no other reading."""
    text = data.decode("utf-8", "replace")
    assert is_reference(text) == bool(re.fullmatch(r"cs_[0-9abcdefghjkmnpqrstvwxyz]{26}", text)), text
