"""JSON Web Tokens as credentials of callers: signed by a key of the configured file, for us, now.

A token names its key by `kid` and nothing else of it counts: the algorithm is that of the key's type, and a header that
brings a key along, or leads to one, is refused.
"""

import base64
import re
from collections.abc import Sequence

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwt import JWTClaimsRegistry
from msgspec import UNSET, Struct

from service.api.keysets import PublicKey, read_key_set
from service.api.settings import JwtSettings
from service.checkout.decoding import refuse_duplicates
from service.checkout.errors import InvalidRequestError
from service.checkout.ports import Clock
from service.checkout.quotes.jws import ExactAlgorithms

_MAX_TOKEN_CHARACTERS = 8192
_COMPACT_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_CLOCK_SKEW_SECONDS = 60
_TYPES = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})


class _Header(Struct, frozen=True):
    """What is read of a header before its signature is: which key, and whether there is more than we take."""

    alg: str
    kid: str | None = None
    typ: str = "JWT"
    # Keys of the sender's own choice, and extensions that change what is signed or must be understood.
    jku: object = UNSET
    jwk: object = UNSET
    x5u: object = UNSET
    x5c: object = UNSET
    crit: object = UNSET
    b64: object = UNSET
    zip: object = UNSET
    enc: object = UNSET

    @property
    def is_plain(self) -> bool:
        """Whether it is one of a caller's token."""
        foreign = self.jku, self.jwk, self.x5u, self.x5c, self.crit, self.b64, self.zip, self.enc
        return self.typ.lower() in _TYPES and all(one is UNSET for one in foreign)


class Tokens:
    """Verifies tokens by one key set, issuer and audience."""

    def __init__(self, settings: JwtSettings, clock: Clock) -> None:
        self._keys = read_key_set(settings.jwks_file.text)
        self._settings = settings
        self._clock = clock

    def subject(self, token: str) -> str | None:
        """Whom a token speaks for; None for one that is not valid, whatever is wrong with it."""
        if len(token) > _MAX_TOKEN_CHARACTERS or not _COMPACT_JWS.fullmatch(token):
            return None
        try:
            head, claims, _ = token.split(".")
            for part in (head, claims):
                refuse_duplicates(_decoded(part))
            header = msgspec.json.decode(_decoded(head), type=_Header)
            key = _key_for(header, self._keys) if header.is_plain else None
            return self._verified_subject(token, key) if key else None
        except (
            JoseError,
            InvalidRequestError,
            ValueError,
            RecursionError,
        ):  # a msgspec.ValidationError is a ValueError
            return None

    def _verified_subject(self, token: str, key: PublicKey) -> str:
        """The subject of a token that holds.

        Raises:
            JoseError: it does not.
        """
        registry = ExactAlgorithms(algorithms=key.algorithms, strict_check_header=False)
        claims = jwt.decode(token, key.key, registry=registry).claims
        now, settings = int(self._clock().timestamp()), self._settings
        JWTClaimsRegistry(now, exp={"essential": True}).validate({"exp": claims.get("exp")})
        JWTClaimsRegistry(
            now,
            _CLOCK_SKEW_SECONDS,
            iss={"essential": True, "value": settings.issuer},
            aud={"essential": True, "value": settings.audience},
            sub={"essential": True},
        ).validate(claims)
        return str(claims["sub"])


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _key_for(header: _Header, keys: Sequence[PublicKey]) -> PublicKey | None:
    """The key of a token's `kid`; without one, or for a key without one, the only key that there is."""
    named = [key for key in keys if key.kid == header.kid]
    if named:
        return named[0]
    [only, *others] = keys
    return only if not others and (header.kid is None or only.kid is None) else None
