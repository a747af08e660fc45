"""Rules over several keys of a checkout, each with its key and the mend."""

import pytest
from msgspec.structs import replace

from tests.support.orders import CHECKOUT


def faults(**changes: object) -> list[tuple[str, str]]:
    return list(replace(CHECKOUT, **changes).faults())


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"default_country": "FR", "countries": ("DE",)}, "default_country", "is not among `countries`"),
        ({"default_country": "UK"}, "default_country", "GB"),
        ({"countries": ("DE", "EU")}, "countries[1]", "ISO 3166-1"),
        ({"attributes": ("broker_ref",)}, "attributes", "by the service alone"),
        ({"order_tags": {"broker_ref": "x"}}, "order_tags.broker_ref", "by the service alone"),
        ({"order_tags": {"a": "{sku}"}}, "order_tags.a", "there is no {sku}"),
        ({"return_urls": ("https://a.example/", "http://b.example/")}, "return_urls[1]", "use https"),
        ({"return_urls": ("https://*.example/",)}, "return_urls[0]", "exact origin"),
        ({"return_urls": ("https://shop.exampl?/",)}, "return_urls[0]", "exact origin"),
        ({"return_urls": ("https://Shop.example/",)}, "return_urls[0]", "lower case"),
        ({"fallback_url": "http://shop.example/{product}"}, "fallback_url", "use https"),
        ({"fallback_url": "https://shop.example/{sku}"}, "fallback_url", "one variable: {product}"),
        ({"fallback_url": "https://[shop.example/{product}"}, "fallback_url", "is no address"),
    ],
)
def test_fault_names_its_key(changes: dict[str, object], key: str, words: str) -> None:
    """Each contradiction is one fault at the key to mend."""
    [(found, text)] = faults(**changes)

    assert key == found
    assert words in text


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"default_country": "FR"},
        {"default_country": "DE", "countries": ("DE",)},
        {"order_tags": {"channel": "web-{country}"}},
        {"return_urls": ("https://shop.example", "https://shop.example:8443/a?b", "http://127.0.0.1:3000/*")},
        {"fallback_url": "https://shop.example/{product}"},
    ],
)
def test_good_settings_have_no_fault(changes: dict[str, object]) -> None:
    """What is consistent passes."""
    assert [] == faults(**changes)
