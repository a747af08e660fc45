"""A sandbox without a network, one under a real server, and a receiver for its webhooks."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import httpx
import pytest
import uvicorn
from litestar import Litestar

from service.sandbox.app import create_sandbox

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
START_SECONDS = 20


@pytest.fixture(scope="session")
def shared_app() -> Litestar:
    return create_sandbox(clock=lambda: NOON, public_url="https://sandbox.example")


@pytest.fixture
async def app(shared_app: Litestar) -> Litestar:
    """One sandbox for all, which remembers nothing of the test before."""
    async with client(shared_app) as http:
        await http.post("/_sandbox/reset")
    return shared_app


@pytest.fixture
def client_of() -> Callable[[Litestar], httpx.AsyncClient]:
    """A client that calls an application without a network."""
    return client


def client(app: Litestar, auth: tuple[str, str] | None = None) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(cast("Any", app))  # the two libraries type the same protocol differently
    return httpx.AsyncClient(transport=transport, base_url="http://sandbox.test", auth=auth)


@pytest.fixture
async def seller(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """Calls the sandbox with accepted credentials."""
    async with client(app, ("sandbox", "sandbox")) as http:
        yield http


@pytest.fixture
async def buyer(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """Calls the same sandbox without credentials."""
    async with client(app) as http:
        yield http


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    with running(create_sandbox()) as address:
        yield address


@pytest.fixture
async def served(address: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a sandbox under a real server, for what happens on the wire."""
    async with httpx.AsyncClient(base_url=address, auth=("sandbox", "sandbox"), trust_env=False, timeout=10) as http:
        await http.post("/_sandbox/reset")
        yield http


@contextmanager
def running(app: Litestar) -> Generator[str, None, None]:
    config = uvicorn.Config(app, port=0, log_config=None, access_log=False, timeout_graceful_shutdown=1, ws="none")
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    thread = threading.Thread(target=asyncio.run, args=[server.serve([socket])], daemon=True)
    thread.start()
    deadline = time.monotonic() + START_SECONDS
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(START_SECONDS)
        socket.close()


class Receiver(ThreadingHTTPServer):
    """Keeps what is posted to it; answers `status` and `answer`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiving)
        self.posts: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        self.answer = b""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class Receiving(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver = self.server
        assert isinstance(receiver, Receiver)
        body = self.rfile.read(int(self.headers["content-length"]))
        receiver.posts.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(receiver.status)
        self.send_header("content-length", str(len(receiver.answer)))
        self.end_headers()
        self.wfile.write(receiver.answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the inherited name
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
