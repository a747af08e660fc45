"""FlakeIds: signed 64-bit snowflakes that travel as strings, never as JSON numbers."""

import re
from datetime import datetime
from typing import Annotated

from msgspec import Meta

from service.sandbox.clock import epoch_milliseconds

EPOCH_MILLISECONDS = 1_645_568_542_000
NODE_AND_COUNTER_BITS = 22
LARGEST = str(2**63 - 1)


def digits_up_to(largest: str) -> str:
    """A pattern of the numbers up to this one, and of any that has fewer digits."""
    smaller = (
        f"{largest[:place]}[0-{int(digit) - 1}][0-9]{{{len(largest) - place - 1}}}"
        for place, digit in enumerate(largest)
        if digit != "0"
    )
    return "|".join([f"[0-9]{{1,{len(largest) - 1}}}", *smaller, largest])


PATTERN = rf"^(?:{digits_up_to(LARGEST)})\Z"
FlakeId = Annotated[str, Meta(pattern=PATTERN)]


def is_flake_id(text: str) -> bool:
    return re.match(PATTERN, text) is not None


def flake_id(now: datetime, number: int) -> str:
    """`number` tells apart what is made within one millisecond."""
    low_bits = number % (1 << NODE_AND_COUNTER_BITS)
    return str((epoch_milliseconds(now) - EPOCH_MILLISECONDS << NODE_AND_COUNTER_BITS) | low_bits)
