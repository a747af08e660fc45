"""`[store]`: where it is, how it is reached, and the keys that seal what is in it."""

import base64
import binascii
import ssl
from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from service.config.secret import Secret
from service.config.types import LATER, Days
from service.store.address import parse_address

KEY_BYTES = 32


class StoreSettings(Struct, frozen=True, kw_only=True):
    """`seal_keys` newest first: the first seals, all of them open. `hash_key` must stay the same for good.

    A `ca_file`, or a `cert_file` with its `key_file`, turns TLS on for sentinels and clusters; rediss:// always has it.
    """

    url: Annotated[str, Meta(examples=["redis://127.0.0.1:6379/0"])] = "embedded://"
    username: Secret | None = None
    password: Secret | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    seal_keys: tuple[Secret, ...] = ()
    hash_key: Secret | None = None
    key_prefix: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,64}$(?!\n)", examples=["checkout"])] = "checkout"
    ledger_days: Days = 35
    order_map_days: Annotated[Days, LATER] = 540

    def faults(self) -> Iterator[tuple[str, str]]:
        """Rules over several keys."""
        try:
            address = parse_address(self.url)
        except ValueError as error:
            yield "url", str(error)
            return
        yield from self._useless_keys(address.scheme)
        yield from self._unusable_files()
        yield from self._unusable_keys(address.scheme)

    def _useless_keys(self, scheme: str) -> Iterator[tuple[str, str]]:
        for key in ("username", "password"):
            if scheme == "embedded" and getattr(self, key):
                yield key, "the bundled store asks for none: remove it"
        for key in ("ca_file", "cert_file", "key_file"):
            if scheme not in _TLS_SCHEMES and getattr(self, key):
                yield (
                    key,
                    f"{scheme}:// is not encrypted: remove it, or use {', '.join(f'{s}://' for s in _TLS_SCHEMES)}",
                )

    def _unusable_files(self) -> Iterator[tuple[str, str]]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self.ca_file:
            try:
                context.load_verify_locations(self.ca_file)
            except (OSError, ValueError) as error:
                yield (
                    "ca_file",
                    f"cannot be read as certificates in PEM ({type(error).__name__}): mend the path or file",
                )
        if (self.cert_file is None) != (self.key_file is None):
            yield "cert_file", "goes with `key_file`: give both, or none"
        elif self.cert_file and self.key_file:
            try:
                # An empty password, as OpenSSL would ask for one on the terminal.
                context.load_cert_chain(self.cert_file, self.key_file, password="")
            except (OSError, ValueError) as error:
                kind = type(error).__name__
                yield "cert_file", f"cannot be used with `key_file` ({kind}): give a PEM certificate and its plain key"

    def _unusable_keys(self, scheme: str) -> Iterator[tuple[str, str]]:
        if self.makes_own_keys:
            return
        where = f"{scheme}://" if scheme != "embedded" else "a store that keeps its data, or with the other key"
        if not self.seal_keys:
            yield "seal_keys", f'is required with {where}: {_HOW_TO_MAKE}, then [{{ env = "SEAL_KEY" }}]'
        if self.hash_key is None:
            yield "hash_key", f'is required with {where}: {_HOW_TO_MAKE}, then {{ env = "HASH_KEY" }}'
        elif decode_key(self.hash_key) is None:
            yield "hash_key", _NOT_A_KEY
        for index, secret in enumerate(self.seal_keys):
            if decode_key(secret) is None:
                yield f"seal_keys[{index}]", _NOT_A_KEY

    @property
    def makes_own_keys(self) -> bool:
        """Plain `embedded://` keeps nothing over a restart, so its keys need not be kept either."""
        return self.url == "embedded://" and not self.seal_keys and self.hash_key is None


_TLS_SCHEMES = ("rediss", "redis+sentinel", "redis+cluster")
_HOW_TO_MAKE = "make one with `openssl rand -base64 32`"
_NOT_A_KEY = f"must be {KEY_BYTES} bytes in base64: {_HOW_TO_MAKE}"


def decode_key(secret: Secret) -> bytes | None:
    """The bytes of a key; None when it is not one."""
    try:
        key = base64.b64decode(secret.reveal(), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None
