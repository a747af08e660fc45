"""Calls that fail: each kind by its own problem, within its time, and never sent twice."""

import asyncio
import socket
import time

import pytest
from prometheus_client import REGISTRY

from service.checkout.errors import (
    ProviderError,
    UpstreamCredentialsError,
    UpstreamInvalidError,
    UpstreamMisconfiguredError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from service.checkout.ports import UpstreamRequest
from service.providers.http import Timeouts, UpstreamAnswer, UpstreamClient
from tests.support.ports import free_port
from tests.support.upstream import (
    TIMEOUTS,
    Handler,
    Received,
    answering,
    client_of,
    resetting,
    response,
    silent,
    then_closing,
    upstream,
)

REQUEST = UpstreamRequest(method="POST", segments=("v2", "sessions"), body=b"{}")
HEAD = b"HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\n"


async def sent(client: UpstreamClient) -> ProviderError | UpstreamAnswer:
    try:
        return await client.send(REQUEST)
    except ProviderError as error:
        return error


def counted(outcome: str) -> float:
    labels = {"upstream": "acme", "outcome": outcome}
    return REGISTRY.get_sample_value("checkout_upstream_calls_total", labels) or 0.0


def cutting(beginning: bytes) -> Handler:
    """Writes the beginning of an answer and resets the connection."""

    async def handler(_request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(beginning)
        await writer.drain()
        writer.transport.close()

    return handler


def stalling(beginning: bytes) -> Handler:
    """Writes the beginning of an answer and nothing more."""

    async def handler(_request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(beginning)
        await writer.drain()
        await asyncio.Event().wait()

    return handler


async def trickling(_request: Received, writer: asyncio.StreamWriter) -> None:
    """Writes one byte of a long answer after the other, each well inside the read timeout."""
    writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("handler", "kind", "words"),
    [
        pytest.param(resetting, UpstreamUnavailableError, "closed the connection", id="reset-after-reading"),
        pytest.param(cutting(b"HTTP/1.1 2"), UpstreamUnavailableError, "closed the connection", id="cut-in-the-head"),
        pytest.param(cutting(HEAD), UpstreamInvalidError, "cannot be read", id="cut-before-the-body"),
        pytest.param(cutting(HEAD + b"12345"), UpstreamInvalidError, "cannot be read", id="cut-in-the-body"),
        pytest.param(cutting(b"SSH-2.0-OpenSSH\r\n\r\n"), UpstreamInvalidError, "cannot be read", id="no-http"),
        pytest.param(
            cutting(b"HTTP/1.1 201 X\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            UpstreamInvalidError,
            "cannot be read",
            id="broken-chunks",
        ),
    ],
)
async def test_lost_answer_is_asked_for_once(handler: Handler, kind: type[ProviderError], words: str) -> None:
    """When the provider had read the request, whatever becomes of the answer, the request is not sent again."""
    async with upstream(handler) as server, client_of(server.url) as client:
        before = counted(kind.slug)
        error = await sent(client)

    assert kind is type(error)
    assert words in str(error)
    assert 1 == len(server.requests)
    assert 1 == counted(kind.slug) - before


async def test_reset_of_a_kept_connection_is_asked_for_once() -> None:
    """A connection that worked and is then reset mid-call is no reason to send the request twice."""
    async with upstream(answering(response())) as server, client_of(server.url) as client:
        await client.send(REQUEST)
        server.handler = resetting
        error = await sent(client)

    assert UpstreamUnavailableError is type(error)
    assert (1, 2) == (server.connections, len(server.requests))


async def test_reset_before_the_request_was_read() -> None:
    """A provider that hangs up at once is unavailable, and is not called again."""
    connections = 0

    def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.transport.abort()

    listener = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    async with listener, client_of(f"http://127.0.0.1:{port}") as client:
        error = await sent(client)

    assert UpstreamUnavailableError is type(error)
    assert 1 == connections


async def test_refused_connection() -> None:
    """Where nobody listens the provider cannot be reached."""
    async with client_of(f"http://127.0.0.1:{free_port()}") as client:
        error = await sent(client)

    assert UpstreamUnavailableError is type(error)
    assert "cannot be reached" in str(error)


async def test_unknown_host() -> None:
    """A name that does not exist is a provider that cannot be reached."""
    async with client_of("http://provider.invalid") as client:
        error = await sent(client)

    assert UpstreamUnavailableError is type(error)


SHORT, LONG = 0.2, 3.0


@pytest.mark.parametrize(
    ("handler", "timeouts"),
    [
        pytest.param(silent, Timeouts(connect=LONG, read=SHORT, total=LONG), id="read"),
        pytest.param(stalling(HEAD + b"123"), Timeouts(connect=LONG, read=SHORT, total=LONG), id="read-of-the-body"),
        pytest.param(silent, Timeouts(connect=LONG, read=LONG, total=SHORT), id="total"),
        pytest.param(trickling, Timeouts(connect=LONG, read=LONG, total=SHORT), id="total-while-bytes-come"),
    ],
)
async def test_slow_answer_is_a_timeout(handler: Handler, timeouts: Timeouts) -> None:
    """Each limit ends the call in its time, as a timeout; with a long limit the same provider keeps us waiting."""
    async with upstream(handler) as server:
        patient = Timeouts(connect=LONG, read=LONG, total=LONG)
        async with client_of(server.url, timeouts=patient) as client:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.send(REQUEST), 2 * SHORT)
        async with client_of(server.url, timeouts=timeouts) as client:
            started = time.monotonic()
            error = await sent(client)
            took = time.monotonic() - started

    assert UpstreamTimeoutError is type(error)
    assert SHORT * 0.9 <= took < LONG / 2
    assert 2 == len(server.requests)


def full_listener() -> tuple[socket.socket, list[socket.socket]]:
    """A listening socket whose queue is full, so that the next connection hangs."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    waiting = []
    for _ in range(2):
        one = socket.socket()
        one.settimeout(0)
        one.connect_ex(listener.getsockname())
        waiting.append(one)
    return listener, waiting


async def test_hanging_connection_is_a_provider_that_cannot_be_reached() -> None:
    """The connect limit ends a connection that is not answered; nothing was sent, so it is no timeout of the call."""
    listener, waiting = full_listener()
    try:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.open_connection(*listener.getsockname()), 2 * SHORT)
        timeouts = Timeouts(connect=SHORT, read=LONG, total=LONG)
        async with client_of(f"http://127.0.0.1:{listener.getsockname()[1]}", timeouts=timeouts) as client:
            started = time.monotonic()
            error = await sent(client)
            took = time.monotonic() - started
    finally:
        for one in (listener, *waiting):
            one.close()

    assert UpstreamUnavailableError is type(error)
    assert took < LONG / 2


@pytest.mark.parametrize(
    ("unsent", "url"), [(True, "http://127.0.0.1:1"), (True, "http://provider.invalid"), (False, None)]
)
async def test_failure_says_whether_anything_was_sent(unsent: bool, url: str | None) -> None:  # noqa: FBT001  # a table's column
    """A name or connection that failed carries that nothing left; a reset carries that something may have arrived."""
    async with upstream(resetting) as server, client_of(url or server.url) as client:
        error = await sent(client)

    assert isinstance(error, ProviderError)
    assert (not unsent, not unsent) == (error.sent, bool(server.requests))


async def test_deadline_before_there_is_a_connection() -> None:
    """It is a timeout of the call, of which is known that nothing was sent."""
    listener, waiting = full_listener()
    try:
        timeouts = Timeouts(connect=LONG, read=LONG, total=SHORT)
        async with client_of(f"http://127.0.0.1:{listener.getsockname()[1]}", timeouts=timeouts) as client:
            error = await sent(client)
    finally:
        for one in (listener, *waiting):
            one.close()

    assert isinstance(error, UpstreamTimeoutError)
    assert not error.sent


async def test_deadline_that_is_over_sends_nothing() -> None:
    """An operation whose time is up before the call is a timeout, and says that nothing was sent."""
    async with upstream(answering(response())) as server, client_of(server.url) as client:
        with pytest.raises(UpstreamTimeoutError) as error:
            await client.send(REQUEST, deadline=client.deadline() - TIMEOUTS.total)

    assert 0 == server.connections
    assert not error.value.sent


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
@pytest.mark.parametrize("kept", [False, True])
async def test_no_method_is_repeated_behind_our_back(method: str, kept: bool) -> None:  # noqa: FBT001  # a table's column
    """A connection that is lost, a new one or a kept one, is no reason to send again."""
    request = UpstreamRequest(method=method, segments=("v2",), body=b"{}" if method in {"PUT", "POST"} else b"")
    async with upstream(answering(response())) as server, client_of(server.url) as client:
        if kept:
            await client.send(request)
        server.handler = resetting
        with pytest.raises(UpstreamUnavailableError) as error:
            await client.send(request)

    assert 1 + kept == len(server.requests)
    assert error.value.sent


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, UpstreamInvalidError),
        (400, UpstreamRejectedError),
        (403, UpstreamCredentialsError),
        (404, UpstreamMisconfiguredError),
        (408, UpstreamTimeoutError),
        (409, UpstreamRejectedError),
        (415, UpstreamRejectedError),
        (422, UpstreamRejectedError),
        (429, UpstreamThrottledError),
        (500, UpstreamUnavailableError),
        (502, UpstreamUnavailableError),
        (503, UpstreamUnavailableError),
        (504, UpstreamTimeoutError),
        (204, UpstreamInvalidError),
        (299, UpstreamInvalidError),
        (599, UpstreamUnavailableError),
        (999, UpstreamInvalidError),
    ],
)
async def test_status_has_a_problem(status: int, kind: type[ProviderError]) -> None:
    """Each status that is no success stands for one problem, with a sentence of ours."""
    body = b"" if status == 204 else b"<h1>upstream text</h1>"
    async with upstream(answering(response(status, body))) as server, client_of(server.url) as client:
        error = client.refusal(REQUEST, await client.send(REQUEST))

    assert kind is type(error)
    assert "upstream text" not in error.detail


async def test_404_on_a_path_that_worked_is_throttling() -> None:
    """FastSpring throttles with 404: it is taken so where the path is known to be good, and there alone."""
    other = UpstreamRequest(method="POST", segments=("v2", "other"), body=b"{}")
    async with (
        upstream(answering(response(404), response(201), response(404))) as server,
        client_of(server.url) as client,
    ):
        never = client.refusal(REQUEST, await client.send(REQUEST))
        await client.send(REQUEST)
        later = client.refusal(REQUEST, await client.send(REQUEST))
        elsewhere = client.refusal(other, await client.send(other))

    assert [UpstreamMisconfiguredError, UpstreamThrottledError, UpstreamMisconfiguredError] == [
        type(never),
        type(later),
        type(elsewhere),
    ]


async def test_reason_that_is_no_text() -> None:
    """A status line whose phrase no decoder can read is an unreadable answer, not a failure of ours."""
    handler = then_closing(b"HTTP/1.1 200 \xff\xfe\r\nContent-Length: 2\r\n\r\n{}")
    async with upstream(handler) as server, client_of(server.url) as client:
        error = await sent(client)

    assert isinstance(error, UpstreamInvalidError)
