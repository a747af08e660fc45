"""What is taken for a card number, and what is not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.checkout.card_numbers import holds_card_number

# The card schemes' own published test numbers.
NUMBERS = [
    "4111111111111111",
    "4222222222222",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "30569309025904",
    "3530111333300000",
    "6011111111111117",
    "6200000000000005",
]
PREFIXES = ("4", "51", "2221", "2720", "34", "36", "3528", "6011", "62")


def with_check_digit(digits: str) -> str:
    """Digits made a number that passes the Luhn check."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * 2
        total += int(digit) if place % 2 else doubled - 9 * (doubled > 9)
    return digits + str(-total % 10)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("separator", ["", " ", "-", ".", "\u00a0"])
def test_published_numbers(number: str, separator: str) -> None:
    """Each scheme's number is found, whatever stands between its groups and around it."""
    written = separator.join(number[start : start + 4] for start in range(0, len(number), 4))

    assert holds_card_number(f"Ada {written}, please")


@settings(deadline=None, derandomize=True, max_examples=1000)
@given(st.sampled_from(PREFIXES), st.text("0123456789", min_size=15, max_size=15), st.integers(12, 18))
def test_generated_numbers(prefix: str, digits: str, length: int) -> None:
    """1,000 numbers of every length of a card are found; with one digit changed none of them is."""
    number = with_check_digit((prefix + digits)[:length])
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)

    assert holds_card_number(number)
    assert not holds_card_number(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Ada Muster",
        "Straße 12, 1010 Wien",
        "+43 1 234 56 78",
        "411111111111",  # 12 digits
        "41111111111111111111",  # 20 digits
        "9111111111111111",  # no scheme begins so
        "4111111111111112",  # fails the check
        "411486491630370816 x",  # a flake id that fails the check
        "2026-11-21 10:00:00",
    ],
)
def test_other_texts(text: str) -> None:
    """Names, addresses, dates, and digits that are no card number pass."""
    assert not holds_card_number(text)
