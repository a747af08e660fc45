"""A client for every form of `store.url`."""

import asyncio
import ssl
from typing import Any

from redis.asyncio import RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError  # noqa: A004  # redis-py's own name

from service.store.address import StoreAddress, parse_address
from service.store.cluster import Cluster
from service.store.question import Client, Command
from service.store.server import Server
from service.store.settings import StoreSettings
from service.store.wire import OnLost, Wire

_CONNECT_SECONDS = 0.3
_SOCKET_SECONDS = 1.0  # whoever asks has a time-out of its own, which knows of the loop's lag

# What `create_default_context` adds from 3.13 on, which redis-py calls.
_ONLY_NEWER_PYTHONS = [ssl.VERIFY_X509_STRICT, ssl.VERIFY_X509_PARTIAL_CHAIN]

Options = dict[str, Any]  # of as many types as redis-py has options


def create_client(settings: StoreSettings) -> Client:
    """A client that connects on first use."""
    address = parse_address(settings.url)
    match address.scheme:
        case "redis+cluster":
            nodes = [ClusterNode(host, port) for host, port in address.hosts]
            options = {**_timing(), **_credentials(settings), **_tls_of(settings)}
            return Cluster(RedisCluster(startup_nodes=nodes, **options))
        case "redis+sentinel":
            return _Primary(address, settings)
        case _:
            return Server(_Door(address, settings).open)


class _Door:
    """The way to one server, its greeting included."""

    def __init__(self, address: StoreAddress, settings: StoreSettings) -> None:
        self._address = address
        self._greeting = tuple(_greeting(address, settings))
        self._tls = _context(settings) if _is_encrypted(address, settings) else None

    async def open(self, on_lost: OnLost) -> Wire:
        """A connection.

        Raises:
            OSError, RedisError: there is none to be had, or the server does not let us in.
        """
        return await self.open_at(self._address.hosts[0] if self._address.hosts else None, on_lost)

    async def open_at(self, place: tuple[str, int] | None, on_lost: OnLost) -> Wire:
        """A connection to a host and port, or to the socket of the address; raises like `open`."""
        loop = asyncio.get_running_loop()
        if place is None:
            _, wire = await loop.create_unix_connection(lambda: Wire(on_lost), self._address.path)
        else:
            _, wire = await loop.create_connection(lambda: Wire(on_lost), *place, ssl=self._tls)
        try:
            await wire.greet(self._greeting)
        except BaseException:
            wire.abort()
            raise
        return wire


class _Primary(Server):
    """The server that the sentinels name. Credentials are the data servers' own: sentinels are asked without."""

    def __init__(self, address: StoreAddress, settings: StoreSettings) -> None:
        super().__init__(self._open_primary)
        options = {**_timing(), **_tls_of(settings)}
        self._sentinels = Sentinel(address.hosts, sentinel_kwargs=options)  # type: ignore[no-untyped-call]  # in redis-py
        self._name = address.master
        self._door = _Door(address, settings)

    async def close(self) -> None:
        """Close the connections to the sentinels as well."""
        await super().close()
        await self._sentinels.aclose()

    async def _open_primary(self, on_lost: OnLost) -> Wire:
        try:
            place = await self._sentinels.discover_master(self._name)
        except BaseException:
            # There may have been time for the first alone: another one is asked first the next time.
            self._sentinels.sentinels.append(self._sentinels.sentinels.pop(0))
            raise
        return await self._door.open_at(place, on_lost)


def _greeting(address: StoreAddress, settings: StoreSettings) -> list[Command]:
    names = [secret.reveal() for secret in (settings.username, settings.password) if secret]
    login: list[Command] = [("AUTH", *names)] if settings.password else []
    return [*login, ("SELECT", address.database)] if address.database else login


def _timing() -> Options:
    # A stale connection costs one retry, at once. Silence is not asked twice: it is what a request's time goes into.
    return {
        "socket_timeout": _SOCKET_SECONDS,
        "socket_connect_timeout": _CONNECT_SECONDS,
        "retry": Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
    }


def _credentials(settings: StoreSettings) -> Options:
    given = {"username": settings.username, "password": settings.password}
    return {name: secret.reveal() for name, secret in given.items() if secret}


def _is_encrypted(address: StoreAddress, settings: StoreSettings) -> bool:
    return address.scheme == "rediss" or bool(settings.ca_file or settings.cert_file)


def _context(settings: StoreSettings) -> ssl.SSLContext:
    """Verifies chain and name on every Python alike.

    `create_default_context` of 3.13 also refuses an authority whose certificate lacks an extension of RFC 5280, as
    those that people make for a store of their own often do.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if settings.ca_file:
        context.load_verify_locations(settings.ca_file)
    else:
        context.load_default_certs()
    if settings.cert_file:
        context.load_cert_chain(settings.cert_file, settings.key_file)
    return context


def _tls_of(settings: StoreSettings) -> Options:
    if not (settings.ca_file or settings.cert_file):
        return {}
    files = {"ssl_ca_certs": settings.ca_file, "ssl_certfile": settings.cert_file, "ssl_keyfile": settings.key_file}
    return {"ssl": True, "ssl_exclude_verify_flags": _ONLY_NEWER_PYTHONS, **files}
