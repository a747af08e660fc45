"""The policy around a call, over real HTTP: what is sent again, what is refused here, and what that is called."""

import asyncio
import time
from collections.abc import Callable

import pytest
from prometheus_client import REGISTRY

from service.checkout.errors import (
    OverloadedError,
    ProviderError,
    UpstreamCredentialsError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from service.checkout.ports import UpstreamRequest
from service.providers.calls import Calls, Limits
from service.providers.http import Timeouts, UpstreamAnswer, UpstreamClient
from service.resilience.health import BreakerSettings
from service.resilience.rate import LocalRate
from tests.support.ports import free_port
from tests.support.upstream import Handler, Received, answering, client_of, resetting, response, silent, until, upstream

REQUEST = UpstreamRequest(method="POST", segments=("v2", "sessions"), body=b"{}")
LATER = ("Retry-After: 0",)
BUSY = response(503, b"", LATER)


async def sent(client: UpstreamClient) -> ProviderError | UpstreamAnswer:
    try:
        return await client.send(REQUEST)
    except ProviderError as error:
        return error


async def statuses(client: UpstreamClient, count: int) -> list[int]:
    return [(await client.send(REQUEST)).status for _ in range(count)]


@pytest.fixture
def counted() -> Callable[..., float]:
    """How much a metric of the upstream has grown since the test began."""

    def value(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, {"upstream": "acme", **labels}) or 0.0

    names: dict[tuple[str, ...], dict[str, str]] = {
        ("checkout_upstream_retries_total",): {},
        ("checkout_upstream_in_flight",): {},
        ("checkout_upstream_breakers_open",): {},
        **{
            ("checkout_upstream_refused_total", reason): {"reason": reason}
            for reason in ("breaker", "bulkhead", "rate", "deadline")
        },
    }
    before = {name: value(name[0], **labels) for name, labels in names.items()}
    return lambda *name: value(name[0], **names[name]) - before[name]


@pytest.mark.parametrize("status", [429, 503])
async def test_what_asks_for_a_later_try_gets_one(status: int, counted: Callable[..., float]) -> None:
    """A 429 or 503 with a `Retry-After` that fits is tried once more, after that time and not before."""
    handler = answering(response(status, b"", ("Retry-After: 1",)), response(201))
    async with upstream(handler) as server, client_of(server.url, calls=Calls("acme")) as client:
        started = time.monotonic()
        answer = await client.send(REQUEST)
        took = time.monotonic() - started

    assert (201, 2) == (answer.status, len(server.requests))
    assert 1.0 <= took < 2.0
    assert 1 == counted("checkout_upstream_retries_total")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(response(503), id="503-without"),
        pytest.param(response(429), id="429-without"),
        pytest.param(response(503, b"", ("Retry-After: 3",)), id="does-not-fit"),
        pytest.param(response(404, b"", LATER), id="404"),
        pytest.param(response(500, b"", LATER), id="500"),
        pytest.param(response(502, b"", LATER), id="502"),
        pytest.param(response(504, b"", LATER), id="504"),
        pytest.param(response(403, b"", LATER), id="403"),
        pytest.param(response(302, b"", LATER), id="302"),
        pytest.param(response(201, b"", LATER), id="201"),
    ],
)
async def test_every_other_answer_is_final(answer: bytes) -> None:
    """No other answer is asked for again, nor one whose `Retry-After` leaves no second for the call itself."""
    async with upstream(answering(answer)) as server, client_of(server.url, calls=Calls("acme")) as client:
        await client.send(REQUEST)

    assert 1 == len(server.requests)


@pytest.mark.parametrize("handler", [resetting, silent])
async def test_what_may_have_arrived_is_not_sent_again(handler: Handler) -> None:
    """A reset or a silence after the request was read is final."""
    timeouts = Timeouts(connect=1.0, read=0.2, total=4.0)
    calls = Calls("acme", Limits(max_attempts=5))
    async with upstream(handler) as server, client_of(server.url, timeouts=timeouts, calls=calls) as client:
        error = await sent(client)

    assert isinstance(error, ProviderError)
    assert error.sent
    assert 1 == len(server.requests)


