"""Money as text: exponents of currencies, and a provider's own formatting."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.checkout.money import decimal_text, exponent, money


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("44.1", "EUR", "44.10"),
        ("0", "USD", "0.00"),
        ("44", "JPY", "44"),
        ("44.5", "KRW", "45"),
        ("1.2345", "KWD", "1.235"),
        ("0.005", "EUR", "0.01"),
        ("1E+3", "EUR", "1000.00"),
    ],
)
def test_text_has_the_digits_of_the_currency(amount: str, currency: str, text: str) -> None:
    """An amount is written in the currency's own exponent, halves rounded up, never in scientific notation."""
    assert text == decimal_text(Decimal(amount), currency)


@settings(deadline=None, derandomize=True)
@given(
    st.decimals(min_value=-(10**12), max_value=10**12, places=3),
    st.sampled_from("EUR USD JPY CLP KWD TND HUF ISK XAF BHD".split()),
)
def test_text_is_within_half_a_minor_unit(amount: Decimal, currency: str) -> None:
    """Whatever the amount, its text is a plain decimal that is off by half of the minor unit at most."""
    text = decimal_text(amount, currency)

    assert abs(Decimal(text) - amount) <= Decimal(1).scaleb(-exponent(currency)) / 2
    assert exponent(currency) == len(text.partition(".")[2])


@pytest.mark.parametrize("display", ["44,10 €", "€44.10", "44,10\u00a0€", "4\u202f100,00 kr", "CHF 44\u2019100.-"])
def test_formatting_of_the_provider_is_kept(display: str) -> None:
    """Harmless text, also with the spaces that typographers use, is what the buyer reads."""
    assert display == money(Decimal("44.1"), "EUR", display).display


@pytest.mark.parametrize(
    "display",
    [
        None,
        "",
        "<b>44</b>",
        "44 &euro;",
        "44\n€",
        "44\x00",
        "44\x85€",
        "x" * 41,
        "\u202e01.44",
        "44\u200b€",
        "44\u2028€",
        "44\ufeff€",
        "44\u2066€",
    ],
)
def test_doubtful_formatting_is_replaced_by_ours(display: str | None) -> None:
    """Markup, control, invisible and direction-turning characters never reach a buyer."""
    assert "44.10 EUR" == money(Decimal("44.1"), "EUR", display).display
