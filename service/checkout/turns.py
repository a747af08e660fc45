"""How one of many makes what all of them want, on however many replicas, and the others get it."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from service.checkout.ports import Turns

_MAKING_SECONDS = 1.5  # whoever gets the turn later than this before the end has no time to make anything
_LOOK_AGAIN_SECONDS = (0.025, 0.1)
T = TypeVar("T")
R = TypeVar("R")


async def in_turn(  # noqa: PLR0913  # the five things that may be met, and where
    turns: Turns[T],
    key: str,
    *,
    make: Callable[[bytes | None], Awaitable[R]],
    fit: Callable[[T, bool], Awaitable[R | None]],
    answer_by: float,
    meet: Callable[[bytes], None] = lambda _: None,
    note: bytes = b"",
    wants_another: bool = False,
) -> R:
    """What is there and fits, or what `make` gives once it is our turn.

    `make` gets the claim, or None where others cannot know of it. `fit` gives None where another is needed; it is told
    whether what is there came while we waited. `meet` is shown the note of whoever works meanwhile. With
    `wants_another` what is there before is passed over; but what comes while we wait is younger than the wish.

    Raises:
        TimeoutError: others had the turn until there was no time left.
    """
    pass_over, has_waited, clock = b"", False, asyncio.get_running_loop().time
    while clock() < answer_by - _MAKING_SECONDS:
        turn = await turns.take(key, instead_of=pass_over, note=note)
        if turn.claim is not None:
            if not turn.is_shared:
                return await make(None)
            async with turns.hold(key, turn.claim):
                return await make(turn.claim)
        if not turn.mark:
            meet(turn.note)
            wants_another, has_waited = False, True
            await asyncio.sleep(random.uniform(*_LOOK_AGAIN_SECONDS))  # noqa: S311  # spreads those who wait
        elif (
            turn.found is not None and not wants_another and (fitting := await fit(turn.found, has_waited)) is not None
        ):
            return fitting
        else:
            pass_over = turn.mark
    raise TimeoutError
