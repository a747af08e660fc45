"""Real servers for tests: an ASGI application on a free loopback port, in a thread of its own."""

import asyncio
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal

import httpx
import uvicorn
from litestar import Litestar

from service.api.edge import Edge

_START_SECONDS = 20.0


class _ThreadServer(uvicorn.Server):
    """Signals belong to the test process."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@contextmanager
def serving(
    app: Litestar | Edge, http: type[asyncio.Protocol] | Literal["auto"] = "auto", keep_alive_seconds: int = 75
) -> Generator[str]:
    """The base URL of an application that is served for as long as the context is open.

    It keeps idle connections, so that a test that pauses does not meet one that is closed in that moment.
    """
    config = uvicorn.Config(app, port=0, http=http, log_config=None, access_log=False, proxy_headers=False, ws="none")
    config.timeout_graceful_shutdown = 1
    config.timeout_keep_alive = keep_alive_seconds
    server = _ThreadServer(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + _START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the server did not start")
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=_START_SECONDS)


class Sandbox:
    """The control side of a running sandbox."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, trust_env=False)

    def requests(self) -> list[dict[str, object]]:
        """Every upstream request as it arrived, oldest first."""
        answer: list[dict[str, object]] = self._http.get("/_sandbox/requests").raise_for_status().json()
        return answer

    def bodies(self) -> list[dict[str, object]]:
        """The JSON bodies of the requests."""
        return [body for request in self.requests() if isinstance(body := request["body"], dict)]

    def put_fault(self, kind: str, **options: object) -> None:
        """From now on misbehave in this one way."""
        self._http.put("/_sandbox/faults", json=[{"kind": kind, **options}]).raise_for_status()

    def reset(self) -> None:
        """Forget everything: sessions, faults, requests, clock."""
        self._http.post("/_sandbox/reset").raise_for_status()

    def close(self) -> None:
        """Close the connection to it."""
        self._http.close()
