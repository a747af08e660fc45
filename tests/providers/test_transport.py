"""Many connections: how many there are, who gets which, which are used again, and what is never sent."""

import asyncio
import socket
import threading
import time
from contextlib import AsyncExitStack

import httpx
import pytest

from service.providers import transport as module
from service.providers.transport import create_transport
from tests.support.ports import free_port
from tests.support.transport import exchange, request_to, transport_of
from tests.support.upstream import Handler, Received, answering, response, then_closing, until, upstream

WHOLE = response(200)


class Gate:
    """Answers with the path, when it is let; `asked` are the paths in their order."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.ports: list[int] = []
        self.open = asyncio.Event()

    async def __call__(self, request: Received, writer: asyncio.StreamWriter) -> None:
        path = request.line.split(" ")[1]
        self.asked.append(path)
        self.ports.append(writer.get_extra_info("peername")[1])
        await self.open.wait()
        writer.write(response(200, path.encode()))


async def test_connections_are_capped_and_waited_for_in_turn() -> None:
    """Of twelve at once on three connections nobody overtakes, all are answered, and there is no fourth connection."""
    gate, paths = Gate(), [f"/{number}" for number in range(12)]
    async with upstream(gate) as server, transport_of(3) as transport:
        calls = [asyncio.create_task(exchange(transport, request_to(server.url + path))) for path in paths]
        await until(lambda: len(gate.asked) == 3)
        gate.open.set()
        answers = await asyncio.gather(*calls)

    assert [path.encode() for path in paths] == answers
    assert sorted(paths[:3]) == sorted(gate.asked[:3])
    assert all(abs(gate.asked.index(path) - place) < 3 for place, path in enumerate(paths))
    assert 3 == server.connections


async def test_wait_for_a_connection_is_bounded() -> None:
    """Who gets none in the pool's time is told so, and takes nothing from those who come later."""
    gate = Gate()
    async with upstream(gate) as server, transport_of(1) as transport:
        first = asyncio.create_task(exchange(transport, request_to(server.url)))
        await until(lambda: len(gate.asked) == 1)
        started = time.monotonic()
        for _ in range(3):
            with pytest.raises(httpx.PoolTimeout):
                await exchange(transport, request_to(server.url, pool=0.1))
        took = time.monotonic() - started
        gate.open.set()
        assert [b"/", b"/"] == [await first, await exchange(transport, request_to(server.url))]

    assert 0.3 <= took < 1.0
    assert 2 == len(gate.asked)


async def test_cancelled_waiters_lose_no_connection() -> None:
    """Those who leave the queue, at the very moment that it moves as well, leave their turn to the next."""
    gate = Gate()
    async with upstream(gate) as server, transport_of(1) as transport:
        calls = [asyncio.create_task(exchange(transport, request_to(server.url))) for _ in range(5)]
        await until(lambda: len(gate.asked) == 1)
        for call in calls[:4]:
            call.cancel()
        gate.open.set()
        assert b"/" == await calls[4]
        assert b"/" == await exchange(transport, request_to(server.url))


async def test_the_connection_used_last_is_used_first() -> None:
    """One call at a time keeps to one connection, so that the others can end."""
    gate = Gate()
    async with upstream(gate) as server, transport_of(3) as transport:
        calls = [asyncio.create_task(exchange(transport, request_to(server.url))) for _ in range(3)]
        await until(lambda: len(gate.asked) == 3)
        gate.open.set()
        await asyncio.gather(*calls)
        for _ in range(5):
            await exchange(transport, request_to(server.url))

    assert (3, 1) == (server.connections, len(set(gate.ports[3:])))


