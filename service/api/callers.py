"""Who calls the internal API, and what they may do."""

import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING

from service.api.settings import CallerSettings, Scope
from service.checkout.errors import ScopeMissingError, UnauthenticatedError, UnknownCheckoutError, UnknownSessionError

if TYPE_CHECKING:  # it brings a library along that few need
    from service.api.tokens import Tokens

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
        if not self.may(scope):
            raise ScopeMissingError(f"This needs the scope {scope}.")

    def require_checkout(self, checkout: str) -> None:
        """Pass a caller that may use a checkout; for others it does not exist.

        Raises:
            UnknownCheckoutError: it may not.
        """
        if not self.may_use(checkout):
            raise UnknownCheckoutError

    def require_session_of(self, checkout: str) -> None:
        """Pass a caller that may see the sessions of a checkout; for others they do not exist.

        Raises:
            UnknownSessionError: it may not.
        """
        if not self.may_use(checkout):
            raise UnknownSessionError

    def may(self, scope: Scope) -> bool:
        """Whether it has a scope."""
        return scope in self._settings.scopes

    def may_use(self, checkout: str) -> bool:
        """Whether a checkout is one of its own."""
        return self._settings.checkouts is None or checkout in self._settings.checkouts


class Callers:
    """The callers of the configuration, found by the SHA-256 of their keys or the subjects of their tokens."""

    def __init__(self, callers: Mapping[str, CallerSettings], tokens: "Tokens | None" = None) -> None:
        self._by_name = {name: Caller(name, settings) for name, settings in callers.items()}
        self._keys = [
            (digest, self._by_name[name]) for name, settings in callers.items() for digest in settings.key_sha256
        ]
        self._subjects = {one.jwt_subject: self._by_name[name] for name, one in callers.items() if one.jwt_subject}
        self._tokens = tokens

    def may_quote(self, name: str, checkout: str) -> bool:
        """Whether there is such a caller, and quotes that it signed for a checkout hold."""
        caller = self._by_name.get(name)
        return caller is not None and caller.may("quotes:create") and caller.may_use(checkout)

    def authenticate(self, authorization: str | None) -> Caller:
        """The caller of an `Authorization: Bearer …` header.

        Raises:
            UnauthenticatedError: one answer for a missing, malformed, unknown and outlived credential alike.
        """
        scheme, credential = (authorization or "")[: len(_BEARER)], (authorization or "")[len(_BEARER) :]
        found = self._of_key(credential) or self._of_token(credential)
        if found is None or scheme.lower() != _BEARER:
            raise UnauthenticatedError("Send a caller's key or token as `Authorization: Bearer …`.")
        return found

    def _of_key(self, key: str) -> Caller | None:
        digest = sha256(key.encode()).hexdigest()
        found: Caller | None = None
        # Every key is compared, so that the time tells nothing of which one was close.
        for known, caller in self._keys:
            if hmac.compare_digest(known, digest):
                found = caller
        return found

    def _of_token(self, token: str) -> Caller | None:
        subject = self._tokens.subject(token) if self._tokens else None
        return None if subject is None else self._subjects.get(subject)
