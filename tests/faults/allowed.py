"""What may be answered at any time, whatever happened before."""

import secrets
from datetime import timedelta

from service.checkout.errors import (
    CheckoutError,
    IdempotencyMismatchError,
    SessionCompletingError,
    SessionEndedError,
    UpstreamUnavailableError,
)
from service.checkout.outcome import Outcome
from service.checkout.session import Session
from service.checkout.settings import CheckoutSettings
from tests.faults.expected import Ask, Wanted
from tests.support.replicas import HASHER
from tests.support.truth import Truth

LEAST_LIFE = timedelta(seconds=60)


class Allowed:
    """What was handed out, to whom, and what for."""

    def __init__(self, truth: Truth) -> None:
        self.sessions: dict[str, Session] = {}
        self.retired: set[str] = set()
        self.used_keys: set[tuple[object, Wanted]] = set()
        self._truth = truth
        self._owners: dict[str, object] = {}

    def one(self, which: int) -> Session:
        """One of the sessions that were handed out; the latest is 0."""
        return list(self.sessions.values())[-1 - which % len(self.sessions)]

    def given(self, ask: Ask, settings: CheckoutSettings, outcome: Outcome, before: set[str]) -> None:
        """No session crosses a buyer, a cart, a mode, an expiry or a payment, nor comes back once it is retired.

        `before` are the ids that were there before it was asked for.
        """
        session, wanted = outcome.session, ask.wanted(settings)
        made = self._truth.made[session.session_id]
        assert (_pseudonym(wanted), *wanted[1:]) == (
            made.buyer,
            made.checkout,
            made.items[0].quantity,
            made.live,
            made.channel,
        )
        owner = wanted.buyer or (ask.buyer.caller, ask.key or secrets.token_hex(8))
        assert owner == self._owners.setdefault(session.session_id, owner)
        assert "open" == made.state
        assert self._truth.left_of(session.session_id) >= LEAST_LIFE
        assert session.session_id not in self.retired
        assert not (ask.fresh and not ask.key and session.session_id in before)
        said = (session.expires_at, session.live, session.checkout, session.quote)
        assert (made.expires_at, made.live, made.checkout, None) == said
        self.sessions.pop(session.session_id, None)
        self.sessions[session.session_id] = session

    def refused(self, ask: Ask, settings: CheckoutSettings, error: CheckoutError) -> None:
        """A refusal has a reason, and a store that fails is none."""
        wanted, made = ask.wanted(settings), self._truth.made.values()
        used = {one for key, one in self.used_keys if key == ask.key_id}
        reasons = {
            UpstreamUnavailableError: self._truth.is_down,
            IdempotencyMismatchError: bool(used - {wanted}),
            SessionEndedError: wanted in used,
            SessionCompletingError: any(("pending", _pseudonym(wanted)) == (one.state, one.buyer) for one in made),
        }
        assert reasons[type(error)], repr(error)


def _pseudonym(wanted: Wanted) -> str | None:
    return HASHER.pseudonym(wanted.buyer) if wanted.buyer else None
