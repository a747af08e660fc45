"""A provider that is dead, silent, failing or breaking off: what it costs, measured at both ends."""

import asyncio
import sys
from collections import Counter
from collections.abc import Callable

import aiohttp
import pytest

from tests.faults.load import IN_FULL, WORKERS, Answered, create, offer, p99
from tests.faults.provider import created, reference_of, refusing
from tests.support.servers import Sandbox
from tests.support.services import Service
from tests.support.upstream import Handler, Received, resetting, response, upstream

StartService = Callable[..., Service]
SECONDS = 60.0 if IN_FULL else 6.0


def show(text: str) -> None:
    """Print a figure."""
    sys.stdout.write(f"{text}\n")


async def metrics_of(service: Service) -> dict[str, float]:
    return await asyncio.to_thread(service.metrics)


def causes(service: Service) -> set[object]:
    """What the access lines say of the failures, each of which must name its upstream."""
    failed = [line for line in service.running.named("request") if "problem" in line]
    assert all(line["upstream"] == line["checkout"] for line in failed)
    return {line["cause"] for line in failed}


def calls_in(samples: dict[str, float], upstream_name: str) -> float:
    """Every call to an upstream that was made."""
    name = 'checkout_upstream_calls_total{outcome="'
    return sum(value for key, value in samples.items() if key.startswith(name) and f'upstream="{upstream_name}"' in key)


async def test_dead_provider_costs_little(start_service: StartService) -> None:
    """A provider that refuses connections at 200 rps: within a second everybody is told at once when to come back,
    and at most one call a second of a process still finds out whether it is back.
    """
    with refusing() as url:
        service = start_service({"acme": url}, workers=WORKERS, rate_limit_per_minute=0)
        async with aiohttp.ClientSession() as http:
            with pytest.raises(aiohttp.ClientConnectorError):
                await http.get(url)
        load = asyncio.create_task(offer(service.url, "acme", per_second=200, seconds=SECONDS))
        after_a_second = await _calls_after(service, 1.0)
        answers = await load
        at_the_end = calls_in(await metrics_of(service), "acme")

    late = [answer for answer in answers if answer.sent_at >= 1.0]
    show(f"calls: {after_a_second} in the first second, {at_the_end} in all; refused p99 {p99(late):.1f} ms")
    assert {(503, "upstream-unavailable")} == {(answer.status, answer.slug) for answer in answers}
    called = at_the_end - after_a_second
    assert called >= len([answer for answer in late if answer.retry_after is None])  # whose own call found nobody there
    assert [] == [answer for answer in late if answer.retry_after and not 1 <= int(answer.retry_after) <= 35]
    assert called <= SECONDS * WORKERS
    assert after_a_second >= 5
    assert max(answer.seconds for answer in late) < 3.0
    assert not IN_FULL or p99(late) < 20
    assert {"ConnectError", "BreakerOpenError"} == causes(service)


async def _calls_after(service: Service, seconds: float) -> float:
    await asyncio.sleep(seconds)
    return calls_in(await metrics_of(service), "acme")


class Mute:
    """Accepts, reads and never answers; knows how many wait for it."""

    def __init__(self) -> None:
        self.waiting = 0
        self.most_waiting = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        try:
            await reader.read()
        finally:
            self.waiting -= 1
            writer.close()


