"""Makes one change of a session at a time, and keeps what the session is after it."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from service.checkout.acceptance import Expectations, accept
from service.checkout.errors import (
    OverloadedError,
    ProviderError,
    SessionCompletingError,
    SessionEndedError,
    StoreRequiredError,
    UnknownSessionError,
    UpstreamCredentialsError,
    UpstreamInvalidError,
    UpstreamMisconfiguredError,
    UpstreamMismatchError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    at_upstream,
)
from service.checkout.models import Money, Order, ProviderSession, SessionItem
from service.checkout.ports import Clock, SessionEditor, SessionStore
from service.checkout.session import Event, Session, State

# A change has to end within the time that a caller waits for any answer, its turn included.
_WAIT_SECONDS = 1.5
_SAYS_NO = (
    SessionEndedError,
    UpstreamRejectedError,
    UpstreamCredentialsError,
    UpstreamMisconfiguredError,
    UpstreamThrottledError,
)


class Plan(NamedTuple):
    """A change: the call that makes it, and what the session must be after it, given the lines that it then has."""

    call: Callable[[SessionEditor], Awaitable[None]]
    wanted: Callable[[tuple[SessionItem, ...]], Order]


class SessionWriter:
    """One writer a session, over all processes."""

    def __init__(self, sessions: SessionStore, clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock

    async def change(
        self, session: Session, editor: SessionEditor, expected: Expectations, planned: Callable[[Session], Plan]
    ) -> Session:
        """Make the change that is planned by the record as it is once it is our turn.

        From the first call on nothing leads to the session from a fingerprint, whatever becomes of the change.

        Raises:
            RequestRefusedError: the plan does, or the session is not open.
            ProviderError: the provider did not make the change, or another one.
            StoreRequiredError: the store is down.
        """
        async with self._sessions.writer(session.reference, wait_seconds=_WAIT_SECONDS) as is_ours:
            if not is_ours:
                raise OverloadedError("Somebody else is changing this session.", retry_after_seconds=1)
            record = await self._sessions.find(session.reference)
            if record is None:
                raise UnknownSessionError
            _require_open(record.state_at(self._clock()))
            plan, editor = planned(record), editor.for_one_change()
            await self._sessions.unlink(record)
            with at_upstream(record.upstream):
                await self._make(plan, editor, record)
                return await self._read_again(plan, editor, record.reference, expected)

    async def _make(self, plan: Plan, editor: SessionEditor, record: Session) -> None:
        """Until the session was read again its total is unknown, also where this process ends in the midst of it."""
        await self._set_total(record.reference, None)
        try:
            await plan.call(editor)
        except (SessionEndedError, ProviderError) as error:
            if _was_not_made(error):
                with suppress(StoreRequiredError):
                    await self._set_total(record.reference, record.total)
            raise

    async def _read_again(self, plan: Plan, editor: SessionEditor, reference: str, expected: Expectations) -> Session:
        """Keep what the provider has now, also where that is not what was asked for.

        Asking it comes between the record's reading and its writing, so an older state never replaces a newer one.
        """
        mismatch: UpstreamMismatchError | None = None

        async def as_it_is(record: Session) -> Session:
            nonlocal mismatch
            answer, now = await _read(editor, record.session_id), self._clock()
            wanted = plan.wanted(record.items if answer.items is None else answer.items)
            mismatch = _mismatch(wanted, answer, expected, now)
            return _as_answered(record, wanted, answer, "mismatch" if mismatch else "changed", now)

        changed = await self._sessions.update(reference, as_it_is)
        if changed is None:
            raise UnknownSessionError
        if mismatch:
            raise mismatch
        return changed

    async def _set_total(self, reference: str, total: Money | None) -> None:
        async def with_total(record: Session) -> Session:
            return replace(record, total=total)

        await self._sessions.update(reference, with_total)


async def _read(editor: SessionEditor, session_id: str) -> ProviderSession:
    try:
        return await editor.read(session_id)
    except UpstreamRejectedError as error:  # no fault of the request, whose change was made
        raise UpstreamInvalidError("The provider does not let the changed session be read.") from error


def _was_not_made(error: SessionEndedError | ProviderError) -> bool:
    """Whether all is as it was for certain: the provider's no, or a call that never left."""
    return isinstance(error, _SAYS_NO) or not error.sent


def _mismatch(
    wanted: Order, answer: ProviderSession, expected: Expectations, now: datetime
) -> UpstreamMismatchError | None:
    try:
        accept(wanted, answer, expected, expires_after=now)
    except UpstreamMismatchError as mismatch:
        return mismatch
    return None


def _as_answered(record: Session, wanted: Order, answer: ProviderSession, event: Event, now: datetime) -> Session:
    """The record with what the provider says of the session now. The mode that it was made in stays."""
    return record.after(
        event,
        now,
        country=answer.country,
        currency=answer.currency,
        total=answer.total,
        items=_lines(wanted) if answer.items is None else answer.items,
        tags=wanted.order_tags or {},
        warnings=answer.warnings,
        expires_at=answer.expires_at,
    )


def _lines(order: Order) -> tuple[SessionItem, ...]:
    return tuple(SessionItem(product=item.product, quantity=item.quantity) for item in order.items)


def _require_open(state: State) -> None:
    if state == "pending":
        raise SessionCompletingError("A payment of this session is under way.")
    if state != "open":
        raise SessionEndedError(f"This session is {state.replace('_', ' ')}: make another one.")
