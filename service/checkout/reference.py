"""Our own id of a session: `cs_` and 26 lower-case characters, ordered by time, unguessable.

Its last two characters are those of a group. All sessions of one buyer are of one group, so that a clustered store can
keep them in one place; otherwise a group says nothing.
"""

import secrets
from datetime import datetime

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
GROUP_CHARACTERS = 2
_RANDOM_BITS = 80  # 16 characters
_LENGTH = 26
_PAIRS = tuple(first + second for first in ALPHABET for second in ALPHABET)
_SHIFTS = range(120, -1, -10)  # of each pair of characters


def new_reference(now: datetime, group: str | None = None) -> str:
    """50 bits of milliseconds, 70 bits of the system's randomness, and the group: any where none is given."""
    number = int(now.timestamp() * 1000) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    text = "cs_" + "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])
    return text[:-GROUP_CHARACTERS] + group if group else text


def group_of(text: str) -> str:
    """The group that a reference, or a fingerprint, ends with."""
    return text[-GROUP_CHARACTERS:]


def is_reference(text: str) -> bool:
    """Whether a text has the form of a reference; says nothing of whether it exists."""
    return len(text) == len("cs_") + _LENGTH and text.startswith("cs_") and set(text[3:]) <= set(ALPHABET)
