"""What the tests of a store that fails under load have in common: the load, the provider, and how they are read."""

import asyncio
import sys
from collections.abc import Sequence

from tests.faults.load import IN_FULL, Answered, offer
from tests.faults.provider import created
from tests.support.services import Service
from tests.support.upstream import Received

WORKERS = 4 if IN_FULL else 2
USUAL_SECONDS = 10.0 if IN_FULL else 1.0
STORE_SECONDS = 0.3  # what a request may wait for the store, all in all
GENEROUS_SECONDS = 0.0 if IN_FULL else 1.0
LIMITS = {"rate_limit_per_minute": 100_000, "max_concurrency": 500}


def show(text: str) -> None:
    """Print a figure."""
    sys.stdout.write(f"{text}\n")


async def answer(request: Received, writer: asyncio.StreamWriter) -> None:
    """A provider that takes 50 ms."""
    await asyncio.sleep(0.05)
    writer.write(created(request))


def slowest(answers: Sequence[Answered]) -> float:
    return max(one.seconds for one in answers)


def said(answers: Sequence[Answered]) -> set[tuple[int, str | None]]:
    """Every status and problem among the answers."""
    return {(one.status, one.slug) for one in answers}


def sent_in(answers: list[Answered], begin: float, end: float) -> list[Answered]:
    """Those that were sent in this part of the load."""
    return [one for one in answers if begin <= one.sent_at < end]


async def usual_load(service: Service, per_second: int) -> list[Answered]:
    """The load without a fault, once everything is warm."""
    await offer(service.url, "acme", per_second=per_second, seconds=1.0)
    answers = await offer(service.url, "acme", per_second=per_second, seconds=USUAL_SECONDS)
    assert {(201, None)} == said(answers), said(answers)
    return answers
