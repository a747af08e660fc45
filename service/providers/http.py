"""One upstream account over HTTP/1.1: exact URLs, one deadline for a call, capped answers, failures by kind."""

import asyncio
import math
import re
import time
from collections.abc import Awaitable, Callable, Container
from contextlib import aclosing
from functools import cache, lru_cache, partial
from http import HTTPStatus
from typing import TypeVar, cast
from urllib.parse import quote, urlencode

import httpx
from msgspec import Struct

from service import __version__
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
from service.checkout.preview import ShownRequest
from service.observability import metrics
from service.providers.calls import Calls
from service.providers.failures import failure_of
from service.providers.retry_after import retry_after_seconds

USER_AGENT = f"checkout-broker/{__version__}"
MAX_ANSWER_BYTES = 256 * 1024
_POOL_WAIT_SECONDS = 0.25
_CREDENTIALS_GOOD_FOR_SECONDS = 60.0
_MOST_REMEMBERED = 256  # paths that hold ids push each other out, never the few that are in use all the time
_NEVER = float("-inf")
_HAVE_BODIES = frozenset({"POST", "PUT", "PATCH"})
_UNAUTHORIZED, _FIRST_REDIRECT = 401, 300  # the members of HTTPStatus are slow to look up and to compare with
K = TypeVar("K")
_SEGMENT = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~-]{1,256}")  # nothing that one library encodes and the next decodes

# By the first row that a status stands in; a 401 never comes this far.
_REFUSALS: tuple[tuple[Container[int], type[ProviderError], str], ...] = (
    (
        {HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS},
        UpstreamThrottledError,
        "The provider asks for fewer calls.",
    ),
    ({HTTPStatus.FORBIDDEN}, UpstreamCredentialsError, "The provider does not let this shop's credentials do this."),
    (
        {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.GATEWAY_TIMEOUT},
        UpstreamTimeoutError,
        "The provider did not answer in time.",
    ),
    (range(400, 500), UpstreamRejectedError, "The provider refuses this request."),
    (range(500, 600), UpstreamUnavailableError, "The provider failed."),
)


class Timeouts(Struct, frozen=True, kw_only=True):
    """Seconds; `total` covers the whole call."""

    connect: float
    read: float
    total: float


class UpstreamAnswer(Struct, frozen=True, kw_only=True):
    """A whole answer."""

    status: int
    body: bytes
    headers: httpx.Headers

    @property
    def retry_after_seconds(self) -> int | None:
        """How long to wait, where the answer says so."""
        return retry_after_seconds(self.headers.get("retry-after"), self.date)

    @property
    def date(self) -> str | None:
        """When it was made, by the provider's clock."""
        return cast("str | None", self.headers.get("date"))


class Learned:
    """What calls to an account have shown, whichever client made them; it outlives a change of the settings."""

    def __init__(self) -> None:
        self.worked_at: dict[str, float] = {}  # by `Authorization`
        self.paths: set[tuple[str, ...]] = set()
        self.kept: dict[tuple[str, ...], object] = {}  # of adapters

    def is_good(self, authorizations: tuple[str, ...]) -> bool:
        """Whether one of these credentials worked within the last minute."""
        last = max(self.worked_at.get(one, _NEVER) for one in authorizations)
        return time.monotonic() - last < _CREDENTIALS_GOOD_FOR_SECONDS


