"""Finds a payment card's number in free text, so that it can be refused before it is stored, sent or logged anywhere.

What counts is 13 to 19 digits (spaces, dots and dashes between them aside) that begin like a card scheme's numbers and
pass the Luhn check.
"""

import re

_DIGITS = re.compile(r"(?<![0-9])(?:[0-9][ .\u00a0-]?){12,18}[0-9](?![0-9])")
_SEPARATORS = re.compile(r"[^0-9]")
# Visa, Mastercard (two ranges), American Express and Diners, JCB, Discover, UnionPay and Maestro.
_SCHEMES = re.compile(r"4|5[0-9]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)|3[0-9]|6")
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def holds_card_number(text: str) -> bool:
    """Whether a card number stands in a text."""
    return any(_is_card_number(_SEPARATORS.sub("", run[0])) for run in _DIGITS.finditer(text))


def _is_card_number(digits: str) -> bool:
    values = [int(digit) for digit in reversed(digits)]
    total = sum(values[0::2]) + sum(_DOUBLED[value] for value in values[1::2])
    return _SCHEMES.match(digits) is not None and total % 10 == 0
