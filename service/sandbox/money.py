"""Amounts as decimals: a currency's exponent, its worth in dollars, and the text that a language shows.

The rates name the 36 currencies that a price may be given in.
"""

from decimal import ROUND_HALF_UP, Decimal

EXPONENTS = {"CLP": 0, "JPY": 0, "KRW": 0, "VND": 0}
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩", "BRL": "R$", "PLN": "zł"}
RATES = """
AED:3.67 ARS:1450 AUD:1.53 BRL:5.4 CAD:1.4 CHF:0.8 CLP:950 CNY:7.1 COP:3900 CZK:21 DKK:6.4 EUR:0.86
GBP:0.76 HKD:7.8 HUF:335 IDR:16600 INR:88 JPY:155 KRW:1450 MXN:18.5 MYR:4.2 NOK:10 NZD:1.75 PEN:3.4 PHP:58
PLN:3.65 RUB:80 SAR:3.75 SEK:9.5 SGD:1.3 THB:32.5 TRY:42 TWD:31 USD:1 VND:26300 ZAR:17.3
"""
LANGUAGES_WITH_DECIMAL_COMMA = "cs da de es fi fr hr it nl no pl pt ru sk sv tr"


def pairs(table: str) -> dict[str, str]:
    """`"US:USD GB:GBP"` as a dictionary."""
    return dict(pair.split(":") for pair in table.split())


PER_DOLLAR = {currency: Decimal(rate) for currency, rate in pairs(RATES).items()}
DECIMAL_COMMA_LANGUAGES = frozenset(LANGUAGES_WITH_DECIMAL_COMMA.split())


def rounded(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-EXPONENTS.get(currency, 2)), ROUND_HALF_UP)


def exchanged(amount: Decimal, source: str, target: str) -> Decimal:
    return rounded(amount / PER_DOLLAR[source] * PER_DOLLAR[target], target)


def display(amount: Decimal, currency: str, language: str) -> str:
    symbol = SYMBOLS.get(currency, currency)
    number = f"{rounded(amount, currency):,}"
    if language in DECIMAL_COMMA_LANGUAGES:
        return f"{number.translate(str.maketrans(',.', '.,'))} {symbol}"
    return f"{symbol}{number}" if currency in SYMBOLS else f"{symbol} {number}"
