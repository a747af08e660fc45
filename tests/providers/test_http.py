"""One call over real HTTP: what exactly is sent, and what is read of the answer."""

import contextlib
import gzip

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service import __version__
from service.checkout.errors import ProviderError, UpstreamInvalidError, UpstreamMisconfiguredError
from service.checkout.ports import UpstreamRequest
from service.providers.http import MAX_ANSWER_BYTES
from tests.support.upstream import AUTHORIZATION, answering, client_of, response, then_closing, upstream

REQUEST = UpstreamRequest(method="POST", segments=("v2", "checkouts", "acme", "popup-checkout", "sessions"), body=b"{}")

HOSTILE_SEGMENTS = [
    *". .. %2e %2e%2e %2E%2e%2f %252e %252e%252e ..; ..;/ a/b a\\b /a a/ // \\ ? a?x a#f # a;p a=b a&b a+b".split(),
    *"@evil.test //evil.test user@x a:b a%2fb a%5cb %0d%0a %00 %ff %c0%af %c0%ae a! a$ a' a( a) a* a,b ~/x".split(),
    *"a|b a^b a`b a{b} a<b> \" [::1] {x} (x) ! $ & ' * + , : ; = @".split(),
    *"\u202eabc \u200b \uff0e\uff0e \uff0f a\uff0fb ü é ß 漢字 \u0455 \ufeff \u2028 \ud7ff \U0001f600".split(),
    *(f"a{chr(code)}b" for code in range(0x21)),
    *(f"a{chr(code)}b" for code in range(0x7F, 0xA1)),
    *"a\r\nX:1 a\nb \n a\n".split(" "),
    "a\r\nX-Injected: 1",
    "a HTTP/1.1\r\nHost: evil.test",
    "",
    " ",
    "x" * 257,
    "x" * 10_000,
]


async def test_request_is_exactly_this() -> None:
    """The request line, each header with the credentials and our product name, and the body: nothing more."""
    async with upstream(answering(response())) as server, client_of(server.url) as client:
        await client.send(REQUEST)

    [request] = server.requests
    assert "POST /v2/checkouts/acme/popup-checkout/sessions HTTP/1.1" == request.line
    assert b"{}" == request.body
    assert {
        "host": server.url.removeprefix("http://"),
        "authorization": AUTHORIZATION,
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": f"checkout-broker/{__version__}",
        "content-type": "application/json",
        "content-length": "2",
    } == {name.lower(): value for name, value in request.headers}


async def test_request_without_a_body_claims_none() -> None:
    """A GET has neither a type nor a body; a provider's own headers are added."""
    request = UpstreamRequest(method="GET", segments=("v2",), headers={"X-Extra": "1"})
    async with upstream(answering(response(200))) as server, client_of(server.url) as client:
        await client.send(request)

    [received] = server.requests
    assert "GET /v2 HTTP/1.1" == received.line
    assert (None, "1", b"") == (received.header("content-type"), received.header("x-extra"), received.body)


@pytest.mark.parametrize("path", ["", "/", "/api", "/api/v9/"])
async def test_path_of_the_base_url_is_kept(path: str) -> None:
    """The configured base path stands before the segments, with exactly one slash between."""
    async with upstream(answering(response())) as server, client_of(server.url + path) as client:
        await client.send(REQUEST)

    assert f"POST {path.rstrip('/')}/v2/checkouts/acme/popup-checkout/sessions HTTP/1.1" == server.requests[0].line


async def test_hostile_path_segments_are_never_sent() -> None:
    """Over a hundred segments that another parser could read differently are refused before a connection is made."""
    assert len(HOSTILE_SEGMENTS) > 100
    async with upstream(answering(response())) as server, client_of(server.url) as client:
        for segment in HOSTILE_SEGMENTS:
            for segments in (("v2", segment), (segment, "sessions"), (segment,)):
                with pytest.raises(UpstreamMisconfiguredError):
                    await client.send(UpstreamRequest(method="POST", segments=segments))

    assert 0 == server.connections


async def test_segments_of_the_alphabet_are_sent_as_they_are() -> None:
    """Letters, digits and `._~-` reach the wire unchanged, whatever their order."""
    segments = ["a", "...", "-", "~", "_", ".a", "a..", "A.b_c~d-9", "x" * 256]
    async with upstream(answering(response())) as server, client_of(server.url) as client:
        for segment in segments:
            await client.send(UpstreamRequest(method="POST", segments=("v2", segment)))

    assert [f"POST /v2/{segment} HTTP/1.1" for segment in segments] == [one.line for one in server.requests]


@settings(deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(max_size=12), min_size=1, max_size=3))
async def test_no_text_steers_the_request_line(segments: list[str]) -> None:
    """Any text is sent as exactly the segments that it is, or not at all."""
    async with upstream(answering(response())) as server, client_of(server.url) as client:
        try:
            await client.send(UpstreamRequest(method="GET", segments=tuple(segments)))
        except UpstreamMisconfiguredError:
            assert 0 == server.connections
        else:
            assert [f"GET /{'/'.join(segments)} HTTP/1.1"] == [one.line for one in server.requests]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_is_not_followed(status: int) -> None:
    """A redirect is an answer like any other: nobody else is called, and credentials go nowhere."""
    async with upstream(answering(response(200))) as elsewhere, upstream(answering(b"")) as server:
        server.handler = answering(response(status, b"", (f"Location: {elsewhere.url}/v2",)))
        async with client_of(server.url) as client:
            answer = await client.send(REQUEST)
            error = client.refusal(REQUEST, answer)

    assert status == answer.status
    assert UpstreamInvalidError is type(error)
    assert (1, 0) == (len(server.requests), elsewhere.connections)