async def test_what_never_left_is_sent_again(counted: Callable[..., float]) -> None:
    """Where nobody listened at first, the second attempt arrives."""
    port, calls = free_port(), Calls("acme", Limits(max_attempts=2))
    async with client_of(f"http://127.0.0.1:{port}", calls=calls) as client:
        call = asyncio.create_task(client.send(REQUEST))
        await until(lambda: counted("checkout_upstream_retries_total") == 1)
        received = []

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            received.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(response(201, b"{}", ("Connection: close",)))
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", port):
            assert 201 == (await call).status

    assert 1 == len(received)


@pytest.mark.parametrize("attempts", [1, 2, 3])
async def test_attempts_are_limited(attempts: int) -> None:
    """There are at most `max_attempts`, and the last answer is the one that counts."""
    calls = Calls("acme", Limits(max_attempts=attempts))
    async with upstream(answering(BUSY)) as server, client_of(server.url, calls=calls) as client:
        for _ in range(30):  # so that the budget allows three
            calls._retries.note_request()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # as other calls would
        answer = await client.send(REQUEST)

    assert (503, attempts) == (answer.status, len(server.requests))


async def test_retries_have_a_budget() -> None:
    """Of many calls that all want a retry, a tenth or one a second gets one."""
    never = BreakerSettings(in_a_row=10**9, share=2.0)
    calls = Calls("acme", Limits(max_attempts=2, breaker=never))
    async with upstream(answering(BUSY)) as server, client_of(server.url, calls=calls) as client:
        started = time.monotonic()
        await statuses(client, 100)
        seconds = time.monotonic() - started

    assert 105 <= len(server.requests) <= 110 + seconds


async def test_waiting_retry_holds_no_slot() -> None:
    """While one call waits for its next attempt, another takes the only slot."""
    calls = Calls("acme", Limits(max_attempts=2, max_concurrency=1))
    handler = answering(response(503, b"", ("Retry-After: 1",)), response(201), response(202))
    async with upstream(handler) as server, client_of(server.url, pool=1, calls=calls) as client:
        waiting = asyncio.create_task(client.send(REQUEST))
        await until(lambda: len(server.requests) == 1)
        other = await client.send(REQUEST)
        answer = await waiting

    assert (201, 202) == (other.status, answer.status)


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(answering(response(500)), id="500"),
        pytest.param(resetting, id="reset"),
        pytest.param(silent, id="silent"),
        pytest.param(answering(b"SSH-2.0-OpenSSH\r\n\r\n"), id="no-http"),
    ],
)
async def test_failing_provider_is_left_alone(handler: Handler, counted: Callable[..., float]) -> None:
    """After five failures of any kind the provider is not called, and the refusal says when to come back."""
    timeouts = Timeouts(connect=1.0, read=0.1, total=4.0)
    async with upstream(handler) as server, client_of(server.url, timeouts=timeouts, calls=Calls("acme")) as client:
        for _ in range(5):
            await sent(client)
        assert 1 == counted("checkout_upstream_breakers_open")
        started = time.monotonic()
        error = await sent(client)
        took = time.monotonic() - started

    assert isinstance(error, UpstreamUnavailableError)
    assert 5 <= (error.retry_after_seconds or 0) <= 7
    assert ("BreakerOpenError", False) == (type(error.__cause__).__name__, error.sent)
    assert 5 == len(server.requests)
    assert 1 == counted("checkout_upstream_refused_total", "breaker")
    assert took < 0.1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 429])
async def test_refusals_open_no_breaker(status: int) -> None:
    """A provider that refuses requests is there: it is asked every time."""
    async with (
        upstream(answering(response(status))) as server,
        client_of(server.url, calls=Calls("acme")) as client,
    ):
        for _ in range(30):
            await sent(client)

    assert 30 == len(server.requests)


