"""Our own id of a session: `cs_` and 26 lower-case characters, ordered by time, unguessable."""

import secrets
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_RANDOM_BITS = 80
_LENGTH = 26


def new_reference(now: datetime) -> str:
    """48 bits of milliseconds, then 80 bits of the system's randomness."""
    number = (int(now.timestamp() * 1000) << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)
    digits = [_ALPHABET[(number >> shift) & 31] for shift in range((_LENGTH - 1) * 5, -1, -5)]
    return "cs_" + "".join(digits)


def is_reference(text: str) -> bool:
    """Whether a text has the form of a reference; says nothing of whether it exists."""
    return len(text) == len("cs_") + _LENGTH and text.startswith("cs_") and set(text[3:]) <= set(_ALPHABET)
