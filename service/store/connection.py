"""A redis-py client for every form of `store.url`, with the store's share of a request's time as its time-outs."""

from collections.abc import Iterable
from itertools import chain
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster, Sentinel, SSLConnection
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import Connection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.connection import HiredisRespSerializer
from redis.exceptions import ConnectionError, RedisClusterException, RedisError  # noqa: A004  # redis-py's own name

from service.store.address import StoreAddress, parse_address
from service.store.settings import StoreSettings

_CONNECTIONS = 32
_POOL_WAIT_SECONDS = 0.1
_CONNECT_SECONDS = 0.3
_SOCKET_SECONDS = 1.0  # whoever asks has a time-out of its own, which knows of the loop's lag

Options = dict[str, Any]  # of as many types as redis-py has options
Client = Redis | RedisCluster
_pack = HiredisRespSerializer().pack
STORE_ERRORS = (RedisError, RedisClusterException)
"""All that redis-py raises while the store cannot be used; the cluster client's own has no common base."""


class _PacksInC:
    """redis-py's asyncio connections pack in Python, and copy a script once for each argument that follows it."""

    def pack_command(self, *args: Any) -> list[bytes]:  # noqa: ANN401  # redis-py's own
        packed: list[bytes] = _pack(*args)
        return packed

    def pack_commands(self, commands: Iterable[Iterable[Any]]) -> list[bytes]:
        return [b"".join(chain.from_iterable(self.pack_command(*command) for command in commands))]


class _Plain(_PacksInC, Connection):
    """Over TCP."""


class _Encrypted(_PacksInC, SSLConnection):
    """Over TLS."""


class _Local(_PacksInC, UnixDomainSocketConnection):
    """Over a socket of this machine."""


def create_client(settings: StoreSettings) -> Client:
    """A client that connects on first use."""
    address = parse_address(settings.url)
    match address.scheme:
        case "redis+cluster":
            nodes = [ClusterNode(host, port) for host, port in address.hosts]
            return RedisCluster(startup_nodes=nodes, **_timing(), **_credentials(settings), **_tls_switch(settings))
        case "redis+sentinel":
            return _behind_sentinels(address, settings)
        case "unix":
            return _single(settings, _Local, path=address.path)
        case "rediss":
            return _single(settings, _Encrypted, **_server(address), **_tls(settings))
        case _:
            return _single(settings, _Plain, **_server(address))


async def close_client(client: Client) -> None:
    """Close every connection, those to the sentinels included."""
    await client.aclose()
    pool = client.connection_pool if isinstance(client, Redis) else None
    if isinstance(pool, SentinelConnectionPool):
        await pool.sentinel_manager.aclose()


def _single(settings: StoreSettings, kind: type[_Plain | _Encrypted | _Local], **options: Any) -> Redis:  # noqa: ANN401  # redis-py's own
    pool = BlockingConnectionPool(
        max_connections=_CONNECTIONS,
        timeout=_POOL_WAIT_SECONDS,
        connection_class=kind,
        **_timing(),
        **_credentials(settings),
        **options,
    )
    return Redis.from_pool(pool)


def _behind_sentinels(address: StoreAddress, settings: StoreSettings) -> Redis:
    """The primary's client. Credentials are the data servers' own: sentinels are asked without."""
    common = {**_timing(), **_tls_switch(settings)}
    sentinel = Sentinel(address.hosts, sentinel_kwargs=common)  # type: ignore[no-untyped-call]  # untyped in redis-py
    primary: Redis = sentinel.master_for(address.master, db=address.database, **common, **_credentials(settings))
    return primary


def _server(address: StoreAddress) -> Options:
    ((host, port),) = address.hosts
    return {"host": host, "port": port, "db": address.database}


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


def _tls(settings: StoreSettings) -> Options:
    return {
        "ssl_ca_certs": settings.ca_file,
        "ssl_certfile": settings.cert_file,
        "ssl_keyfile": settings.key_file,
    }


def _tls_switch(settings: StoreSettings) -> Options:
    return {"ssl": True, **_tls(settings)} if settings.ca_file or settings.cert_file else {}