async def test_cancelled_calls_open_no_breaker() -> None:
    """Buyers who leave say nothing of the provider."""
    async with upstream(silent) as server, client_of(server.url, calls=Calls("acme"), pool=50) as client:
        calls = [asyncio.create_task(client.send(REQUEST)) for _ in range(30)]
        await until(lambda: len(server.requests) == 30)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        server.handler = answering(response())
        assert [201] == await statuses(client, 1)


async def test_hurried_calls_open_no_breaker() -> None:
    """A silence that was cut off early, as a question about a session is, does not count; a whole one does."""
    calls = Calls("acme", Limits(max_attempts=1, read_timeout=1.0, breaker=BreakerSettings(in_a_row=2)))
    timeouts = Timeouts(connect=1.0, read=0.6, total=1.0)
    async with upstream(silent) as server, client_of(server.url, timeouts=timeouts, calls=calls) as client:
        for _ in range(3):
            with pytest.raises(UpstreamTimeoutError):
                await client.send(REQUEST, deadline=client.deadline(at_most_seconds=0.1))
        assert [UpstreamTimeoutError] * 2 == [type(await sent(client)) for _ in range(2)]
        assert UpstreamUnavailableError is type(await sent(client))


async def test_recovered_provider_is_called_again(counted: Callable[..., float]) -> None:
    """When a probe succeeds after its time, everybody is let through again."""
    breaker = BreakerSettings(open_seconds=0.2, longest_open_seconds=0.2)
    calls = Calls("acme", Limits(max_attempts=1, breaker=breaker))
    async with upstream(answering(response(500))) as server, client_of(server.url, calls=calls) as client:
        assert [500] * 5 == await statuses(client, 5)
        server.handler = answering(response(201))
        assert isinstance(await sent(client), UpstreamUnavailableError)
        await asyncio.sleep(0.25)
        assert [201] * 10 == await statuses(client, 10)

    assert 0 == counted("checkout_upstream_breakers_open")


async def test_nobody_queues_behind_a_probe() -> None:
    """While the only slot is a probe's, others are told at once that the provider is left alone."""
    breaker = BreakerSettings(open_seconds=0.2, longest_open_seconds=0.2)
    calls = Calls("acme", Limits(max_attempts=1, max_concurrency=1, breaker=breaker))
    async with upstream(answering(response(500))) as server, client_of(server.url, calls=calls) as client:
        await statuses(client, 5)
        server.handler = silent
        await asyncio.sleep(0.25)
        probe = asyncio.create_task(client.send(REQUEST))
        await until(lambda: len(server.requests) == 6)
        started = time.monotonic()
        error = await sent(client)
        took = time.monotonic() - started
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)

    assert isinstance(error, UpstreamUnavailableError)
    assert took < 0.2


