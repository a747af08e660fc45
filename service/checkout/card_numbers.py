"""Finds a payment card's number in free text, so that it can be refused before it is stored, sent or logged anywhere.

What counts is whole groups of digits, up to three characters apart that are neither letters nor digits, that together
begin like a card scheme's numbers, have a length of that scheme and pass the Luhn check, whatever digits stand beside
them. Digits within a longer group do not count: ids are such groups.
"""

import re
from itertools import accumulate
from unicodedata import normalize

_DIGIT = re.compile(r"\d")
_GROUP = re.compile(r"((?<!\w)\+)?(\d+)")
_RUN = re.compile(r"(?:(?<!\w)\+)?\d+(?:[\W_]{1,3}\d+)*")
_SCHEMES = re.compile(
    r"(?P<visa>4)"
    r"|(?P<mastercard>5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720))"
    r"|(?P<amex>3[47])"
    r"|(?P<diners>30[0-5]|3095|3[689])"
    r"|(?P<maestro>50(?:18|20|38)|5893|6304|67(?:59|6[1-37]))"
    r"|(?P<jcb>352[89]|35[3-8])"
    r"|(?P<discover>6011|62|64[4-9]|65)"  # and UnionPay
    r"|(?P<other>50|5[6-9]|6)"  # Maestro's wider range; its odd lengths are those of ids and tax ids
)
_LENGTHS = {
    "visa": (13, 16, 19),
    "mastercard": (16,),
    "amex": (15,),
    "diners": range(14, 20),
    "maestro": range(13, 20),
    "jcb": range(16, 20),
    "discover": range(16, 20),
    "other": (16, 19),
}
_FEWEST_DIGITS = min(length for lengths in _LENGTHS.values() for length in lengths)
_PHONE = 13  # behind a plus it is a phone number's length: many of +49 would pass for Visa's old one
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def holds_card_number(text: str) -> bool:
    """Whether a card number stands in a text."""
    if not text.isascii():
        text = _DIGIT.sub(lambda digit: str(int(digit[0])), normalize("NFKC", text))
    if len(_DIGIT.findall(text)) < _FEWEST_DIGITS:
        return False
    return any(_holds_card_number(_GROUP.findall(run[0])) for run in _RUN.finditer(text))


def _holds_card_number(groups: list[tuple[str, str]]) -> bool:
    digits = "".join(group for _, group in groups)
    bounds = [0, *accumulate(len(group) for _, group in groups)]
    ends = set(bounds)
    sums = _luhn_sums(digits)
    return any(
        end in ends and not (plus and length == _PHONE) and not (sums[end % 2][end] - sums[end % 2][start]) % 10
        for start, (plus, _) in zip(bounds, groups, strict=False)  # the last bound is an end alone
        if (scheme := _SCHEMES.match(digits, start))
        for length in _LENGTHS[scheme.lastgroup or ""]
        for end in (start + length,)
    )


def _luhn_sums(digits: str) -> tuple[list[int], list[int]]:
    """Running sums of the check, for numbers that end at even and at odd places: many windows cost one pass."""
    even = [int(digit) for digit in digits]
    odd = even.copy()
    even[0::2] = [_DOUBLED[value] for value in even[0::2]]
    odd[1::2] = [_DOUBLED[value] for value in odd[1::2]]
    return [0, *accumulate(even)], [0, *accumulate(odd)]
