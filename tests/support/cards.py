"""Card numbers as people type them, and the ids, tax ids and phone numbers that look alike; the same in every run."""

from collections.abc import Callable, Iterator
from itertools import islice
from random import Random

# How each scheme's numbers begin, and how long they are.
SCHEMES = [
    *[("4", length) for length in (13, 16, 19)],
    *[(prefix, 16) for prefix in ("51", "55", "2221", "2345", "2720")],
    *[("34", 15), ("37", 15)],
    *[(prefix, length) for prefix in ("300", "305", "3095", "36", "38") for length in (14, 16)],
    *[(prefix, length) for prefix in ("3528", "3589", "6011", "62", "644", "65") for length in (16, 17, 18, 19)],
    *[(prefix, length) for prefix in ("5018", "5893", "6304", "6759", "6763") for length in range(13, 20)],
    *[(prefix, length) for prefix in ("50", "57", "67") for length in (16, 19)],
]
SEPARATORS = [
    *("", " ", "  ", "   ", "-", ".", ",", "/", "_", "|", "*", ":", "\t", " - ", " / ", "\n"),
    *("\xa0", "\u2009", "\u202f", "\u3000", "\u2013", "\u2014", "\u2011", "\xad", "\u200b", "\ufe0f\u20e3 "),
]
BESIDE = ["", "12/27", "123", "12/27 123", "Apt 12", "7", "No. 4", "2027-12", "0"]
DIGITS = ["0123456789", "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19", "٠١٢٣٤٥٦٧٨٩"]
# A digit is #, a letter @.
VAT_FORMATS = [
    *("ATU########", "BE0#########", "CHE-###.###.### MWST", "CY########@", "CZ##########", "DE#########"),
    *("DE ### ### ###", "DK## ## ## ##", "EE#########", "EL#########", "ES@########", "ES@#######@", "FI########"),
    *("FR## ### ### ###", "GB### #### ##", "GB### #### ## ###", "HR###########", "HU########", "IE#######@@"),
    *("IT###########", "LT############", "LU########", "LV###########", "MT########", "NL#########B##"),
    *("NO### ### ### MVA", "PL###-###-##-##", "PT#########", "RO##########", "SE##########01", "SI########"),
    *("SK##########", "BR##.###.###/####-##", "AU## ### ### ###", "RU############", "IN##@@@@@####@#Z#"),
    *("MX@@@######@@#", "US##-#######", "TR##########", "JP T#############"),
]
PHONE_FORMATS = [
    *("+49 151 ########", "+49151########", "+49 (0) 30 ########", "+49 89 #### ####", "+43 664 ### ## ##"),
    *("+44 7### ######", "+1 (###) ###-####", "+1##########", "+33 6 ## ## ## ##", "+39 3## ### ####"),
    *("+55 11 9####-####", "+91 ##### #####", "+86 1## #### ####", "+62 8## #### ####", "+7 9## ###-##-##"),
    *("+46 70 ### ## ##", "+48 ### ### ###", "+36 30 ### ####", "+34 6## ### ###", "+379 06 ########"),
    *("+61 4## ### ###", "+65 #### ####", "+353 8# ### ####", "+420 ### ### ###"),
]


def dice(seed: int = 5) -> Random:
    """The same luck in every run."""
    return Random(seed)  # noqa: S311  # no secret


def with_check_digit(digits: str) -> str:
    """Digits made a number that passes the Luhn check."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * 2
        total += int(digit) if place % 2 else doubled - 9 * (doubled > 9)
    return digits + str(-total % 10)


def card(luck: Random) -> str:
    """A number of some scheme."""
    prefix, length = luck.choice(SCHEMES)
    return with_check_digit((prefix + "".join(luck.choices("0123456789", k=19)))[: length - 1])


def typed(number: str, luck: Random) -> str:
    """A number in groups, with any separator, any digits, and other digits beside it."""
    size, between = luck.choice((4, 4, 5, 6, 1)), luck.choice(SEPARATORS)
    written = between.join(number[start : start + size] for start in range(0, len(number), size))
    before, behind, beside = luck.choice(BESIDE), luck.choice(BESIDE), luck.choice((" ", ", ", " / "))
    whole = beside.join(part for part in (before, written, behind) if part)
    return whole.translate(str.maketrans("0123456789", luck.choice((DIGITS[0], *DIGITS))))


def filled(form: str, luck: Random) -> str:
    """A form with digits and letters in their places."""
    given = {"#": "0123456789", "@": "ABCDEFGHJKLMNPQRSTUVWXYZ"}
    return "".join(luck.choice(given.get(sign, sign)) for sign in form)


def flake_id(luck: Random) -> str:
    """An id of one of the years 2024 to 2027: milliseconds since 2022, and 22 bits."""
    return str(luck.randrange(63_000_000_000, 189_000_000_000) << 22 | luck.randrange(1 << 22))


def steam_id(luck: Random) -> str:
    """A person's 64-bit id."""
    return str(76561197960265728 + luck.randrange(2_000_000_000))


LOOKALIKES: dict[str, Callable[[Random], str]] = {
    "flake": flake_id,
    "steam": steam_id,
    "tax": lambda luck: filled(luck.choice(VAT_FORMATS), luck),
    "phone": lambda luck: filled(luck.choice(PHONE_FORMATS), luck),
}


def lookalikes(kind: str) -> Iterator[str]:
    """10,000 of a kind."""
    luck = dice()
    return islice(iter(lambda: LOOKALIKES[kind](luck), None), 10_000)