async def test_more_than_the_bulkhead_is_refused(counted: Callable[..., float]) -> None:
    """Of six at once on two slots, two go up, two wait for a quarter second, two are refused at once."""
    calls = Calls("acme", Limits(max_concurrency=2))
    async with upstream(silent) as server, client_of(server.url, pool=2, calls=calls) as client:
        tasks = [asyncio.create_task(sent(client)) for _ in range(6)]
        await until(lambda: len(server.requests) == 2)
        await until(lambda: sum(task.done() for task in tasks) == 4)
        assert 2 == counted("checkout_upstream_in_flight")
        errors = [task.result() for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    for error in errors:
        assert isinstance(error, OverloadedError)
        assert 1 <= (error.retry_after_seconds or 0) <= 3
        assert ("BulkheadFullError", False) == (type(error.__cause__).__name__, error.sent)
    assert 4 == counted("checkout_upstream_refused_total", "bulkhead")
    assert 0 == counted("checkout_upstream_in_flight")


async def test_rate_budget_is_kept(counted: Callable[..., float]) -> None:
    """Each call is taken from the budget, each credential generation's own included; then there is room in a minute."""

    async def refusing_the_first(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(response(401 if request.header("authorization") == "Basic old" else 201))
        await writer.drain()

    calls = Calls("acme", Limits(), LocalRate(3))
    async with (
        upstream(refusing_the_first) as server,
        client_of(server.url, authorizations=("Basic old", "Basic new"), calls=calls) as client,
    ):
        assert [201, 201] == await statuses(client, 2)
        error = await sent(client)

    assert isinstance(error, UpstreamThrottledError)
    assert 59 <= (error.retry_after_seconds or 0) <= 60
    assert ("RateSpentError", False) == (type(error.__cause__).__name__, error.sent)
    assert 3 == len(server.requests)
    assert 1 == counted("checkout_upstream_refused_total", "rate")


class SlowBudget:
    """A budget whose store takes its time."""

    async def take(self) -> float:
        await asyncio.sleep(10)
        return 0.0


async def test_everything_is_inside_the_deadline(counted: Callable[..., float]) -> None:
    """Time that passes before anything is sent is part of the whole, and ends it as a timeout, unsent."""
    timeouts = Timeouts(connect=1.0, read=1.0, total=0.2)
    calls = Calls("acme", Limits(), SlowBudget())
    async with upstream(silent) as server, client_of(server.url, timeouts=timeouts, calls=calls) as client:
        started = time.monotonic()
        error = await sent(client)
        took = time.monotonic() - started

    assert isinstance(error, UpstreamTimeoutError)
    assert not error.sent
    assert took < 1.0
    assert 0 == len(server.requests)
    assert 1 == counted("checkout_upstream_refused_total", "deadline")


async def test_retries_are_inside_the_deadline() -> None:
    """A provider that says 1 second each time is tried for as long as a whole call fits, and no longer."""
    handler = answering(response(503, b"", ("Retry-After: 1",)))
    calls = Calls("acme", Limits(max_attempts=5))
    async with upstream(handler) as server, client_of(server.url, calls=calls) as client:  # 4 s in all
        started = time.monotonic()
        answer = await client.send(REQUEST)
        took = time.monotonic() - started

    assert 503 == answer.status
    assert 2 <= len(server.requests) <= 3
    assert took <= 4.0


async def test_credentials_alarm_is_no_breaker() -> None:
    """Credentials that are refused stay that problem, however often."""
    async with (
        upstream(answering(response(401))) as server,
        client_of(server.url, calls=Calls("acme")) as client,
    ):
        kinds = {type(await sent(client)) for _ in range(20)}

    assert {UpstreamCredentialsError} == kinds
    assert 20 == len(server.requests)


@pytest.mark.parametrize(
    "calls",
    [
        pytest.param(lambda: Calls("acme", rate=LocalRate(1)), id="rate"),
        pytest.param(lambda: Calls("acme", Limits(breaker=BreakerSettings(in_a_row=1))), id="breaker"),
    ],
)
async def test_what_was_sent_once_stays_sent(calls: Callable[[], Calls]) -> None:
    """A refusal of the second attempt does not say that nothing was sent: the first may have been carried out."""
    async with upstream(answering(BUSY)) as server, client_of(server.url, calls=calls()) as client:
        error = await sent(client)

    assert isinstance(error, ProviderError)
    assert (1, True) == (len(server.requests), error.sent)


async def test_a_second_attempt_that_never_left_does_not_undo_the_first() -> None:
    """When the first attempt was answered and the second could not even connect, something was sent."""

    class Busy:
        status = 503
        retry_after_seconds = 0

    outcomes: list[object] = [Busy(), UpstreamUnavailableError("The provider cannot be reached.")]

    async def exchange() -> Busy:
        outcome = outcomes.pop(0)
        if isinstance(outcome, UpstreamUnavailableError):
            outcome.sent = False
            raise outcome
        assert isinstance(outcome, Busy)
        return outcome

    with pytest.raises(UpstreamUnavailableError) as failed:
        await Calls("acme").make(exchange, asyncio.get_running_loop().time() + 5)
    assert ([], True) == (outcomes, failed.value.sent)
