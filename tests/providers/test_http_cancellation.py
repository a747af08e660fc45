"""No connection, and no place in the bulkhead, is ever leaked, however many calls are cancelled or time out."""

import asyncio
import os
import random
import time
from pathlib import Path

from service.checkout.errors import OverloadedError, ProviderError
from service.checkout.ports import UpstreamRequest
from service.providers.calls import Calls, Limits
from service.providers.http import Timeouts, UpstreamClient
from service.resilience.health import BreakerSettings
from tests.support.upstream import Handler, Received, answering, client_of, response, until, upstream

REQUEST = UpstreamRequest(method="POST", segments=("v2", "sessions"), body=b"{}")
POOL = 10
CHURN_SECONDS = 60.0 if os.environ.get("CHAOS") == "1" else 10.0
TIMEOUTS = Timeouts(connect=0.5, read=0.2, total=0.4)  # the last hundred calls have no more on a busy machine
NEVER = BreakerSettings(in_a_row=10**9, share=2.0)  # else it would keep the calls from the provider


def calls() -> Calls:
    """The whole policy, a bulkhead of the pool's size included."""
    return Calls("acme", Limits(max_attempts=2, max_concurrency=POOL, breaker=NEVER))


async def test_cancelled_calls_leak_nothing() -> None:
    """After seconds of cancelled and late calls, 100 of 100 succeed on a pool of 10, and descriptors are back."""
    dice = random.Random(1)  # noqa: S311  # not for secrets
    async with upstream(answering(response())) as server:
        before = open_descriptors()
        async with client_of(server.url, timeouts=TIMEOUTS, pool=POOL, calls=calls()) as client:
            server.handler = moody(dice)
            outcomes = await churn(client, dice)
            server.handler = answering(response())
            answers = [await asyncio.gather(*(client.send(REQUEST) for _ in range(POOL))) for _ in range(10)]
            await until(lambda: server.open_connections <= POOL)  # the server notices late that a client went
        await until(lambda: open_descriptors() <= before)

    assert {"cancelled", "failed", "overloaded", "answered"} == outcomes
    assert [201] * 100 == [answer.status for batch in answers for answer in batch]


def moody(dice: random.Random) -> Handler:
    """Answers at once, late, in two parts, or not at all."""

    async def handler(_request: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(dice.choice((0, 0.005, 0.02, 0.5)))
        answer = response(201, b"x" * 2000)
        writer.write(answer[:1000])
        await asyncio.sleep(dice.choice((0, 0, 0.01)))
        writer.write(answer[1000:])

    return handler


async def churn(client: UpstreamClient, dice: random.Random) -> set[str]:
    """Thirty callers that call and are cancelled at random moments."""
    outcomes: set[str] = set()
    ends = time.monotonic() + CHURN_SECONDS

    async def caller() -> None:
        while time.monotonic() < ends:
            call = asyncio.create_task(client.send(REQUEST))
            await asyncio.wait({call}, timeout=dice.choice((0, 0.001, 0.01, 0.03, 1)))
            call.cancel()
            [outcome] = await asyncio.gather(call, return_exceptions=True)
            outcomes.add(kind_of(outcome))

    await asyncio.gather(*(caller() for _ in range(3 * POOL)))
    return outcomes


def kind_of(outcome: object) -> str:
    if isinstance(outcome, asyncio.CancelledError):
        return "cancelled"
    if isinstance(outcome, OverloadedError):
        return "overloaded"
    if isinstance(outcome, ProviderError):
        return "failed"
    assert not isinstance(outcome, BaseException), outcome
    return "answered"


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
