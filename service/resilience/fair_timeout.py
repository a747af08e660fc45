"""A time-out for others that our own lag is not counted in."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

_PARTS = 20


@asynccontextmanager
async def fair_timeout(seconds: float) -> AsyncGenerator[None]:
    """Like `asyncio.timeout`, but a turn of the loop that takes long counts as a twentieth of the time, however long.

    What others said in a long turn is read only after it, and what needs several turns needs them all: by the clock,
    a burst of our own work would look like their silence.

    Raises:
        TimeoutError: the time is over.
    """
    loop = asyncio.get_running_loop()
    part_seconds = seconds / _PARTS
    timer: asyncio.TimerHandle
    async with asyncio.timeout(None) as limit:

        def tick(parts_left: int) -> None:
            nonlocal timer
            if parts_left:
                timer = loop.call_later(part_seconds, tick, parts_left - 1)
            else:
                limit.reschedule(loop.time())

        timer = loop.call_later(part_seconds, tick, _PARTS - 1)
        try:
            yield
        finally:
            timer.cancel()
