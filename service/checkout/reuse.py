"""Hands a session out again while that is safe, and has one made where it is not."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from service.checkout.asked import Asked, reusable_for
from service.checkout.errors import ProviderError, SessionCompletingError, StoreRequiredError, UpstreamTimeoutError
from service.checkout.limits import Limits
from service.checkout.minting import Minter, say_where
from service.checkout.ports import Clock, SessionStore
from service.checkout.session import Event, Session, State
from service.checkout.settings import CheckoutSettings
from service.checkout.turns import in_turn

_NOTED_AGAIN_AFTER = timedelta(minutes=1)
_EVENTS: dict[State, Event] = {
    "open": "failed",  # of a payment that was under way
    "pending": "pending",
    "completed": "completed",
    "refunded": "refunded",
    "charged_back": "charged_back",
    "expired": "expired",
    "abandoned": "abandoned",
}


class Obtained(NamedTuple):
    """A session, and whether it was there before."""

    session: Session
    reused: bool


class Reuse:
    """One live session for a buyer and request."""

    def __init__(self, sessions: SessionStore, limits: Limits, minter: Minter, clock: Clock) -> None:
        self._sessions = sessions
        self._limits = limits
        self._minter = minter
        self._clock = clock

    async def obtain(self, asked: Asked) -> Obtained:
        """The session of whoever makes it now, on whichever replica, or one that is made here.

        Raises:
            SessionCompletingError: a payment of the present one is under way.
            ProviderError: the provider gave no usable session, or nobody has made one in time.
        """

        async def make(claim: bytes | None) -> Obtained:
            return Obtained(await self._minter.mint(asked, claim), reused=False)

        async def fit(session: Session, is_new: bool) -> Obtained | None:  # noqa: FBT001  # what `in_turn` tells
            if session.fingerprint != asked.fingerprint:
                return None
            usable = await self.usable(asked, session, is_unlimited=is_new)
            return Obtained(usable, reused=True) if usable else None

        try:
            return await in_turn(
                self._sessions,
                asked.fingerprint,
                make=make,
                fit=fit,
                answer_by=asked.answer_by,
                wants_another=asked.request.fresh,
            )
        except TimeoutError as error:
            raise UpstreamTimeoutError("This checkout is being made by another request for too long.") from error

    async def as_it_is(self, session: Session) -> Session | None:
        """The record of a session that was met somewhere else; None while the store is down, as then nobody knows."""
        with suppress(StoreRequiredError):
            if record := await self._sessions.find(session.reference):
                return record
            return replace(session, state="expired")  # its record was lost, and what became of it with that
        return None

    async def usable(self, asked: Asked, session: Session, *, is_unlimited: bool = False) -> Session | None:
        """The session as it may be handed out again; None when it is over. The provider is asked when that is due.

        With `is_unlimited` it may be older than `reuse_seconds`: it was waited for, or answers to an idempotency key.

        Raises:
            SessionCompletingError: a payment of it is under way.
            ChallengeRequiredError: the provider has to be asked, and was asked too much for browsers.
            ProviderError: it does not answer.
        """
        now, settings = self._clock(), asked.checkout.settings
        if is_unlimited:
            settings = replace(settings, reuse_seconds=None)
        if not session.is_linked or (session.state == "open" and not _has_time(session, settings, now)):
            return None
        session = await self._looked_after(asked, session, now)
        if session.state == "pending":
            raise SessionCompletingError("A payment of this checkout is under way.")
        is_usable = session.state == "open" and session.is_linked and _has_time(session, settings, now)
        return session if is_usable else None

    async def _looked_after(self, asked: Asked, session: Session, now: datetime) -> Session:
        """The session with what its provider says of it, where that is due, and with the mark that it is used again."""
        verifier, settings = asked.checkout.verifier, asked.checkout.settings
        asked_last = session.verified_at or session.created_at
        state: State | None = None
        # Of another replica's clock, which may be ahead of ours.
        if verifier and abs(now - asked_last) >= timedelta(seconds=settings.verify_after_seconds):
            await self._limits.admit_question(asked)
            try:
                state = await verifier.state(session)
            except ProviderError as error:
                say_where(error, asked)
                raise
        elif session.state == "pending" or _was_noted(session, now):
            return session

        was_paid = False

        async def looked_after(record: Session) -> Session:
            nonlocal was_paid
            # What happened to the record since the provider was asked is younger than its yes.
            is_old = state == "open" and record.state != session.state
            seen = _seen(record, None if is_old else state, self._clock())
            was_paid = seen.state == "completed" and record.state != "completed"
            return seen

        updated = None
        with suppress(StoreRequiredError):  # what was found out holds all the same
            updated = await self._sessions.update(session.reference, looked_after)
        if was_paid:
            await self._limits.paid.note(session.checkout, "paid")
        return updated or _seen(session, state, now)


def _has_time(session: Session, settings: CheckoutSettings, now: datetime) -> bool:
    return reusable_for(session, settings, now) > timedelta()


def _seen(record: Session, state: State | None, now: datetime) -> Session:
    """The record after its provider said `state` (None: was not asked). What is known to be over stays so."""
    if not record.is_linked:
        return record
    if state is not None:
        record = replace(record, verified_at=now.replace(microsecond=0))
        if state != record.state:
            record = record.after(_EVENTS[state], now, state=state)
    if record.state != "open" or _was_noted(record, now):
        return record
    return record.after("reused", now)


def _was_noted(session: Session, now: datetime) -> bool:
    """Whether a re-use was noted a moment ago: once a minute tells enough, and the timeline keeps its beginning."""
    last = next((entry.at for entry in reversed(session.timeline) if entry.event == "reused"), None)
    return last is not None and now - last < _NOTED_AGAIN_AFTER
