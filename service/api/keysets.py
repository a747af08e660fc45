"""The public keys of a JWKS document (RFC 7517), each with the algorithms that its own type allows and no others."""

import base64
from typing import NamedTuple

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key
from msgspec import Struct

_ALGORITHMS = {
    ("RSA", None): ("RS256", "PS256"),
    ("EC", "P-256"): ("ES256",),
    ("OKP", "Ed25519"): ("EdDSA", "Ed25519"),
}
_SHORTEST_RSA_MODULUS_BITS = 2048


class UnusableKeySetError(Exception):
    """A document cannot be used; the text says why."""


class PublicKey(NamedTuple):
    """A key that verifies, and the only algorithms that it does so with."""

    kid: str | None
    algorithms: tuple[str, ...]
    key: Key


class _Jwk(Struct, frozen=True, kw_only=True):
    """What decides whether a key is of use; the library reads the rest."""

    kty: str
    kid: str | None = None
    crv: str | None = None
    use: str = "sig"
    key_ops: tuple[str, ...] = ("verify",)
    alg: str | None = None
    n: str = ""
    d: object = None
    k: object = None

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Those of its type, or the one of them that it is for."""
        of_type = _ALGORITHMS.get((self.kty, self.crv), ())
        return of_type if self.alg is None else tuple({self.alg} & {*of_type})

    @property
    def verifies(self) -> bool:
        """Whether it is meant for signatures, of a kind that is taken here."""
        return bool(self.algorithms) and self.use == "sig" and "verify" in self.key_ops

    @property
    def modulus_bits(self) -> int:
        """The size of an RSA key."""
        return int.from_bytes(base64.urlsafe_b64decode(self.n + "==")).bit_length()


class _Document(Struct, frozen=True):
    keys: tuple[msgspec.Raw, ...]


def read_key_set(text: str) -> tuple[PublicKey, ...]:
    """The keys of a document that verify signatures; keys for other ends are passed over.

    Raises:
        UnusableKeySetError: it is no JWKS, has no such key or a secret one, or does not tell its keys apart.
    """
    try:
        raw = msgspec.json.decode(text, type=_Document).keys
    except (msgspec.MsgspecError, RecursionError) as error:
        raise UnusableKeySetError('is no JWKS: write { "keys": [ … ] } into the file') from error
    keys = [key for index, one in enumerate(raw) if (key := _read_key(one, f"keys[{index}]"))]
    if not keys:
        usable = "RSA of 2,048 bits or more, EC P-256 or OKP Ed25519, for signatures"
        raise UnusableKeySetError(f"has no usable key: give it one ({usable})")
    if len(keys) > 1 and (None in {key.kid for key in keys} or len({key.kid for key in keys}) < len(keys)):
        raise UnusableKeySetError("has several keys: give each a `kid` of its own")
    return tuple(keys)


def _read_key(raw: msgspec.Raw, where: str) -> PublicKey | None:
    try:
        jwk = msgspec.json.decode(raw, type=_Jwk)
        if jwk.d is not None or jwk.k is not None:
            raise UnusableKeySetError(f"holds a private or shared key ({where}): publish the public half alone")
        if not jwk.verifies:
            return None
        if jwk.kty == "RSA" and jwk.modulus_bits < _SHORTEST_RSA_MODULUS_BITS:
            raise UnusableKeySetError(f"has an RSA key below 2,048 bits ({where}): use a longer one")
        return PublicKey(jwk.kid, jwk.algorithms, JWKRegistry.import_key(msgspec.json.decode(raw)))
    except (JoseError, ValueError, TypeError) as error:  # a msgspec.ValidationError is a ValueError
        raise UnusableKeySetError(f"has a key that cannot be read ({where}): export it anew") from error