async def test_idle_connections_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody used for that long is closed, without a call; one that is used meanwhile stays."""
    monkeypatch.setattr(module, "_IDLE_SECONDS", 0.3)
    gate = Gate()
    async with upstream(gate) as server, transport_of(2) as transport:
        calls = [asyncio.create_task(exchange(transport, request_to(server.url))) for _ in range(2)]
        await until(lambda: len(gate.asked) == 2)
        gate.open.set()
        await asyncio.gather(*calls)
        for _ in range(5):
            await asyncio.sleep(0.1)
            await exchange(transport, request_to(server.url))
        assert (2, 1) == (server.connections, server.open_connections)
        await until(lambda: server.open_connections == 0)


async def later_junk(_request: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(WHOLE)
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.write(b"\r\n")


@pytest.mark.parametrize(
    ("handler", "method"),
    [
        pytest.param(answering(WHOLE + WHOLE), "POST", id="second-answer"),
        pytest.param(answering(WHOLE + b"junk"), "POST", id="junk"),
        pytest.param(later_junk, "POST", id="bytes-while-idle"),
        pytest.param(then_closing(WHOLE), "POST", id="closed-by-the-provider"),
        pytest.param(answering(response(200, b"{}", ("Connection: close",))), "POST", id="close"),
        pytest.param(answering(WHOLE.replace(b"/1.1", b"/1.0")), "POST", id="http-1.0"),
        pytest.param(answering(WHOLE.removesuffix(b"{}")), "HEAD", id="head"),
        pytest.param(answering(WHOLE), "HEAD", id="head-with-a-body"),
        pytest.param(answering(response(204) + b"{}"), "POST", id="204-with-a-body"),
    ],
)
async def test_doubtful_connection_is_not_used_again(handler: Handler, method: str) -> None:
    """Bytes that nobody asked for, an end that was announced or came, or an answer without a clear end."""
    async with upstream(handler) as server, transport_of(1) as transport:
        await exchange(transport, request_to(server.url, method))
        await asyncio.sleep(0.1)
        server.handler = answering(response(200, b"mine"))
        assert b"mine" == await exchange(transport, request_to(server.url))

    assert (2, 2) == (server.connections, len(server.requests))


async def test_connection_of_a_cancelled_exchange_is_not_used_again() -> None:
    """An answer that comes after its asker has left reaches nobody else."""
    gate = Gate()
    async with upstream(gate) as server, transport_of(1) as transport:
        call = asyncio.create_task(exchange(transport, request_to(server.url + "/others")))
        await until(lambda: len(gate.asked) == 1)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        gate.open.set()
        assert b"/mine" == await exchange(transport, request_to(server.url + "/mine"))

    assert 2 == server.connections


async def test_connection_of_an_answer_left_unread_is_not_used_again() -> None:
    """Whoever closes an answer before its end closes the connection, and can read no more of it."""
    unfinished = response(200, b"x" * 1000).removesuffix(b"x" * 500)
    async with upstream(answering(unfinished)) as server, transport_of(1) as transport:
        answer = await transport.handle_async_request(request_to(server.url))
        await answer.aclose()
        await answer.stream.aclose()  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue]
        server.handler = answering(response(200, b"x" * 1000), unfinished)
        assert b"x" * 1000 == await exchange(transport, request_to(server.url))
        assert 2 == server.connections
        answer = await transport.handle_async_request(request_to(server.url))
        with pytest.raises(httpx.PoolTimeout):  # closing twice makes no second place
            await exchange(transport, request_to(server.url, pool=0.1))
        await answer.aclose()


async def test_answer_that_is_all_there_holds_no_connection() -> None:
    """What came whole with its headers is to be had after the connection has served another."""
    async with (
        upstream(answering(response(200, b"one"), response(200, b"two"))) as server,
        transport_of(1) as transport,
    ):
        answers = [await transport.handle_async_request(request_to(server.url)) for _ in range(2)]
        bodies = [await answer.aread() for answer in answers]

    assert ([b"one", b"two"], 1) == (bodies, server.connections)


async def test_failed_connections_cost_no_slot() -> None:
    """After many that could not be made, as many as may be are to be had, and are kept."""
    port = free_port()
    async with transport_of(2) as transport:
        for _ in range(10):
            with pytest.raises(httpx.ConnectError):
                await exchange(transport, request_to(f"http://127.0.0.1:{port}", pool=0.1))
        for host in ("provider.invalid", f"{'x' * 64}.invalid"):
            with pytest.raises(httpx.ConnectError):
                await exchange(transport, request_to(f"http://{host}", pool=0.1))
        async with upstream(answering(WHOLE)) as one, upstream(answering(WHOLE)) as other:
            for server in (one, other, one):
                assert b"{}" == await exchange(transport, request_to(server.url))

    assert (1, 1) == (one.connections, other.connections)


async def test_cap_is_over_all_hosts() -> None:
    """A connection that is idle gives way to one to another host, and is not used for that other."""
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(upstream(answering(WHOLE))) for _ in range(3)]
        transport = await stack.enter_async_context(transport_of(2))
        for server in servers:
            await exchange(transport, request_to(server.url))
        await until(lambda: sum(server.open_connections for server in servers) == 2)

    assert [1, 1, 1] == [len(server.requests) for server in servers]


async def test_closing_closes_all() -> None:
    """Idle connections end at once, one in use as soon as its answer is there; nothing is kept after that."""
    gate = Gate()
    async with upstream(gate) as server:
        transport = create_transport(2)
        idle = asyncio.create_task(exchange(transport, request_to(server.url)))
        used = asyncio.create_task(exchange(transport, request_to(server.url)))
        await until(lambda: len(gate.asked) == 2)
        gate.open.set()
        await idle
        await used
        gate.open.clear()
        used = asyncio.create_task(exchange(transport, request_to(server.url + "/late")))
        await until(lambda: len(gate.asked) == 3)
        await transport.aclose()
        await until(lambda: server.open_connections == 1)
        gate.open.set()
        assert b"/late" == await used
        await until(lambda: server.open_connections == 0)


async def test_answer_that_nobody_asked_for_is_nobodys() -> None:
    """What came after an answer, and was not read yet, is not taken for the answer to the next request."""
    late, sent = threading.Event(), threading.Event()

    def answer_twice(server: socket.socket) -> None:
        with server.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(response(200, b"right"))
            late.wait(10)
            connection.sendall(response(200, b"stale"))
            sent.set()
            with server.accept()[0] as another:
                another.recv(65536)
                another.sendall(response(200, b"right too"))

    with socket.create_server(("127.0.0.1", 0)) as server:
        provider = threading.Thread(target=answer_twice, args=(server,), daemon=True)
        provider.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        async with transport_of(1) as transport:
            answers = [await exchange(transport, request_to(url))]
            late.set()
            assert sent.wait(10)  # the loop stands still meanwhile, and reads nothing
            answers.append(await exchange(transport, request_to(url)))
        provider.join(10)

    assert [b"right", b"right too"] == answers


async def test_connection_of_a_large_answer_is_not_used_again() -> None:
    """While its reading was paused, what came behind it could not be seen."""
    async with upstream(answering(response(200, b"a" * 2**20))) as server, transport_of(1) as transport:
        for _ in range(2):
            assert 2**20 == len(await exchange(transport, request_to(server.url)))

    assert 2 == server.connections
