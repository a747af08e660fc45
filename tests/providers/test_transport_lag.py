"""Our own lag is not the provider's slowness: a burst of requests must not look like a provider that is gone."""

import asyncio
import http.server
import threading
import time
from collections.abc import Generator

import httpx
import pytest

from service.providers.transport import create_transport

TURN_SECONDS = 0.1
SECONDS = {"connect": 0.08, "read": 0.08, "pool": 9.0}


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers at once, whatever our loop does."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's own name
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    """Ends though a connection is open."""

    daemon_threads = True
    block_on_close = False


@pytest.fixture
def url() -> Generator[str]:
    """Where a provider answers in threads of its own."""
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


async def body_from(transport: httpx.AsyncBaseTransport, url: str) -> bytes:
    """What is answered there."""
    request = httpx.Request("GET", url, extensions={"timeout": SECONDS})
    response = await transport.handle_async_request(request)
    try:
        return await response.aread()
    finally:
        await response.aclose()


@pytest.mark.parametrize("is_kept", [True, False], ids=["kept-connection", "new-connection"])
async def test_own_lag_is_not_the_provider_s(url: str, is_kept: bool) -> None:  # noqa: FBT001  # a table's column
    """An answer that came in time is taken, and a connection made, also where we look too late."""
    transport = create_transport(1)
    if is_kept:
        assert b"{}" == await body_from(transport, url)
    exchange = asyncio.create_task(body_from(transport, url))
    async with asyncio.timeout(60):
        while not exchange.done():
            time.sleep(TURN_SECONDS)  # noqa: ASYNC251  # the fault
            await asyncio.sleep(0)

    assert b"{}" == await exchange
    await transport.aclose()
