"""The sessions that were made: found by their reference, and retired."""

from service.checkout.errors import UnknownSessionError
from service.checkout.fingerprint import Hasher
from service.checkout.ports import Clock, SessionStore
from service.checkout.reference import is_reference
from service.checkout.session import Session


class SessionService:
    """Finds sessions and retires them."""

    def __init__(self, sessions: SessionStore, hasher: Hasher, clock: Clock) -> None:
        self._sessions = sessions
        self._hasher = hasher
        self._clock = clock

    async def find(self, reference: str) -> Session:
        """The record of a session.

        Raises:
            UnknownSessionError: there is none.
            StoreRequiredError: the store is down.
        """
        if is_reference(reference) and (session := await self._sessions.find(reference)):
            return session
        raise UnknownSessionError

    async def find_for_browser(self, reference: str, buyer_key: str) -> Session:
        """The record of a session that this browser made.

        Raises:
            UnknownSessionError: there is none, or another browser made it.
        """
        session = await self.find(reference)
        if session.buyer != self._hasher.buyer(buyer_key):
            raise UnknownSessionError
        return session

    async def retire(self, session: Session) -> None:
        """Never hand a session out again. One that is paid or over already stays what it is."""

        async def retired(record: Session) -> Session:
            return record.retired(self._clock())

        await self._sessions.unlink(session)
        await self._sessions.update(session.reference, retired)
