"""The codes of countries, as facts."""

import pytest

from service.checkout.countries import ISO_COUNTRIES, is_country


def test_assigned_codes() -> None:
    """ISO 3166-1 has 249 assigned codes of two capital letters."""
    assert 249 == len(ISO_COUNTRIES)
    assert all(len(code) == 2 and code.isascii() and code.isupper() for code in ISO_COUNTRIES)


@pytest.mark.parametrize("code", ["DE", "US", "GB", "SX", "SS", "BQ", "AX", "XK"])
def test_countries(code: str) -> None:
    """Assigned codes are countries, and Kosovo's, which is in use without being assigned."""
    assert is_country(code)


@pytest.mark.parametrize("code", ["XX", "ZZ", "AA", "EU", "UK", "AN", "QQ", "SU", "AP", "T1", "XA", "QM", "CS", ""])
def test_no_countries(code: str) -> None:
    """Reserved, withdrawn, user-assigned and unassigned codes are none."""
    assert not is_country(code)
