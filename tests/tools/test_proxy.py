"""The fault proxy before a plain echo server: each toxic does what its name says, on open connections and new ones."""

import socket
import socketserver
import threading
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.support.patience import wait_until
from tests.support.ports import free_port
from tests.support.proxy import Proxy, proxy
from tests.support.toxics import Bandwidth, Latency, LimitData, ResetPeer, Slicer, SlowClose, Stream, Timeout, Toxic

_SECONDS = 10.0


class _Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        with suppress(OSError):
            while data := self.request.recv(65536):
                self.request.sendall(data)


@pytest.fixture(scope="module")
def echo_port() -> Generator[int]:
    """Where whatever is sent comes back."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Echo) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
async def p(echo_port: int) -> AsyncGenerator[Proxy]:
    """A proxy to it. The tests use blocking sockets: their own loop stands still while it works."""
    async with proxy(echo_port) as running:
        yield running


def connect(p: Proxy) -> socket.socket:
    """A client's connection that has been used once."""
    client = socket.create_connection(("127.0.0.1", p.port), timeout=_SECONDS)
    assert b"first" == asked(client, b"first")
    return client


def asked(client: socket.socket, data: bytes) -> bytes:
    """What comes back, or as much of it as came before the connection was closed."""
    client.sendall(data)
    return received(client, len(data))


def received(client: socket.socket, size: int) -> bytes:
    """The next bytes: all of them, or what came before the end."""
    got = b""
    while len(got) < size and (piece := client.recv(size - len(got))):
        got += piece
    return got


def send_apart(client: socket.socket, pieces: list[bytes]) -> None:
    """Send every piece by itself."""
    for piece in pieces:
        client.sendall(piece)
        time.sleep(0.01)


async def test_bytes_pass_as_they_are(p: Proxy) -> None:
    """A megabyte goes there and back, and the connection counts as open until its client ends it."""
    data = bytes(range(256)) * 4096
    with connect(p) as client:
        threading.Thread(target=client.sendall, args=(data,)).start()
        assert data == received(client, len(data))
        assert (1, 1) == (p.open_connections, p.connections)

    wait_until(lambda: p.open_connections == 0, "the end of the connection")


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
async def test_latency(p: Proxy, stream: Stream) -> None:
    """Every answer is later by that much, but those that were asked for together are not later than that."""
    with connect(p) as client:
        p.add(Latency(stream=stream, latency_ms=100, jitter_ms=20))
        began = time.monotonic()
        assert b"one" == asked(client, b"one")
        assert 0.08 <= time.monotonic() - began
        send_apart(client, [b"0123456789"] * 10)
        assert 100 == len(received(client, 100))

        assert time.monotonic() - began < 0.8


async def test_clear_lets_go_what_is_held(p: Proxy) -> None:
    """What a toxic holds back goes on when it is taken away, and so does what comes after."""
    with connect(p) as client:
        p.add(Latency(latency_ms=60_000))
        client.sendall(b"held")
        client.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(_SECONDS)
        p.clear()

        assert b"held" == received(client, 4)
        assert b"next" == asked(client, b"next")


async def test_bandwidth(p: Proxy) -> None:
    """Twenty thousand bytes at a hundred thousand a second take a fifth of a second."""
    with connect(p) as client:
        p.add(Bandwidth(rate_kb=100))
        began = time.monotonic()
        assert 20_000 == len(asked(client, bytes(20_000)))

        assert 0.18 <= time.monotonic() - began


async def test_slow_close(p: Proxy) -> None:
    """The server's end is seen late."""
    with connect(p) as client:
        p.add(SlowClose(delay_ms=150))
        began = time.monotonic()
        client.shutdown(socket.SHUT_WR)

        assert b"" == client.recv(1)
        assert 0.14 <= time.monotonic() - began


