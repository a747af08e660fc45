"""Money as decimal text in the currency's own exponent; never a float."""

import re
from decimal import ROUND_HALF_UP, Decimal

from service.checkout.models import Money

# ISO 4217: the currencies without a minor unit, and those with a thousandth; every other one has a hundredth.
_WHOLE = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
_THOUSANDTHS = frozenset("BHD IQD JOD KWD LYD OMR TND".split())
_UNITS = {digits: Decimal(1).scaleb(-digits) for digits in (0, 2, 3)}
# Not markup, and nothing that is invisible or turns the direction of what is read.
_DISPLAY = re.compile(r"[^<>&\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]{1,40}")


def exponent(currency: str) -> int:
    """How many digits the currency's minor unit has (ISO 4217)."""
    if currency in _WHOLE:
        return 0
    return 3 if currency in _THOUSANDTHS else 2


def decimal_text(amount: Decimal, currency: str) -> str:
    """`Decimal("44.1")` in EUR is `44.10`, in JPY `44`."""
    return str(amount.quantize(_UNITS[exponent(currency)], rounding=ROUND_HALF_UP))


def money(amount: Decimal, currency: str, display: str | None) -> Money:
    """An amount with the provider's formatting where that is harmless text, else with ours."""
    text = decimal_text(amount, currency)
    if display is None or not _DISPLAY.fullmatch(display):
        display = f"{text} {currency}"
    return Money(amount=text, currency=currency, display=display)
