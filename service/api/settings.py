"""`[server]`, `[callers.NAME]` and `[jwt]`: how the service listens, whom it believes, and who may call it."""

import ipaddress
from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct

from service.config.file import TextFile
from service.config.types import LATER, Count, HeaderName, Port, Seconds, Sha256

ClientIpHeader = Literal["X-Forwarded-For", "Forwarded", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP"]
Scope = Literal[
    "checkout:create",
    "sessions:read",
    "sessions:write",
    "quotes:create",
    "buyers:erase",
    "metrics:read",
    "console",
]
Network = Annotated[str, Meta(max_length=64, examples=["10.0.0.0/8"])]


class ServerSettings(Struct, frozen=True, kw_only=True):
    """`trusted_proxies` alone may speak for a buyer: of address, country and `trusted_headers`."""

    host: Annotated[str, Meta(min_length=1, examples=["127.0.0.1"])] = "127.0.0.1"
    port: Port = 8000
    workers: Annotated[int, Meta(ge=1, le=256)] = 1
    trusted_proxies: tuple[Network, ...] = ()
    client_ip_header: ClientIpHeader = "X-Forwarded-For"
    country_header: HeaderName | None = None
    trusted_headers: tuple[HeaderName, ...] = ()
    max_body_bytes: Count = 65536
    max_webhook_bytes: Annotated[Count, LATER] = 2097152
    internal_port: Port | None = None
    drain_seconds: Seconds = 20

    def faults(self) -> Iterator[tuple[str, str]]:
        """Rules that a type cannot say."""
        for index, network in enumerate(self.trusted_proxies):
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                yield f"trusted_proxies[{index}]", f"is no network ({error}): write one like 10.0.0.0/8"
        if self.internal_port == self.port:
            yield "internal_port", "is the public port: name another one"


class CallerSettings(Struct, frozen=True, kw_only=True):
    """An internal service: its keys as SHA-256 (several during rotation), its scopes, its checkouts (all when None)."""

    key_sha256: tuple[Sha256, ...] = ()
    scopes: tuple[Scope, ...] = ()
    checkouts: tuple[str, ...] | None = None
    jwt_subject: Annotated[str, Meta(min_length=1, max_length=512)] | None = None

    def faults(self) -> Iterator[tuple[str, str]]:
        """Rules over several keys."""
        if not self.key_sha256 and self.jwt_subject is None:
            yield "key_sha256", "is required: write the output of `printf %s KEY | sha256sum`"


class JwtSettings(Struct, frozen=True, kw_only=True):
    """`[jwt]`: callers by token instead of a key."""

    jwks_file: Annotated[TextFile, Meta(examples=["/etc/checkout/jwks.json"])]
    issuer: Annotated[str, Meta(min_length=1, examples=["https://idp.example"])]
    audience: Annotated[str, Meta(min_length=1)] = "checkout-broker"

    def faults(self) -> Iterator[tuple[str, str]]:
        """What is wrong inside the file."""
        # A library for tokens takes its time to load, and few have callers with tokens.
        from service.api.keysets import UnusableKeySetError, read_key_set  # noqa: PLC0415  # see above

        try:
            read_key_set(self.jwks_file.text)
        except UnusableKeySetError as error:
            yield "jwks_file", f"{self.jwks_file.path} {error}"
