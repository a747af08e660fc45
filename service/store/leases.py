"""A lock that ends by itself: held by one process at a time, renewed while it works, gone soon after it died."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from redis.asyncio.lock import Lock

from service.store.connection import STORE_ERRORS, Client

_LEASE_SECONDS = 2.0
_RENEW_EVERY_SECONDS = 0.5
_LOOK_EVERY_SECONDS = 0.05


@asynccontextmanager
async def lease(client: Client, key: str, *, wait_seconds: float) -> AsyncGenerator[bool]:
    """Hold a key; yields False when somebody else held it all the time.

    It keeps others from working at the same time, no more: a holder that stood still for longer than the lease has
    lost it without knowing, so what it writes must be compared with what it read.

    Raises:
        RedisError: the store is down.
    """
    lock = Lock(
        client,
        key,
        timeout=_LEASE_SECONDS,
        sleep=_LOOK_EVERY_SECONDS,
        blocking_timeout=wait_seconds,
        thread_local=False,  # the task that renews is not the one that took it
    )
    if not await lock.acquire():
        yield False
        return
    renewing = asyncio.create_task(_renew(lock))
    try:
        yield True
    finally:
        renewing.cancel()
        with suppress(*STORE_ERRORS):  # it ends by itself
            await lock.release()


async def _renew(lock: Lock) -> None:
    while True:
        await asyncio.sleep(_RENEW_EVERY_SECONDS)
        # There is time for further tries; once it is lost, the comparison before the write will tell.
        with suppress(*STORE_ERRORS):
            await lock.extend(_LEASE_SECONDS, replace_ttl=True)
