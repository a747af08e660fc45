"""The transport alone: requests of a test, and whole answers."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from service.providers.transport import create_transport

TIMEOUTS = {"connect": 2.0, "read": 2.0, "pool": 2.0}


@asynccontextmanager
async def transport_of(size: int, authorities: Path | None = None) -> AsyncGenerator[httpx.AsyncBaseTransport]:
    transport = create_transport(size, authorities=str(authorities) if authorities else None)
    try:
        yield transport
    finally:
        await transport.aclose()


def request_to(url: str, method: str = "POST", **timeouts: float) -> httpx.Request:
    content = b"{}" if method == "POST" else None
    return httpx.Request(method, url, content=content, extensions={"timeout": TIMEOUTS | timeouts})


async def exchange(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> bytes:
    """Ask, and read all of the answer."""
    answer = await transport.handle_async_request(request)
    try:
        return await answer.aread()
    finally:
        await answer.aclose()