class UpstreamClient:
    """Sends requests with the account's credentials; follows no redirect, repeats nothing that may have been done."""

    def __init__(  # noqa: PLR0913  # each is kept for another length of time
        self,
        base_url: str,
        authorizations: tuple[str, ...],
        timeouts: Timeouts,
        transport: httpx.AsyncBaseTransport,
        calls: Calls,
        *,
        learned: Learned | None = None,
    ) -> None:
        self.name = calls.upstream
        self._base_url = httpx.URL(base_url)
        self._authorizations = authorizations
        self._total_seconds = timeouts.total
        self._transport = transport
        self._calls = calls
        self._generation = 0
        self._learned = learned or Learned()
        self._usual_headers = lru_cache(_MOST_REMEMBERED)(self._headers)
        self._path_url = lru_cache(_MOST_REMEMBERED)(self._url)
        self._waits = {
            "connect": timeouts.connect,
            "read": timeouts.read,
            "pool": timeouts.connect + _POOL_WAIT_SECONDS,
        }
        self._seconds = metrics.UPSTREAM_SECONDS.labels(self.name)
        self._count = cache(partial(metrics.UPSTREAM_CALLS.labels, self.name))

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    def keep(self, key: tuple[str, ...], make: Callable[[], K]) -> K:
        """What an adapter remembers of this account; made once, and kept over reloads. One type a key."""
        return cast("K", self._learned.kept.setdefault(key, make()))

    def deadline(self, *, at_most_seconds: float = math.inf) -> float:
        """When an operation that begins now must have ended, in the loop's time; for all of its calls together."""
        return asyncio.get_running_loop().time() + min(self._total_seconds, at_most_seconds)

    async def send(
        self, request: UpstreamRequest, *, deadline: float | None = None, authorization: str | None = None
    ) -> UpstreamAnswer:
        """Send one request; an answer of any status but 401 is returned.

        `deadline` is that of the operation this call belongs to (its own when None). `authorization` takes the place
        of the account's credentials; a 401 then says something of it alone, and is returned as well.

        A 401 tries the next credential generation. Where every one is refused although one worked within the last
        minute, it is the provider's no to this very request (FastSpring words 401 as "authentication or location
        settings").

        Raises:
            UpstreamCredentialsError: no generation is accepted.
            UpstreamRejectedError: none is accepted, although the credentials are good.
            ProviderError: no whole answer came, or the call was not let through, by kind.
        """
        deadline = self.deadline() if deadline is None else deadline
        if authorization is not None:
            return await self._ask(request, authorization, deadline)
        first, count = self._generation, len(self._authorizations)
        for generation in range(first, first + count):
            one = self._authorizations[generation % count]
            answer = await self._ask(request, one, deadline)
            if answer.status != _UNAUTHORIZED:
                if answer.status < _FIRST_REDIRECT:
                    self._generation = generation % count
                    self._learned.worked_at[one] = time.monotonic()
                    self._learned.paths.add(request.route or request.segments)
                return answer
        if self._learned.is_good(self._authorizations):
            raise UpstreamRejectedError("The provider refuses this request.")
        metrics.CREDENTIALS_REFUSED.labels(self.name).inc()
        raise UpstreamCredentialsError("The provider does not accept this shop's credentials.")

    def show(self, request: UpstreamRequest) -> ShownRequest:
        """A request as it would be sent, with whatever comes after the scheme of its `Authorization` masked."""
        built = self._build(request, self._authorizations[self._generation], 0.0)
        scheme = request.scheme or built.headers["authorization"].partition(" ")[0]
        return ShownRequest(
            method=built.method,
            url=str(built.url),
            headers={**built.headers, "authorization": f"{scheme} ***"},
            body=request.body,
            customer=request.customer,
        )

    def refusal(self, request: UpstreamRequest, answer: UpstreamAnswer) -> ProviderError:
        """The error that an answer without success stands for.

        A 404 on a path that has worked is FastSpring's documented way to throttle; on one that never worked the path
        is wrong.
        """
        status, wait = answer.status, answer.retry_after_seconds
        if status == HTTPStatus.NOT_FOUND and (request.route or request.segments) not in self._learned.paths:
            return UpstreamMisconfiguredError("The provider does not know this shop's checkout.")
        if status == HTTPStatus.FORBIDDEN:
            metrics.CREDENTIALS_REFUSED.labels(self.name).inc()
        for statuses, kind, detail in _REFUSALS:
            if status in statuses:
                return kind(detail, retry_after_seconds=wait)
        return UpstreamInvalidError("The provider's answer cannot be used.")

    def _ask(self, request: UpstreamRequest, authorization: str, deadline: float) -> Awaitable[UpstreamAnswer]:
        return self._calls.make(partial(self._exchange, self._build(request, authorization, deadline)), deadline)

    async def _exchange(self, request: httpx.Request) -> UpstreamAnswer:
        started, outcome = time.perf_counter(), "cancelled"
        try:
            # Straight to the transport: cookies, redirects and auth flows of httpx.AsyncClient are not wanted here.
            response = await self._transport.handle_async_request(request)
            stream = response.stream
            # The usual answer is all there by now.
            body = b"".join(stream) if isinstance(stream, httpx.ByteStream) else await _read(stream)
            if len(body) > MAX_ANSWER_BYTES:
                raise UpstreamInvalidError("The provider's answer is too large.")
        except ProviderError as error:
            outcome = error.slug
            raise
        except (TimeoutError, httpx.TransportError) as error:
            failure = failure_of(error)
            outcome = failure.slug
            raise failure from error
        else:
            outcome = str(response.status_code)
            return UpstreamAnswer(status=response.status_code, body=body, headers=response.headers)
        finally:
            self._count(outcome).inc()
            self._seconds.observe(time.perf_counter() - started)

    def _build(self, request: UpstreamRequest, authorization: str, deadline: float) -> httpx.Request:
        is_usual = authorization in self._authorizations and not request.headers and not request.query
        length = len(request.body) if request.body or request.method in _HAVE_BODIES else None
        headers = (self._usual_headers if is_usual else self._headers)(authorization, length)
        url = self._url(request.segments, request.query) if request.query else self._path_url(request.segments)
        # With `stream` httpx takes the headers as they are, and headers of its own kind are copied in one go.
        stream = httpx.ByteStream(request.body)
        extensions = {"timeout": self._waits, "deadline": deadline, "is_usual": is_usual}
        built = httpx.Request(request.method, url, headers=headers, stream=stream, extensions=extensions)
        if request.headers:
            built.headers.update(request.headers)
        return built

    def _headers(self, authorization: str, length: int | None) -> httpx.Headers:
        headers = {
            "Host": self._base_url.netloc.decode(),
            "Authorization": authorization,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": USER_AGENT,
        }
        if length:
            headers["Content-Type"] = "application/json"
        if length is not None:
            headers["Content-Length"] = str(length)
        return httpx.Headers(headers)

    def _url(self, segments: tuple[str, ...], query: tuple[tuple[str, str], ...] = ()) -> httpx.URL:
        if all(map(_SEGMENT.fullmatch, segments)):
            path = "/".join((self._base_url.raw_path.decode().rstrip("/"), *segments))
            target = (f"{path}?{urlencode(query, quote_via=quote)}" if query else path).encode()
            url = self._base_url.copy_with(raw_path=target)
            if url.raw_path == target:
                return url
        raise UpstreamMisconfiguredError("The provider's address cannot be built from this configuration.")


async def _read(stream: httpx.SyncByteStream | httpx.AsyncByteStream) -> bytes:
    """The rest of an answer, as far as it may be read."""
    body = bytearray()
    async with aclosing(cast("httpx.AsyncByteStream", stream)) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                break
    return bytes(body)
