"""Who calls the internal API, and what they may do."""

import hmac
from collections.abc import Mapping
from hashlib import sha256

from service.api.settings import CallerSettings, Scope
from service.checkout.errors import ScopeMissingError, UnauthenticatedError, UnknownCheckoutError, UnknownSessionError

_BEARER = "bearer "


class Caller:
    """A known caller."""

    def __init__(self, name: str, settings: CallerSettings) -> None:
        self.name = name
        self._settings = settings

    def require(self, scope: Scope) -> None:
        """Pass a caller that has a scope.

        Raises:
            ScopeMissingError: it has not.
        """
        if scope not in self._settings.scopes:
            raise ScopeMissingError(f"This needs the scope {scope}.")

    def require_checkout(self, checkout: str) -> None:
        """Pass a caller that may use a checkout; for others it does not exist.

        Raises:
            UnknownCheckoutError: it may not.
        """
        if not self._may_use(checkout):
            raise UnknownCheckoutError

    def require_session_of(self, checkout: str) -> None:
        """Pass a caller that may see the sessions of a checkout; for others they do not exist.

        Raises:
            UnknownSessionError: it may not.
        """
        if not self._may_use(checkout):
            raise UnknownSessionError

    def _may_use(self, checkout: str) -> bool:
        return self._settings.checkouts is None or checkout in self._settings.checkouts


class Callers:
    """The callers of the configuration, found by the SHA-256 of their keys."""

    def __init__(self, callers: Mapping[str, CallerSettings]) -> None:
        self._keys = [
            (digest, Caller(name, settings)) for name, settings in callers.items() for digest in settings.key_sha256
        ]

    def authenticate(self, authorization: str | None) -> Caller:
        """The caller of an `Authorization: Bearer KEY` header.

        Raises:
            UnauthenticatedError: one answer for a missing, malformed and unknown key alike.
        """
        scheme, key = (authorization or "")[: len(_BEARER)], (authorization or "")[len(_BEARER) :]
        digest = sha256(key.encode()).hexdigest()
        found: Caller | None = None
        # Every key is compared, so that the time tells nothing of which one was close.
        for known, caller in self._keys:
            if hmac.compare_digest(known, digest):
                found = caller
        if found is None or scheme.lower() != _BEARER:
            raise UnauthenticatedError("Send a caller's key as `Authorization: Bearer KEY`.")
        return found
