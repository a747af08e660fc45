"""What a provider answers is not trusted: broken, hostile or wrong, none of it reaches a buyer, and nothing crashes."""

import asyncio
import gzip
import json
from collections.abc import Callable

import aiohttp

from tests.faults.load import create
from tests.faults.provider import Json, created, session_of
from tests.support.services import Service
from tests.support.upstream import Received, json_response, response, upstream

StartService = Callable[..., Service]
MARK = "sent-by-the-provider"
URL = "checkoutUrls"


def text(body: bytes, status: int = 201, *headers: str) -> Callable[[Received], bytes]:
    return lambda _: response(status, body, headers or ("Content-Type: application/json",))


def raw(answer: bytes) -> Callable[[Received], bytes]:
    return lambda _: answer


def member(**members: object) -> Callable[[Received], bytes]:
    return lambda request: created(request, **members)


def without(name: str) -> Callable[[Received], bytes]:
    def answer(request: Received) -> bytes:
        document = session_of(request)
        del document[name]
        return json_response(201, document)

    return answer


def line(**members: object) -> Callable[[Received], bytes]:
    """A good answer whose cart has another line."""

    def answer(request: Received) -> bytes:
        cart: Json = session_of(request)["cart"]
        cart["lineItems"][0] |= members
        return created(request, cart=cart)

    return answer


def page(url: str) -> Callable[[Received], bytes]:
    return member(checkoutUrls={"webcheckoutUrl": url})


CHUNK = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
HTML = f"<html><script>{MARK}</script></html>".encode()
MALFORMED: dict[str, Callable[[Received], bytes]] = {
    "a page": text(HTML, 201, "Content-Type: text/html"),
    "a page with 200": text(HTML, 200, "Content-Type: text/html"),
    "nothing": text(b""),
    "half of a document": lambda request: response(201, json.dumps(session_of(request)).encode()[:200]),
    "null": text(b"null"),
    "a list": text(b"[]"),
    "a string": text(json.dumps(MARK).encode()),
    "a huge number": text(b"1e400"),
    "deep nesting": text(b"[" * 100_000),
    "no UTF-8": text(b'{"id": "\xff\xfe"}'),
    "compressed": lambda request: response(
        201, gzip.compress(json.dumps(session_of(request)).encode()), ("Content-Encoding: gzip",)
    ),
    "too large": text(b'{"id": "' + b"x" * 300_000),
    "without an end": raw(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK * 64),
    "broken chunks": raw(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"),
    "no HTTP": raw(b"SSH-2.0-" + MARK.encode() + b"\r\n\r\n"),
    "a redirect": text(b"", 302, "Location: http://169.254.169.254/latest/meta-data"),
    "another success": text(b"{}", 299),
    "no id": without("id"),
    "an id of another type": member(id=17),
    "an id with a header in it": member(id=f"OS1\r\nSet-Cookie: {MARK}=1"),
    "an id with a script": member(id=f"<script>{MARK}</script>"),
    "an endless id": member(id="O" * 10_000),
    "no address": without("checkoutUrls"),
    "a script for an address": page(f"javascript:alert('{MARK}')//.onfastspring.com"),
    "a foreign host": page(f"https://{MARK}.example/checkout/session/OS1"),
    "a host that only ends alike": page(f"https://{MARK}-onfastspring.com/checkout"),
    "an address with a user": page(f"https://acme.onfastspring.com@{MARK}.example/"),
    "an address without TLS": page("http://acme.onfastspring.com/checkout"),
    "the other mode": member(live=True),
    "a mode of another type": member(live="no"),
    "another quantity": line(quantity=7),
    "a quantity of another type": line(quantity="one"),
    "another product": line(productPath=MARK),
    "an empty cart": member(cart={"lineItems": [], "netTotal": 0}),
    "no tags": member(orderTags={}),
    "tags of another type": member(orderTags=[MARK]),
    "a time that is none": member(expires=MARK),
    "a time that is over": member(expires="2020-01-01T00:00:00.000Z"),
    "a state that is over": member(status="EXPIRED"),
    "an unknown warning": member(warnings=[{"code": "INVALID_EVERYTHING", "field": "country", "message": MARK}]),
}


async def test_no_malformed_answer_is_forwarded(start_service: StartService) -> None:
    """Forty answers that are broken, hostile or not what was asked for: each a 502 of ours, no word of it passed on."""
    current: list[Callable[[Received], bytes]] = []

    async def handler(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write((current[0] if current else created)(request))
        await writer.drain()

    async with upstream(handler) as server, aiohttp.ClientSession() as http:
        service = start_service({"acme": server.url}, rate_limit_per_minute=0)
        outcomes: dict[str, tuple[int, str | None]] = {}
        for name, answer in MALFORMED.items():
            for _good in range(2):  # the control; and so many failures would else open the breaker
                assert 201 == (await create(http, service.url, "acme")).status
            current[:] = [answer]
            outcome = await create(http, service.url, "acme")
            outcomes[name] = outcome.status, outcome.slug
            assert MARK.encode() not in outcome.body
            current.clear()

    forwarded = {name: outcome for name, outcome in outcomes.items() if outcome[0] != 502}
    slugs = {slug for _status, slug in outcomes.values()}
    assert len(outcomes) >= 30
    assert {} == forwarded
    assert {"upstream-invalid", "upstream-mismatch"} >= slugs
    assert MARK not in service.running.said
    assert [] == service.running.named("request.failed")
