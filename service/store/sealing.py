"""Sealed values: what leaks from the store opens no checkout, and a value under another key is no value.

AES-256-GCM with the store key as associated data. A sealed value is: format (1 byte), which seal key (4 bytes),
nonce (12 bytes), ciphertext with its tag.
"""

import os
from hashlib import blake2b
from typing import Generic, TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.observability import metrics

_FORMAT = b"\x01"
_KEY_ID_BYTES = 4
_NONCE_BYTES = 12
_HEADER_BYTES = len(_FORMAT) + _KEY_ID_BYTES + _NONCE_BYTES
T = TypeVar("T", bound=msgspec.Struct)
_encode = msgspec.msgpack.Encoder().encode


class UnreadableValueError(Exception):
    """A stored value was not sealed by one of our keys for the place it stands in."""


class Sealer:
    """Seals with the newest key and opens with any."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}
        self._newest = _key_id(keys[0])

    def seal(self, value: bytes, place: str) -> bytes:
        """A sealed value that can be opened at this place (its store key) alone."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._newest].encrypt(nonce, value, place.encode())
        return _FORMAT + self._newest + nonce + sealed

    def open(self, sealed: bytes, place: str) -> bytes:
        """The value.

        Raises:
            UnreadableValueError: another key, another place, or not ours at all.
        """
        cipher = self._ciphers.get(sealed[len(_FORMAT) : len(_FORMAT) + _KEY_ID_BYTES])
        if cipher is None or not sealed.startswith(_FORMAT):
            raise UnreadableValueError
        nonce = sealed[_HEADER_BYTES - _NONCE_BYTES : _HEADER_BYTES]
        try:
            return cipher.decrypt(nonce, sealed[_HEADER_BYTES:], place.encode())
        except (InvalidTag, ValueError) as error:
            raise UnreadableValueError from error


class SealedStructs(Generic[T]):
    """Structs of one kind as sealed values. What cannot be read is None, and counted."""

    def __init__(self, sealer: Sealer, kind: type[T]) -> None:
        self._sealer = sealer
        self._decode = msgspec.msgpack.Decoder(kind).decode

    def seal(self, struct: T, place: str) -> bytes:
        """A value for this place alone."""
        return self._sealer.seal(_encode(struct), place)

    def seal_copies(self, struct: T, *places: str) -> list[bytes]:
        """A value for each of these places, encoded once."""
        encoded = _encode(struct)
        return [self._sealer.seal(encoded, place) for place in places]

    def open(self, value: bytes, place: str) -> T | None:
        """What was sealed for this place; None when it was not, or is no such struct."""
        try:
            return self._decode(self._sealer.open(value, place))
        except (UnreadableValueError, msgspec.DecodeError):
            metrics.STORE_FAILURES.labels("unreadable").inc()
            return None


def _key_id(key: bytes) -> bytes:
    return blake2b(key, digest_size=_KEY_ID_BYTES, person=b"seal key id").digest()
