"""`Idempotency-Key`: whoever repeats a request with its key gets the first answer again.

The provider has no such key, so this is the only one. Draft-ietf-httpapi-idempotency-key-header is followed; unlike
elsewhere a failure is not kept, as no money moved: the next try runs again.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from msgspec.structs import replace

from service.checkout.asked import Asked
from service.checkout.errors import (
    IdempotencyInProgressError,
    IdempotencyMismatchError,
    SessionCompletingError,
    SessionEndedError,
)
from service.checkout.fingerprint import Hasher
from service.checkout.flights import Flights
from service.checkout.outcome import Outcome, Replay
from service.checkout.ports import Clock, ReplayStore
from service.checkout.reuse import Reuse
from service.checkout.session import Session
from service.checkout.turns import in_turn

_LONGEST = timedelta(hours=24)


class Replays:
    """Answers to idempotency keys, by checkout and asker."""

    def __init__(
        self, replays: ReplayStore, reuse: Reuse, hasher: Hasher, clock: Clock, flights: Flights[Outcome]
    ) -> None:
        self._replays = replays
        self._reuse = reuse
        self._hasher = hasher
        self._clock = clock
        self._flights = flights

    async def once(self, asked: Asked, idempotency_key: str, create: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """What `create` gives, or gave when this was asked with this key before.

        Raises:
            IdempotencyMismatchError: the key belongs to another request.
            IdempotencyInProgressError: the first request with this key runs for longer than a browser waits.
            SessionEndedError: what was answered before is over, and no other session is asked for.
            CheckoutError: `create` does.
        """
        asker = ("caller", asked.buyer.caller) if asked.buyer.caller else ("buyer", asked.buyer.key)
        key = self._hasher.replay(*asker, asked.checkout.name, idempotency_key)
        flight = f"{key} {asked.fingerprint} {asked.request.fresh}"
        outcome, is_first = await self._flights.join(flight, lambda: self._once(asked, key, create))
        return outcome if is_first else replace(outcome, replayed=True)

    async def _once(self, asked: Asked, key: str, create: Callable[[], Awaitable[Outcome]]) -> Outcome:
        async def make(claim: bytes | None) -> Outcome:
            outcome = await create()
            if claim is not None:
                replay = Replay(fingerprint=asked.fingerprint, outcome=outcome)
                lasting = self._replayable_for(asked, outcome.session)
                await self._replays.keep(key, replay, claim, replayable_for=lasting)
            return outcome

        async def fit(replay: Replay, _: bool) -> Outcome | None:  # noqa: FBT001  # it does not matter how new it is
            meet(replay.fingerprint.encode())
            if await self._is_good(asked, replay.outcome.session):
                return replace(replay.outcome, replayed=True)
            return None

        def meet(fingerprint: bytes) -> None:
            if fingerprint != asked.fingerprint.encode():
                raise IdempotencyMismatchError("This Idempotency-Key was used for another request.")

        try:
            return await in_turn(
                self._replays,
                key,
                make=make,
                fit=fit,
                answer_by=asked.answer_by,
                meet=meet,
                note=asked.fingerprint.encode(),
            )
        except TimeoutError as error:
            detail = "The first request with this Idempotency-Key is still running."
            raise IdempotencyInProgressError(detail, retry_after_seconds=1) from error

    async def _is_good(self, asked: Asked, first: Session) -> bool:
        """Whether the session of the first answer may be handed out again; where not, another one has to be asked for.

        Raises:
            SessionEndedError, SessionCompletingError: it may not, and no other one is asked for.
        """
        record = await self._reuse.as_it_is(first)
        if record is None:
            return False  # as if nothing had been found: a caller may have retired it, or changed it
        try:
            if await self._reuse.usable(asked, record, is_unlimited=True):
                return True
        except SessionCompletingError:
            if not asked.request.fresh:
                raise
        if asked.request.fresh:
            return False
        raise SessionEndedError("The session of the first answer is over.")

    def _replayable_for(self, asked: Asked, session: Session) -> timedelta:
        margin = timedelta(seconds=asked.checkout.settings.expiry_margin_seconds)
        return min(session.expires_at - margin - self._clock(), _LONGEST)
