"""States of a session, for callers and for browsers."""

from datetime import datetime, timedelta
from typing import get_args

import pytest

from service.checkout.session import Session, State
from tests.support.orders import NOW, REFERENCE

EXPIRES = NOW + timedelta(hours=1)
SEEN_BY_BROWSERS = {
    "open": "open",
    "pending": "pending",
    "completed": "completed",
    "refunded": "completed",
    "charged_back": "completed",
    "expired": "expired",
    "abandoned": "expired",
    "retired": "expired",
}


def session_in(state: State) -> Session:
    return Session(
        reference=REFERENCE,
        checkout="default",
        upstream="acme",
        provider="echo",
        session_id="OS1",
        token=None,
        checkout_url="https://acme.onfastspring.com/session/OS1",
        state=state,
        live=False,
        country=None,
        currency=None,
        total=None,
        items=(),
        tags={},
        warnings=(),
        caller=None,
        quote=None,
        created_at=NOW,
        expires_at=EXPIRES,
    )


@pytest.mark.parametrize(
    ("now", "state"),
    [(EXPIRES - timedelta(microseconds=1), "open"), (EXPIRES, "expired"), (EXPIRES + timedelta(days=1), "expired")],
)
def test_open_session_expires_by_the_clock(now: datetime, state: State) -> None:
    """An open session is expired from its very moment on, without any event."""
    assert state == session_in("open").state_at(now)


@pytest.mark.parametrize("state", sorted(set(get_args(State)) - {"open"}))
def test_other_states_do_not_expire(state: State) -> None:
    """A state that something happened to reach stays, however late it is."""
    assert state == session_in(state).state_at(EXPIRES + timedelta(days=1))


@pytest.mark.parametrize("state", get_args(State))
def test_browsers_see_four_states(state: State) -> None:
    """Refunds and charge-backs stay completed for a browser, abandoned and retired ones are expired."""
    assert SEEN_BY_BROWSERS[state] == session_in(state).browser_state_at(NOW)