async def test_timeout(p: Proxy) -> None:
    """Nothing comes any more, and then the connection is closed, also where nothing was sent."""
    with connect(p) as client, connect(p) as idle:
        p.add(Timeout(timeout_ms=150))
        began = time.monotonic()

        assert b"" == asked(client, b"lost")
        assert b"" == idle.recv(1)
        assert 0.14 <= time.monotonic() - began


async def test_timeout_that_never_closes(p: Proxy) -> None:
    """With 0 the connection stays, and what came meanwhile is lost."""
    with connect(p) as client:
        p.add(Timeout(timeout_ms=0))
        client.sendall(b"lost")
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(_SECONDS)
        p.clear()

        assert b"found" == asked(client, b"found")


async def test_reset_peer(p: Proxy) -> None:
    """The client is told that the connection is broken, which is not the same as an end."""
    with connect(p) as client:
        p.add(ResetPeer(timeout_ms=20))
        with pytest.raises(ConnectionResetError):
            client.recv(1)


async def test_slicer(p: Proxy) -> None:
    """What was sent at once comes in slices."""
    with connect(p) as client:
        p.add(Slicer(average_size=10, size_variation=5, delay_ms=20))
        client.sendall(bytes(50))
        slices: list[int] = []
        while sum(slices) < 50:
            slices.append(len(client.recv(50)))

        assert 5 <= slices[0] <= 15
        assert 3 < len(slices)


async def test_limit_data(p: Proxy) -> None:
    """So many bytes from now on, and then the end."""
    with connect(p) as client:
        p.add(LimitData(bytes=7))

        assert b"0123456" == asked(client, b"0123456789")


@pytest.mark.parametrize(
    ("toxic", "heard"), [(LimitData(bytes=3), b"fir"), (Timeout(timeout_ms=1), b""), (ResetPeer(), b"")]
)
async def test_new_connections_are_under_it_too(p: Proxy, toxic: Toxic, heard: bytes) -> None:
    """A toxic that was there before the connection acts on it; after `clear` the next one is free of it."""
    p.add(toxic)
    assert heard == answer(p)
    p.clear()

    connect(p).close()


def answer(p: Proxy) -> bytes:
    """What comes back on a new connection before its end, of whatever kind that is."""
    try:
        with socket.create_connection(("127.0.0.1", p.port), timeout=_SECONDS) as client:
            return asked(client, b"first")
    except ConnectionError:
        return b""


async def test_toxicity(p: Proxy) -> None:
    """Half of the connections are hit: some, and not all; at 0 none, and of one that is hit each answer."""
    with ExitStack() as opened:
        clients = [opened.enter_context(connect(p)) for _ in range(40)]
        p.add(Timeout(timeout_ms=1, toxicity=0))
        p.add(LimitData(bytes=2, toxicity=0.5))
        answers = [asked(client, b"all of it") for client in clients]

        assert {b"al", b"all of it"} == set(answers)


async def test_down_and_up(p: Proxy) -> None:
    """Down, open connections end and new ones are refused; up, the same port answers."""
    port = p.port
    with connect(p) as client:
        p.down()
        assert b"" == client.recv(1)
        assert 0 == p.open_connections
    with pytest.raises(ConnectionRefusedError):
        connect(p)
    p.down()
    p.up()
    p.up()

    connect(p).close()
    assert port == p.port


async def test_target_that_refuses() -> None:
    """A client of a target that is not there is let in, and its connection ends."""
    async with proxy(free_port()) as p:
        with socket.create_connection(("127.0.0.1", p.port), timeout=_SECONDS) as client:
            assert b"" == client.recv(1)


async def test_unix_sockets(p: Proxy, tmp_path: Path) -> None:
    """It listens on a unix socket, and goes to one."""
    inner, outer = tmp_path / "inner", tmp_path / "outer"
    async with proxy(p.port, path=inner), proxy(inner, path=outer) as through:
        for _ in range(2):
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(_SECONDS)
                client.connect(str(outer))
                assert b"hello" == asked(client, b"hello")
            through.down()
            through.up()

    assert not outer.exists()
