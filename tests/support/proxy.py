"""A TCP proxy that makes faults, in a thread with a loop of its own: it keeps time while the test's loop is busy."""

import asyncio
import socket
import threading
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop

from tests.support.flows import Connection, Streams
from tests.support.toxics import Toxic

_PATIENCE_SECONDS = 5.0
_BACKLOG = 1024


class Proxy:
    """A running proxy, and what a test does to it: every method returns once it is in force."""

    def __init__(self, target: int | Path, path: Path | None, loop: asyncio.AbstractEventLoop) -> None:
        self.path = path
        self.port = 0
        self.connections = 0
        self._target = target
        self._loop = loop
        self._listener = self._bound()
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], Connection | None] = {}
        self._toxics: list[Toxic] = []

    @property
    def open_connections(self) -> int:
        """Connections of clients that are open now; `connections` is how many there ever were."""
        return len(self._open)

    def add(self, toxic: Toxic) -> None:
        """From now on misbehave in this way too, on open connections and on new ones."""
        self._do(self._add(toxic))

    def clear(self) -> None:
        """Forget every toxic; what was held back goes on at once."""
        self._do(self._clear())

    def down(self) -> None:
        """Drop every connection and refuse new ones."""
        self._do(self._down())

    def up(self) -> None:
        """Take connections again, where they were taken before."""
        self._do(self._up())

    def aim(self, target: int | Path) -> None:
        """Lead to another target from now on; connections to the former one are dropped."""
        self.down()
        self._target = target
        self.up()

    def close(self) -> None:
        """Go down for good."""
        self.down()
        self._do(self._end())
        self._listener.close()
        if self.path:
            self.path.unlink()

    def _do(self, work: Coroutine[object, object, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE_SECONDS)

    async def _add(self, toxic: Toxic) -> None:
        self._toxics.append(toxic)
        for connection in filter(None, self._open.values()):
            connection.take(toxic)

    async def _clear(self) -> None:
        self._toxics.clear()
        for connection in filter(None, self._open.values()):
            connection.clear()

    async def _up(self) -> None:
        if self._server is None:
            start = asyncio.start_unix_server if self.path else asyncio.start_server
            self._server = await start(self._serve, sock=self._listener, backlog=_BACKLOG)

    async def _down(self) -> None:
        if self._server is None:
            return
        self._server.close()
        self._server = None
        self._listener = self._bound()  # so that nobody else gets the port meanwhile
        ending = dict(self._open)
        for task, connection in ending.items():
            if connection:
                connection.abort()
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    async def _end(self) -> None:
        """End also the connections that were taken in the moment of going down."""
        await asyncio.sleep(0.01)
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.wait(others)

    def _bound(self) -> socket.socket:
        if self.path:
            self.path.unlink(missing_ok=True)
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(self.path))
            return listener
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        return listener

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.connections += 1
        self._open[task] = None
        try:
            target = await self._connected()
            self._open[task] = connection = Connection((reader, writer), target)
            for toxic in self._toxics:
                connection.take(toxic)
            await connection.run()
        except (OSError, asyncio.CancelledError):
            pass  # the target refuses, or a toxic or the test ends it
        finally:
            writer.close()
            del self._open[task]

    async def _connected(self) -> Streams:
        if isinstance(self._target, Path):
            return await asyncio.open_unix_connection(self._target)
        return await asyncio.open_connection("127.0.0.1", self._target)


@asynccontextmanager
async def proxy(target: int | Path, *, path: Path | None = None) -> AsyncGenerator[Proxy]:
    """A proxy to a loopback port or a unix socket; it listens on a free port, or on a unix socket at `path`."""
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    running = Proxy(target, path, loop)
    try:
        running.up()
        yield running
    finally:
        running.close()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_PATIENCE_SECONDS)
        loop.close()