async def test_silent_provider_costs_little(start_service: StartService, sandbox: Sandbox) -> None:
    """A provider that accepts and never answers: nobody waits beyond the deadline, no more calls are under way than
    the bulkhead is wide, and the shop of another provider does not notice.
    """
    mute = Mute()
    async with await asyncio.start_server(mute, "127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        urls = {"mute": url, "healthy": sandbox.url, "good": sandbox.url}
        service = start_service(urls, rate_limit_per_minute=0, max_concurrency=64)
        async with aiohttp.ClientSession() as http:
            with pytest.raises(TimeoutError):
                await http.post(url, data=b"{}", timeout=aiohttp.ClientTimeout(total=0.5))
        _, usual = await _both(service, "healthy") if IN_FULL else ([], [])
        unanswered, good = await _both(service, "mute")

    show(f"at most {mute.most_waiting} under way; {Counter(answer.slug for answer in unanswered)}")
    show(f"slowest {max(answer.seconds for answer in unanswered):.2f} s; the other provider's p99 {p99(good):.0f} ms")
    if usual:
        show(f"beside a healthy one {p99(usual):.0f} ms: {p99(good) / p99(usual):.2f} times")
        assert p99(good) < 1.2 * p99(usual)
    assert 64 == mute.most_waiting
    assert {"upstream-timeout", "overloaded", "upstream-unavailable"} == {answer.slug for answer in unanswered}
    assert [] == [answer for answer in unanswered if answer.slug != "upstream-timeout" and not answer.retry_after]
    assert max(answer.seconds for answer in unanswered) < 9.0
    assert {201} == {answer.status for answer in good}
    assert max(answer.seconds for answer in good) < 3.0  # less than any wait for the silent one
    assert {"ReadTimeout", "BulkheadFullError", "BreakerOpenError"} == causes(service)


async def _both(service: Service, other: str) -> tuple[list[Answered], list[Answered]]:
    """The same load on another provider and on the good one, at once."""
    return await asyncio.gather(
        offer(service.url, other, per_second=40, seconds=SECONDS),
        offer(service.url, "good", per_second=10, seconds=SECONDS),
    )


class Failing:
    """Answers every so-manieth create with a 503 that asks for another try at once."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern  # F fails, . does not; from the beginning again
        self.calls = 0

    async def __call__(self, request: Received, writer: asyncio.StreamWriter) -> None:
        fails = self._pattern[self.calls % len(self._pattern)] == "F"
        self.calls += 1
        writer.write(response(503, b"", ("Retry-After: 0",)) if fails else created(request))
        await writer.drain()


async def test_retries_make_no_storm(start_service: StartService) -> None:
    """A provider that fails always, half of the time or for less than its breaker opens, asking for another try each
    time, is called at most a tenth more often than without retries; and there are retries.
    """
    patterns = {"all": Failing("F"), "half": Failing("F."), "some": Failing("F..F..F...")}
    async with (
        upstream(patterns["all"]) as one,
        upstream(patterns["half"]) as two,
        upstream(patterns["some"]) as three,
        aiohttp.ClientSession() as http,
    ):
        assert 503 == (await http.post(one.url, data=b"{}")).status
        patterns["all"].calls = 0
        urls = {"all": one.url, "half": two.url, "some": three.url}
        service = start_service(urls, rate_limit_per_minute=0, max_concurrency=500)
        loads = await asyncio.gather(*(offer(service.url, name, per_second=50, seconds=SECONDS) for name in urls))
        samples = await metrics_of(service)

    for (name, provider), answers in zip(patterns.items(), loads, strict=True):
        retries = samples[f'checkout_upstream_retries_total{{upstream="{name}"}}']
        show(f"{name}: offered {len(answers)}, called {provider.calls}, of these {retries:.0f} again")
        assert 50 * SECONDS == len(answers)
        assert provider.calls <= 1.1 * len(answers)
        assert retries >= 1
    assert patterns["some"].calls > 50 * SECONDS  # the budget alone held it, not the breaker


def cutting(beginning: bytes) -> Handler:
    """Reads the request, writes the beginning of an answer and resets the connection."""

    async def handler(_request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(beginning)
        await writer.drain()
        writer.transport.abort()

    return handler


HEAD = b"HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n"


class BreakingOff:
    """Every third create is broken off after it was read, each time in another way."""

    ways = (resetting, cutting(b"HTTP/1.1 2"), cutting(HEAD), cutting(HEAD + b'{"id": "OS'))

    def __init__(self) -> None:
        self.references: list[str] = []
        self.broken = 0

    async def __call__(self, request: Received, writer: asyncio.StreamWriter) -> None:
        self.references.append(reference_of(request))
        if len(self.references) % 3:
            writer.write(created(request))
            await writer.drain()
        else:
            self.broken += 1
            await self.ways[self.broken % len(self.ways)](request, writer)


async def test_what_may_have_been_done_is_not_repeated(start_service: StartService) -> None:
    """A provider that resets after it read the request: exactly one call for each create, whatever became of it."""
    provider = BreakingOff()
    async with upstream(provider) as server:
        service = start_service({"acme": server.url}, rate_limit_per_minute=0, max_attempts=5)
        async with aiohttp.ClientSession() as http:
            answers = [await create(http, service.url, "acme") for _ in range(60)]
        answers += await offer(service.url, "acme", per_second=60, seconds=1.0)

    show(f"{len(answers)} creates, {len(provider.references)} calls, {provider.broken} broken off")
    assert 40 == provider.broken == sum(answer.status != 201 for answer in answers)
    assert {"upstream-unavailable", "upstream-invalid", None} == {answer.slug for answer in answers}
    assert len(answers) == len(provider.references) == len(set(provider.references))


async def test_rate_budget_holds_over_workers(start_service: StartService, sandbox: Sandbox) -> None:
    """Forty creates at once on two workers with a budget of ten: the provider gets ten, the others hear when to come
    back.
    """
    service = start_service({"acme": sandbox.url}, workers=2, rate_limit_per_minute=10)
    answers = await offer(service.url, "acme", per_second=400, seconds=0.1)
    refused = [answer for answer in answers if answer.status != 201]

    assert (10, 30) == (len(sandbox.requests()), len(refused))
    assert {(503, "upstream-throttled")} == {(answer.status, answer.slug) for answer in refused}
    assert all(55 <= int(answer.retry_after or 0) <= 60 for answer in refused)
    assert {"RateSpentError"} == causes(service)
