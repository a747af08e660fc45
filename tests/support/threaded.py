"""A server in threads of its own, for tests in which the loop stands still; and how it is made to."""

import asyncio
import http.server
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager


class _Server(http.server.ThreadingHTTPServer):
    """Ends though a connection is open."""

    daemon_threads = True
    block_on_close = False


@contextmanager
def answering_in_threads(body: bytes) -> Generator[str]:
    """The address of a server that answers at once and with the same, whatever our loop does."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's own name
            """Say nothing."""

    with _Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


async def lag_until_done(task: asyncio.Task[object], turn_seconds: float) -> None:
    """Let every turn of the loop take so long, until the task is done."""
    async with asyncio.timeout(60):
        while not task.done():
            time.sleep(turn_seconds)  # noqa: ASYNC251  # the fault
            await asyncio.sleep(0)
