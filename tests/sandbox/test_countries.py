"""Countries, their money, and addresses."""

import pytest

from service.sandbox.countries import (
    COUNTRIES,
    CURRENCIES,
    TAX_PERCENTS,
    country_of_address,
    is_public_address,
)
from service.sandbox.money import PER_DOLLAR


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("8.8.4.4", "US"),
        ("203.0.113.24", "DE"),
        ("198.51.100.7", "GB"),
        ("2001:db8::1", "DE"),
        ("1.1.1.1", None),
        ("10.0.0.1", None),
        ("not an address", None),
    ],
)
def test_country_of_an_address(address: str, country: str | None) -> None:
    """The tiny table places the addresses that tests speak from, and no other."""
    assert country == country_of_address(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "192.168.1.1", "fe80::1", "::1", "169.254.169.254", "100.64.0.1"])
def test_unroutable_addresses_are_not_public(address: str) -> None:
    """An address that no buyer can come from is not taken for one."""
    assert not is_public_address(address)


def test_tables_agree() -> None:
    """Every country with a currency or a tax exists, and every currency has a rate."""
    assert COUNTRIES >= CURRENCIES.keys() | TAX_PERCENTS.keys()
    assert PER_DOLLAR.keys() >= set(CURRENCIES.values())
