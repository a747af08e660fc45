"""`[quotes]`: the keys that signed quotes are made and verified with."""

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Struct

from service.config.secret import Secret
from service.config.types import PUBLIC, Name, Seconds

_LEAST_SECRET_BYTES = 32
_HOW_TO_MAKE = "make one with `openssl genpkey -algorithm ed25519`"
_HOW_TO_EXPORT = "export one with `openssl pkey -pubout`"


class QuoteKey(Struct, frozen=True, kw_only=True):
    """`[quotes.keys.KID]`: a signing key; with `caller`, one that a shop's back end holds itself.

    A `secret` is used as the bytes of its text; `private_key` and `public_key` are Ed25519 keys in PEM.
    """

    algorithm: Literal["HS256", "EdDSA"] = "HS256"
    caller: Name | None = None
    secret: Secret | None = None
    private_key: Secret | None = None
    public_key: Annotated[Secret, PUBLIC] | None = None

    def faults(self) -> Iterator[tuple[str, str]]:
        """Rules over several keys."""
        yield from self._secret_faults() if self.algorithm == "HS256" else self._pair_faults()

    def _secret_faults(self) -> Iterator[tuple[str, str]]:
        if self.secret is None:
            yield "secret", 'is required with HS256, for example { env = "QUOTE_SECRET" }'
        elif len(secret := self.secret.reveal().encode()) < _LEAST_SECRET_BYTES:
            yield "secret", f"has less than {_LEAST_SECRET_BYTES} bytes: make one with `openssl rand -hex 32`"
        elif _is_another_kind_of_key(secret):
            yield "secret", "is a key pair's, which others may know: make one with `openssl rand -hex 32`"
        if self.private_key or self.public_key:
            yield "algorithm", "HS256 has no private or public key: remove them, or write EdDSA"

    def _pair_faults(self) -> Iterator[tuple[str, str]]:
        if self.secret is not None:
            yield "secret", "EdDSA has no shared secret: give `private_key` or `public_key`"
        if self.private_key is None and self.public_key is None:
            yield "public_key", "EdDSA needs `private_key` or `public_key`"
        from service.checkout.quotes.pem import private_key_of, public_key_of  # noqa: PLC0415  # few have such a key

        private, public = private_key_of(self.private_key), public_key_of(self.public_key)
        if self.private_key and private is None:
            yield "private_key", f"is no Ed25519 private key in PEM without a password: {_HOW_TO_MAKE}"
        if self.public_key and public is None:
            yield "public_key", f"is no Ed25519 public key in PEM: {_HOW_TO_EXPORT}"
        if private and public and private.public_key() != public:
            yield "public_key", f"is not that of `private_key`: remove it, or {_HOW_TO_EXPORT}"


def _is_another_kind_of_key(secret: bytes) -> bool:
    """Whether it is one of those that must never be a shared secret, as its public half is known to others."""
    return any(mark in secret for mark in (b"-----BEGIN ", b"ssh-rsa ", b"ssh-ed25519 ", b"ecdsa-sha2-"))


class QuotesSettings(Struct, frozen=True, kw_only=True):
    """`[quotes]`: every key verifies, `sign_with` signs."""

    sign_with: Name | None = None
    max_age_seconds: Seconds = 86400
    keys: dict[Name, QuoteKey] = {}

    def faults(self) -> Iterator[tuple[str, str]]:
        """Rules over several keys."""
        if self.sign_with is None:
            return
        key = self.keys.get(self.sign_with)
        if key is None:
            yield "sign_with", f"names no key: add [quotes.keys.{self.sign_with}]"
        elif key.algorithm == "EdDSA" and key.private_key is None:
            yield "sign_with", "names a key that cannot sign: give it a `private_key`"
