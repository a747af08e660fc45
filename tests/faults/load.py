"""An open loop of creates, each of a buyer of its own: they come when they come, whether earlier ones are answered."""

import asyncio
import json
import os
import secrets
import time

import aiohttp
from msgspec import Struct

IN_FULL = os.environ.get("CHAOS") == "1"
"""Whether a minute of each fault is wanted, with the figures that only an idle machine can show (`make chaos`)."""
WORKERS = 4 if IN_FULL else 1

_ORDER = {"items": [{"product": "pro-license"}], "country": "DE"}
_PATIENCE = aiohttp.ClientTimeout(total=20)


class Answered(Struct, frozen=True, kw_only=True):
    """One create: when it was sent (seconds from the start), how long it took, and what was said."""

    sent_at: float
    seconds: float
    status: int
    slug: str | None
    body: bytes
    retry_after: str | None


async def offer(url: str, checkout: str, *, per_second: int, seconds: float) -> list[Answered]:
    """Creates at a steady rate."""
    began = time.monotonic()
    tasks: list[asyncio.Task[Answered]] = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=_PATIENCE) as http:
        for number in range(int(per_second * seconds)):
            await asyncio.sleep(max(0.0, began + number / per_second - time.monotonic()))
            tasks.append(asyncio.create_task(create(http, url, checkout, began)))
        return await asyncio.gather(*tasks)


async def create(http: aiohttp.ClientSession, url: str, checkout: str, began: float = 0.0) -> Answered:
    """One create."""
    sent = time.monotonic()
    order = _ORDER | {"checkout": checkout}
    async with http.post(f"{url}/checkout", json=order, headers={"Buyer-Key": secrets.token_urlsafe(24)}) as answer:
        body = await answer.read()
        document = json.loads(body)
        return Answered(
            sent_at=sent - began,
            seconds=time.monotonic() - sent,
            status=answer.status,
            slug=document["type"].rpartition("/")[2] if "type" in document else None,
            body=body,
            retry_after=answer.headers.get("Retry-After"),
        )


def p99(answers: list[Answered]) -> float:
    """The time that 99 of 100 stay below, in milliseconds."""
    times = sorted(answer.seconds for answer in answers)
    return times[len(times) * 99 // 100] * 1000
