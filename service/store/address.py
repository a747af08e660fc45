"""`store.url` taken apart: each form that it may have, and in words what is wrong with any other."""

import re
from urllib.parse import urlsplit

from msgspec import Struct

_FORMS = {
    "embedded": "embedded:// or embedded:///var/lib/checkout",
    "redis": "redis://HOST:6379/0",
    "rediss": "rediss://HOST:6379/0",
    "unix": "unix:///run/redis.sock",
    "redis+sentinel": "redis+sentinel://HOST1:26379,HOST2:26379/MASTER/0",
    "redis+cluster": "redis+cluster://HOST1:6379,HOST2:6379",
}
_SENTINEL_PORT = 26379
_REDIS_PORT = 6379


class StoreAddress(Struct, frozen=True, kw_only=True):
    """Where the store is. `path` is a socket's, or the directory where the bundled store keeps its data."""

    scheme: str
    hosts: tuple[tuple[str, int], ...] = ()
    path: str = ""
    master: str = ""
    database: int = 0


def parse_address(url: str) -> StoreAddress:
    """An address.

    Raises:
        ValueError: says how to mend the URL, and repeats nothing of it: it may hold a password.
    """
    if "@" in url:
        raise ValueError("holds credentials: give them as `username` and `password` references")
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in _FORMS:
        raise ValueError(f"must begin with one of {', '.join(f'{known}://' for known in _FORMS)}")
    try:
        return _take_apart(scheme, url)
    except ValueError as error:
        raise ValueError(f"must look like {_FORMS[scheme]}") from error


def _take_apart(scheme: str, url: str) -> StoreAddress:
    parts = urlsplit(url)
    if parts.query or parts.fragment:
        raise ValueError("options in the URL")
    if scheme in {"embedded", "unix"}:
        if parts.netloc or (scheme == "unix" and not parts.path):
            raise ValueError("a relative path, or none")
        return StoreAddress(scheme=scheme, path=parts.path)
    hosts = _hosts(parts.netloc, _SENTINEL_PORT if scheme == "redis+sentinel" else _REDIS_PORT)
    if scheme in {"redis", "rediss"} and len(hosts) > 1:
        raise ValueError("more than one host")
    names = [name for name in parts.path.removeprefix("/").split("/") if name]
    master = names.pop(0) if scheme == "redis+sentinel" and names else ""
    if (scheme == "redis+sentinel" and not master) or (scheme == "redis+cluster" and names):
        raise ValueError("no master, or a database where there is none")
    return StoreAddress(scheme=scheme, hosts=hosts, master=master, database=_database(names))


def _hosts(netloc: str, default_port: int) -> tuple[tuple[str, int], ...]:
    parts = [urlsplit(f"//{host}") for host in netloc.split(",")]
    if not all(part.hostname for part in parts):
        raise ValueError("an empty host")
    return tuple((str(part.hostname), part.port or default_port) for part in parts)


def _database(names: list[str]) -> int:
    if not re.fullmatch(r"[0-9]{0,4}", "/".join(names)):
        raise ValueError("no database number")
    return int(names[0]) if names else 0
