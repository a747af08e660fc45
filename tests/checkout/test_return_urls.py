"""Return addresses: hostile ones that must not pass, good ones that must."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.checkout.return_urls import is_allowed_return_url
from tests.support.return_urls import GOOD, HOSTILE, PATTERNS


@pytest.mark.parametrize("url", HOSTILE)
def test_hostile_address_is_refused(url: str) -> None:
    """No trick with host, port, user information, dots, slashes, controls or encodings gets on the list."""
    assert not is_allowed_return_url(url, PATTERNS)


@pytest.mark.parametrize("url", GOOD)
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


def test_corpus_is_of_different_tricks() -> None:
    """No entry stands there twice, and neither list shrinks unnoticed."""
    assert len(HOSTILE) == len(set(HOSTILE)) > 300
    assert len(GOOD) == len(set(GOOD)) > 30
