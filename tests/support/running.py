"""An application driven in this process, without a socket: its lifespan, and a client."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx

from service.api.edge import Edge


@asynccontextmanager
async def running(app: Edge) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of a started application; whatever the application raises comes through."""
    asked: asyncio.Queue[dict[str, object]] = asyncio.Queue()
    said: asyncio.Queue[dict[str, object]] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    lifespan = asyncio.create_task(app(scope, asked.get, said.put))  # type: ignore[arg-type]  # plain dictionaries
    asked.put_nowait({"type": "lifespan.startup"})
    if (await said.get())["type"] != "lifespan.startup.complete":
        raise RuntimeError("the application did not start")
    try:
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 50000))
        async with httpx.AsyncClient(transport=transport, base_url="http://broker", trust_env=False) as client:
            yield client
    finally:
        asked.put_nowait({"type": "lifespan.shutdown"})
        await lifespan
