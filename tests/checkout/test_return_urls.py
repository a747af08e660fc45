"""Return addresses: hostile ones that must not pass, good ones that must."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.checkout.return_urls import is_allowed_return_url

PATTERNS = ("https://shop.example/*", "https://shop.example:8443/thanks", "http://127.0.0.1:3000/back/*")

HOSTILE = [
    # another host, scheme or port
    "https://evil.example/",
    "https://shop.example.evil.example/",
    "https://evilshop.example/",
    "https://evil-shop.example/",
    "https://shop.exampl/",
    "https://shop.example./",
    "https://www.shop.example/",
    "https://xn--shp-tna.example/",
    "https://shöp.example/",
    "https://\u0455hop.example/",  # a Cyrillic letter
    "https://SHOP.example/",
    "http://shop.example/",
    "ftp://shop.example/",
    "https://shop.example:443/",
    "https://shop.example:8080/",
    "https://shop.example:8443/other",
    "https://shop.example:/",
    "https://shop.example:84430/thanks",
    "https://[::1]/",
    "https://2130706433/",
    "http://127.0.0.1/back/x",
    "http://127.0.0.1:3001/back/x",
    "http://localhost:3000/back/x",
    # user information
    "https://shop.example@evil.example/",
    "https://shop.example:x@evil.example/",
    "https://user@shop.example/",
    "https://user:password@shop.example/",
    "https://@shop.example/",
    "https://shop.example%40evil.example/",
    # backslashes and missing or doubled slashes
    "https://shop.example\\@evil.example/",
    "https:\\\\shop.example\\",
    "https://shop.example\\.evil.example/",
    "https://evil.example\\shop.example/",
    "https:/shop.example/",
    "https:shop.example/",
    "//shop.example/",
    "///shop.example/",
    "/thanks",
    "https:///shop.example/",
    "https://shop.example//evil.example/",
    "https://shop.example/a//b",
    # dot segments, plain, encoded, twice encoded, with parameters
    "https://shop.example/..",
    "https://shop.example/../admin",
    "https://shop.example/a/../../admin",
    "https://shop.example/./admin",
    "https://shop.example/a/.",
    "https://shop.example/%2e%2e/admin",
    "https://shop.example/%2E./admin",
    "https://shop.example/.%2e/admin",
    "https://shop.example/..;/admin",
    "https://shop.example/..;x=1/admin",
    "https://shop.example/%252e%252e/admin",
    "https://shop.example/%c0%ae%c0%ae\n/admin",
    # separators behind an encoding
    "https://shop.example/a%2fb",
    "https://shop.example/%2Fevil.example",
    "https://shop.example/a%5cb",
    "https://shop.example/%5C%5Cevil.example",
    # control characters, spaces, not ASCII
    "https://shop.example/\n",
    "https://shop.example/a\r\nSet-Cookie: x=1",
    "https://shop.example/a\tb",
    "https://shop.example/a\x00b",
    "https://shop.example/%00",
    "https://shop.example/%0d%0aSet-Cookie:x=1",
    "https://shop.example/%7f",
    " https://shop.example/",
    "https://shop.example/ ",
    "\thttps://shop.example/",
    "https://shop.example /",
    "https://shop.example/\u2028",
    "https://shop.example\uff0f@evil.example/",  # a full-width slash
    "https://shop.example。evil.example/",
    "https://shop.example/ü",
    # fragments and other schemes
    "https://shop.example/#x",
    "https://shop.example#@evil.example/",
    "https://evil.example/#https://shop.example/",
    "https://evil.example/?https://shop.example/",
    "https://shop.example?@evil.example#x",
    "javascript:alert(1)//https://shop.example/",
    "javascript://shop.example/%0aalert(1)",
    "data:text/html,https://shop.example/",
    "blob:https://shop.example/x",
    "view-source:https://shop.example/",
    # nothing, or markup
    "",
    "https://",
    "https://*/",
    "https://shop.example/<script>",
    'https://shop.example/"x',
    "https://shop.example/{x}",
    "https://shop.example/`x`",
    "https://shop.example/a^b",
    "https://shop.example/a|b",
    "x" * 3000,
]


@pytest.mark.parametrize("url", HOSTILE)
def test_hostile_address_is_refused(url: str) -> None:
    """No trick with host, port, user information, dots, slashes, controls or encodings gets on the list."""
    assert not is_allowed_return_url(url, PATTERNS)


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example",
        "https://shop.example/",
        "https://shop.example/thanks",
        "https://shop.example/a/b/c.html",
        "https://shop.example/thanks?order=1&next=/x",
        "https://shop.example?order=1",
        "https://shop.example/a.b/..c/.well-known/x",
        "https://shop.example/caf%C3%A9/~ada/a+b,c",
        "https://shop.example:8443/thanks",
        "https://shop.example:8443/thanks?x=%2F",
        "http://127.0.0.1:3000/back/home",
    ],
)
def test_good_address_passes(url: str) -> None:
    """An address of a listed origin, under a listed path, with any query, passes."""
    assert is_allowed_return_url(url, PATTERNS)


@pytest.mark.parametrize(
    ("pattern", "url", "allowed"),
    [
        ("https://shop.example", "https://shop.example/", True),
        ("https://shop.example", "https://shop.example/a", False),
        ("https://shop.example/thanks", "https://shop.example/thanks/more", False),
        ("https://shop.example/thanks", "https://shop.example/thanks?x=1", True),
        ("https://shop.example/thanks*", "https://shop.example/thanks-a-lot", True),
        ("https://shop.example/Thanks", "https://shop.example/thanks", False),
        ("https://[::1]:8000/*", "https://[::1]:8000/a", True),
    ],
)
def test_pattern_is_an_origin_and_a_path(pattern: str, url: str, allowed: bool) -> None:  # noqa: FBT001  # a table's column
    """The path of a pattern is matched whole; without one, the root alone passes."""
    assert allowed is is_allowed_return_url(url, (pattern,))


@settings(deadline=None, derandomize=True, max_examples=300)
@given(st.text(max_size=30), st.text(alphabet="/.:@\\%2eEfF?#;aA0[]\n\t ", max_size=30))
def test_nothing_before_or_behind_the_host_moves_it(before: str, behind: str) -> None:
    """Whatever is put around a listed host, an address that passes begins with a listed origin and its end."""
    url = f"https://{before}shop.example{behind}"

    if is_allowed_return_url(url, PATTERNS):
        rest = url.removeprefix("https://shop.example").removeprefix(":8443")
        assert rest == "" or rest[0] in "/?"


def test_empty_list_allows_nothing() -> None:
    """Without patterns there are no return addresses."""
    assert not is_allowed_return_url("https://shop.example/", ())
