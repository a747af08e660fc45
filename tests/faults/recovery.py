"""Whether a service and its store are on good terms, and how long it takes until they are again."""

import asyncio
import time

import aiohttp

from tests.support.services import ORDER, Service

_PATIENCE_SECONDS = 30.0
_IN_A_ROW = 4


async def recovered(service: Service, checkout: str = "acme") -> float:
    """The seconds until every worker asks the store again and a session is re-used, several times in a row."""
    began, good = time.monotonic(), 0
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while good < _IN_A_ROW:
            good = good + 1 if not is_left_alone(service) and await is_reused(service, checkout) else 0
            if not good:
                await asyncio.sleep(0.05)
    return time.monotonic() - began


def left_alone(service: Service) -> int:
    """How many workers leave the store alone now."""
    return len(service.running.named("store.left_alone")) - len(service.running.named("store.asked_again"))


def is_left_alone(service: Service) -> bool:
    """Whether any worker does."""
    return left_alone(service) > 0


async def is_reused(service: Service, checkout: str = "acme") -> bool:
    """Whether a session is made and found again, by whichever worker answers."""
    order = ORDER | {"checkout": checkout}
    headers = {"Buyer-Key": f"recovery-{time.monotonic_ns():030}"}
    statuses: list[int] = []
    for _ in range(2):
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{service.url}/checkout", json=order, headers=headers) as answer,
        ):
            statuses.append(answer.status)
    return [201, 200] == statuses
