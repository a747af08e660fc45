"""A look at what the session store holds, that leaves it as it is."""

from contextlib import suppress

from service.checkout.session import Session
from service.store.sessions import RedisSessionStore


async def reusable(store: RedisSessionStore, fingerprint: str | None) -> Session | None:
    """The session that a fingerprint leads to; a turn that is given instead is given back."""
    turn = await store.take(str(fingerprint))
    if turn.claim is not None:
        with suppress(LookupError):
            async with store.hold(str(fingerprint), turn.claim):
                raise LookupError
    return turn.found