async def test_environment_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxy variables that would redirect our credentials are not used."""
    async with upstream(answering(response(200))) as proxy, upstream(answering(response())) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        async with client_of(server.url) as client:
            await client.send(REQUEST)

    assert (0, 1) == (proxy.connections, len(server.requests))


async def test_cookies_are_not_kept() -> None:
    """What a provider sets in one answer is not sent with the next request (a name, as addresses never get cookies)."""
    handler = answering(response(201, b"{}", ("Set-Cookie: session=other-buyer; Path=/",)))
    async with upstream(handler) as server, client_of(server.url.replace("127.0.0.1", "localhost")) as client:
        await client.send(REQUEST)
        await client.send(REQUEST)

    assert [None, None] == [request.header("cookie") for request in server.requests]


async def test_connections_are_kept_for_the_next_call() -> None:
    """Calls one after the other share one connection."""
    async with upstream(answering(response())) as server, client_of(server.url) as client:
        for _ in range(5):
            await client.send(REQUEST)

    assert (1, 5) == (server.connections, len(server.requests))


@pytest.mark.parametrize(("size", "whole"), [(MAX_ANSWER_BYTES, True), (MAX_ANSWER_BYTES + 1, False)])
async def test_answer_has_a_largest_size(size: int, whole: bool) -> None:  # noqa: FBT001  # a table's column
    """An answer of 256 KiB is read whole; one byte more is refused."""
    async with upstream(answering(response(201, b"x" * size))) as server, client_of(server.url) as client:
        if whole:
            assert size == len((await client.send(REQUEST)).body)
        else:
            with pytest.raises(UpstreamInvalidError, match="too large"):
                await client.send(REQUEST)


async def test_endless_answer_is_left() -> None:
    """An answer without an end is given up at the limit, and its connection closed."""
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    endless = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 64
    async with upstream(answering(endless)) as server, client_of(server.url) as client:
        with pytest.raises(UpstreamInvalidError, match="too large"):
            await client.send(REQUEST)
        server.handler = answering(response())
        assert 201 == (await client.send(REQUEST)).status

    assert 2 == server.connections


async def test_compressed_answer_is_not_unpacked() -> None:
    """A compression bomb stays the few bytes that it is."""
    bomb = gzip.compress(b"\0" * 50_000_000)
    handler = answering(response(201, bomb, ("Content-Encoding: gzip",)))
    async with upstream(handler) as server, client_of(server.url) as client:
        answer = await client.send(REQUEST)

    assert bomb == answer.body


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("Retry-After: 7", 7),
        ("Retry-After: 0", 0),
        ("Retry-After: 99999", 99_999),
        ("Retry-After: 100000", None),
        ("Retry-After: -1", None),
        ("Retry-After: 1.5", None),
        ("Retry-After: soon", None),
        ("Retry-After: ٣", None),
        ("Retry-After:", None),
        ("X-Nothing: 1", None),
        ("Date: Sat, 21 Nov 2026 08:00:00 GMT\r\nRetry-After: Sat, 21 Nov 2026 08:00:07 GMT", 7),
        ("Date: Sat, 21 Nov 2026 08:00:00 GMT\r\nRetry-After: Sat, 21 Nov 2026 07:00:00 GMT", 0),
        ("Date: Sat, 21 Nov 2026 08:00:00 GMT\r\nRetry-After: Sat, 21 Nov 2027 08:00:00 GMT", None),
        ("Date: now\r\nRetry-After: Sat, 21 Nov 2020 08:00:00 GMT", 0),
        ("Retry-After: Sat, 21 Nov 2020 08:00:00 GMT", 0),
        ("Retry-After: Sat, 21 Nov 2020 08:00:00 CET", None),
        ("Retry-After: Sat, 31 Feb 2020 08:00:00 GMT", None),
    ],
)
async def test_retry_after_is_whole_seconds(header: str, seconds: int | None) -> None:
    """Seconds, or a date counted from the answer's own, are passed on; anything else counts as not said."""
    async with upstream(answering(response(429, b"", (header,)))) as server, client_of(server.url) as client:
        answer = await client.send(REQUEST)
        error = client.refusal(REQUEST, answer)

    assert (seconds, seconds) == (answer.retry_after_seconds, error.retry_after_seconds)


@settings(deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.binary(max_size=80),
    st.sampled_from([b"", b"HTTP/1.1 201 X\r\n", b"HTTP/1.1 201 X\r\nContent-Length: 9\r\n\r\n"]),
)
async def test_bytes_of_a_provider_break_nothing(junk: bytes, start: bytes) -> None:
    """Whatever comes instead of an answer, the call ends in an answer or in an error that has a problem of its own."""
    async with upstream(then_closing(start + junk)) as server, client_of(server.url) as client:
        with contextlib.suppress(ProviderError):
            await client.send(REQUEST)
