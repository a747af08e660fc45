"""Slow clients: connections that hardly move, while buyers go on buying."""

import asyncio
import socket
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from msgspec import Struct

from tests.faults.load import Answered, offer
from tests.support.config import default_toml
from tests.support.full import IN_FULL
from tests.support.process import served
from tests.support.servers import Sandbox

CONNECTIONS = 1_000 if IN_FULL else 100
PER_SECOND = 50 if IN_FULL else 8
LONGEST_SECONDS = 15.0
SECONDS = 19  # of load; whoever is still connected then is so for good
ESTABLISHED = 1
HEAD = b"POST /checkout HTTP/1.1\r\nHost: broker\r\nContent-Type: application/json\r\n"
READ = b"GET /openapi.json HTTP/1.1\r\nHost: broker\r\n\r\n"


class Kind(Struct, frozen=True):
    """What a slow client sends at once, and then a byte of a second; one that is `reading` takes a byte a second."""

    at_once: bytes
    drip: bytes = b" "
    reading: bool = False


KINDS = {
    "head": Kind(HEAD + b"X: ", b"a"),
    "lines of a head": Kind(HEAD, b"X:1\r\n"),
    "body": Kind(HEAD + b"Content-Length: 1000\r\n\r\n{"),
    "chunks": Kind(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "reading": Kind(READ * 64, reading=True),
    "silent": Kind(b"", b""),
    "line ends": Kind(b"", b"\r\n"),
}
Outcome = dict[str, list[float | None]]


class SlowClient:
    """One connection, and how long the service bore with it."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self.closed_after: float | None = None
        self._kind = KINDS[name]
        self._stream = socket.socket()
        self._stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        address = urlsplit(url)
        self._stream.connect((address.hostname, address.port))
        self._began = time.monotonic()
        self._stream.sendall(self._kind.at_once)
        self._stream.settimeout(0)

    def move(self) -> None:
        """A byte, if the connection is still one."""
        if self.closed_after is not None:
            return
        if self._stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != ESTABLISHED:
            self.closed_after = time.monotonic() - self._began
            return
        with suppress(BlockingIOError, ConnectionError):  # nothing there yet, or closed since
            if self._kind.reading:
                self._stream.recv(1)
            else:
                self._stream.send(self._kind.drip)

    def close(self) -> None:
        """Go away."""
        self._stream.close()


def slow_clients(url: str) -> Outcome:
    """How long connections of each kind stayed open; None for those that still were."""
    names = [name for name in KINDS for _ in range(CONNECTIONS // len(KINDS) + 1)]
    with ExitStack() as connections:
        clients = [connections.enter_context(closing(SlowClient(url, name))) for name in names]
        for _ in range(SECONDS):
            began = time.monotonic()
            for client in clients:
                client.move()
            time.sleep(max(0.0, began + 1 - time.monotonic()))
    return {name: [one.closed_after for one in clients if one.name == name] for name in KINDS}


@pytest.fixture(scope="module")
def run(_sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Answered], Outcome]:
    """Buyers and slow clients at one worker, as it is shipped."""
    _sandbox_server.reset()
    toml = default_toml(_sandbox_server.url).replace(
        "[checkouts.default]", "rate_limit_per_minute = 0\n[checkouts.default]", 1
    )
    folder: Path = tmp_path_factory.mktemp("slow")

    async def both(url: str) -> tuple[list[Answered], Outcome]:
        slow = asyncio.create_task(asyncio.to_thread(slow_clients, url))
        answers = await offer(url, "default", per_second=PER_SECOND, seconds=SECONDS)
        return answers, await slow

    with served(toml, folder, CHECKOUT_LOG="json") as service:
        return asyncio.run(both(service.url))


def test_no_buyer_notices(run: tuple[list[Answered], Outcome]) -> None:
    """Every real request is answered with a session, none later than a page would wait."""
    answers, slow = run

    assert PER_SECOND * SECONDS == len(answers)
    assert sum(map(len, slow.values())) >= CONNECTIONS
    assert [] == [answer.body for answer in answers if answer.status != 201]
    assert max(answer.seconds for answer in answers) < 5


@pytest.mark.parametrize("name", KINDS)
def test_slow_connection_is_closed(run: tuple[list[Answered], Outcome], name: str) -> None:
    """Whatever it is slow at, it is closed in time."""
    closed = run[1][name]

    print(f"slow: {name}: {len(closed)} connections, longest {max(one or 0 for one in closed):.1f} s")  # noqa: T201  # the figure of the run
    assert [] == [one for one in closed if one is None or one > LONGEST_SECONDS]
