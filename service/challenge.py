"""Asks Turnstile or hCaptcha whether a person solved the challenge of a page.

What a page sends as `challenge` is good once; both providers see to that. Which sites may show the widget is set at
the provider, beside the site key, so the host name in its answer is not compared here.

A provider that cannot be reached, or that does not know our secret, lets pass: no checkout may stop because somebody
else's service is down, buyers cannot get an answer from it either, and the address limit, which refuses, stands all the
same. It is counted and logged. What an asker can bring about, an answer that is refused, malformed, or one of too many
at once from an address, does not pass.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, Literal, NamedTuple

import httpx
import msgspec
from msgspec import Meta, Struct

from service.checkout.buyer import Buyer
from service.checkout.limit_errors import ShownChallenge
from service.config.secret import Secret
from service.config.types import HttpsUrl
from service.observability import alarms, metrics
from service.resilience.breaker import Breaker, BreakerOpenError
from service.resilience.fair_timeout import fair_timeout
from service.resilience.health import BreakerSettings, Outcome

MAX_CONNECTIONS = 32
_SECONDS = 3.0
_MAX_ANSWER_BYTES = 16 * 1024
_AT_ONCE = 4
_ANSWER = re.compile(r"[A-Za-z0-9_.~+/=:-]{1,4096}")  # of both providers; the rest might upset a firewall of theirs
_THIS_MACHINE = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?")
_NOT_OUR_SECRET = frozenset({"missing-input-secret", "invalid-input-secret"})


class _Place(NamedTuple):
    base_url: str
    path: str


# https://developers.cloudflare.com/turnstile/get-started/server-side-validation/ and https://docs.hcaptcha.com/
_PLACES = {
    "turnstile": _Place("https://challenges.cloudflare.com", "/turnstile/v0/siteverify"),
    "hcaptcha": _Place("https://api.hcaptcha.com", "/siteverify"),
}


class ChallengeSettings(Struct, frozen=True, kw_only=True):
    """`[challenge]`: who verifies that a buyer is human. `base_url` is for tests: a stand-in on this machine."""

    provider: Literal["turnstile", "hcaptcha"]
    site_key: Annotated[str, Meta(min_length=1, max_length=256)]
    secret: Secret
    base_url: HttpsUrl | None = None

    def faults(self) -> Iterator[tuple[str, str]]:
        """Rules over several keys."""
        if self.base_url is not None and not _THIS_MACHINE.fullmatch(self.base_url):
            yield "base_url", "is for a stand-in on this machine: remove it, and the provider itself is asked"


class _Verdict(Struct, frozen=True):
    success: bool
    error_codes: Annotated[tuple[str, ...], Meta(max_length=32)] = msgspec.field(default=(), name="error-codes")


class UnavailableError(Exception):
    """Whether the answer is good cannot be found out; `reason` is a word for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ChallengeVerifier:
    """One account at one of the two."""

    def __init__(self, settings: ChallengeSettings, transport: httpx.AsyncBaseTransport) -> None:
        self.shown = ShownChallenge(provider=settings.provider, site_key=settings.site_key)
        self._settings = settings
        place = _PLACES[settings.provider]
        self._url = (settings.base_url or place.base_url).rstrip("/") + place.path
        self._transport = transport
        self._breaker = Breaker(BreakerSettings(), lambda _: None)
        self._under_way: Counter[str | None] = Counter()

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    async def is_solved(self, answer: str | None, buyer: Buyer) -> bool:
        """Whether the answer is good, or the provider is known to be gone; without an answer it is asked for."""
        try:
            self._breaker.check()
            is_good = answer is not None and await self._is_good(answer, buyer)
        except (UnavailableError, BreakerOpenError) as error:
            reason = error.reason if isinstance(error, UnavailableError) else "left alone"
            alarms.challenge_unavailable(self.shown.provider, reason)
            metrics.CHALLENGES.labels("unavailable").inc()
            return True
        outcome = "asked" if answer is None else "solved" if is_good else "failed"
        metrics.CHALLENGES.labels(outcome).inc()
        return is_good

    async def _is_good(self, answer: str, buyer: Buyer) -> bool:
        """Raises what stands for an answer that cannot be had."""
        is_crowded = buyer.network is not None and self._under_way[buyer.network] >= _AT_ONCE
        if is_crowded or not _ANSWER.fullmatch(answer):
            return False
        self._under_way[buyer.network] += 1
        try:
            with self._breaker.call() as call:
                call.outcome = Outcome.FAILED
                try:
                    status, body = await self._exchange(self._request(answer, buyer))
                except asyncio.CancelledError:
                    call.outcome = Outcome.UNKNOWN
                    raise
                call.outcome = Outcome.SUCCEEDED
        finally:
            self._under_way[buyer.network] -= 1
            self._under_way += Counter()  # forgets those of whom none is under way
        return self._read(status, body)

    def _request(self, answer: str, buyer: Buyer) -> httpx.Request:
        form = {"secret": self._settings.secret.reveal(), "response": answer}
        if buyer.address:
            form["remoteip"] = buyer.address
        if self._settings.provider == "hcaptcha":
            form["sitekey"] = self._settings.site_key
        timeouts = {"connect": _SECONDS, "read": _SECONDS, "pool": _SECONDS}
        return httpx.Request("POST", self._url, data=form, extensions={"timeout": timeouts})

    async def _exchange(self, request: httpx.Request) -> tuple[int, bytes]:
        body = bytearray()
        try:
            async with fair_timeout(_SECONDS):  # else a flood of requests would open the way past the challenge
                response = await self._transport.handle_async_request(request)
                try:
                    async for chunk in response.aiter_raw():
                        body += chunk
                        if len(body) > _MAX_ANSWER_BYTES:
                            raise UnavailableError("answer too large")
                finally:
                    await response.aclose()
        except (TimeoutError, httpx.TransportError) as error:
            raise UnavailableError(type(error).__name__) from error
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise UnavailableError(f"status {response.status_code}")
        return response.status_code, bytes(body)

    def _read(self, status: int, body: bytes) -> bool:
        try:
            verdict = msgspec.json.decode(body, type=_Verdict)
        except msgspec.DecodeError:
            return False
        if not verdict.success and _NOT_OUR_SECRET.intersection(verdict.error_codes):
            raise UnavailableError("secret refused")
        return verdict.success and status == HTTPStatus.OK
