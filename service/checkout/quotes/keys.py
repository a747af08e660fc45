"""Compact JWS (RFC 7515): bytes are signed and verified, with each key's own algorithm whatever a token says."""

import base64
from collections.abc import Mapping
from typing import Literal

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OctKey, OKPKey
from msgspec import Struct

from service.checkout.decoding import decode
from service.checkout.errors import InvalidQuoteError, InvalidRequestError
from service.checkout.quotes.claims import LONGEST_TOKEN
from service.checkout.quotes.jws import ExactAlgorithms
from service.checkout.quotes.pem import private_key_of, public_key_of
from service.checkout.quotes.settings import QuoteKey

_Algorithm = Literal["HS256", "EdDSA"]


class _Header(Struct, frozen=True, forbid_unknown_fields=True):
    """All that a header may hold: `jku`, `jwk`, `x5u`, `crit` and the like are refused, not looked at."""

    alg: str
    kid: str
    typ: Literal["JWT", "JOSE"] | None = None


_header_decoder = msgspec.json.Decoder(_Header)


class Key(Struct, frozen=True, kw_only=True):
    """A key; with `caller` that back end signs with it too, and nobody else's quotes are. None cannot sign."""

    kid: str
    algorithm: _Algorithm
    caller: str | None
    signs_with: OctKey | OKPKey | None
    verifies_with: OctKey | OKPKey

    @property
    def registry(self) -> ExactAlgorithms:
        """Its own algorithm and no other."""
        return ExactAlgorithms(algorithms=[self.algorithm])

    def __repr__(self) -> str:
        return f"Key(kid={self.kid!r})"

    def sign(self, payload: bytes) -> str:
        """The payload as a token.

        Raises:
            ValueError: this key only verifies; the settings' own rules refuse this before.
        """
        if self.signs_with is None:
            raise ValueError(self.kid)
        header = {"alg": self.algorithm, "kid": self.kid}
        return jws.serialize_compact(header, payload, self.signs_with, registry=self.registry)


def keys_of(settings: Mapping[str, QuoteKey]) -> dict[str, Key]:
    """Every usable key by its `kid`."""
    return {kid: key for kid, one in settings.items() if (key := _key_of(kid, one))}


def _key_of(kid: str, settings: QuoteKey) -> Key | None:
    signs_with: OctKey | OKPKey | None = None
    if settings.secret:
        signs_with = OctKey.import_key(settings.secret.reveal().encode())
    elif settings.private_key and private_key_of(settings.private_key):
        signs_with = OKPKey.import_key(settings.private_key.reveal())
    verifies_with = signs_with
    if signs_with is None and settings.public_key and public_key_of(settings.public_key):
        verifies_with = OKPKey.import_key(settings.public_key.reveal())
    if verifies_with is None:  # the settings' own rules refuse this before
        return None
    return Key(
        kid=kid,
        algorithm=settings.algorithm,
        caller=settings.caller,
        signs_with=signs_with,
        verifies_with=verifies_with,
    )


def verified(token: str, keys: Mapping[str, Key]) -> tuple[Key, bytes]:
    """The key that a token was signed with, and its payload.

    Raises:
        InvalidQuoteError: it is not signed by one of these keys, or there is another way to write it.
    """
    if len(token) > LONGEST_TOKEN:
        raise InvalidQuoteError
    header = token.partition(".")[0]
    try:
        # A lenient reader serves to find the key: the library then reads the same text again, and takes no other way
        # to write it.
        key = keys[decode(_header_decoder, base64.urlsafe_b64decode(header + "=" * (-len(header) % 4))).kid]
        signed = jws.deserialize_compact(token, key.verifies_with, registry=key.registry)
    except (InvalidRequestError, KeyError, JoseError, ValueError) as error:
        raise InvalidQuoteError from error
    return key, signed.payload
