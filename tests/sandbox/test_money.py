"""Rounding and display of amounts."""

from decimal import Decimal

import pytest

from service.sandbox.money import display, exchanged, rounded


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [("7.045", "EUR", "7.05"), ("7.5", "JPY", "8"), ("7.044", "USD", "7.04")],
)
def test_rounds_to_the_currency(amount: str, currency: str, expected: str) -> None:
    """An amount is rounded half up to its currency's own exponent."""
    assert expected == str(rounded(Decimal(amount), currency))


@pytest.mark.parametrize(
    ("amount", "currency", "language", "expected"),
    [
        ("1044.10", "EUR", "de", "1.044,10 €"),
        ("1044.10", "USD", "en", "$1,044.10"),
        ("1044", "JPY", "ja", "¥1,044"),
        ("1044.1", "CHF", "en", "CHF 1,044.10"),
    ],
)
def test_display(amount: str, currency: str, language: str, expected: str) -> None:
    """A price is shown as its language writes it."""
    assert expected == display(Decimal(amount), currency, language)


def test_exchange_keeps_a_currency_as_it_is() -> None:
    """An amount exchanged into its own currency stays the same."""
    assert Decimal("12.34") == exchanged(Decimal("12.34"), "GBP", "GBP")
