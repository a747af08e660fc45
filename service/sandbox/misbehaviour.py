"""How each kind of fault is carried out on the wire."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPMethod, HTTPStatus

import msgspec

from service.sandbox.documents import encoded, is_document
from service.sandbox.exchange import Exchange
from service.sandbox.faults import Fault
from service.sandbox.provider import Answer, ProviderSandbox
from service.sandbox.refusal import FieldError, RefusalError
from service.sandbox.world import World

CHUNK = b"A" * 65_536
MEBIBYTE = 1024 * 1024
TRICKLED_PIECES = 20
GOOD_STATUSES = (HTTPStatus.OK, HTTPStatus.CREATED)
REFUSALS: Mapping[str, HTTPStatus] = {
    "bad_request": HTTPStatus.BAD_REQUEST,
    "unauthorized": HTTPStatus.UNAUTHORIZED,
    "forbidden": HTTPStatus.FORBIDDEN,
    "throttled_404": HTTPStatus.NOT_FOUND,
    "too_many": HTTPStatus.TOO_MANY_REQUESTS,
    "error_500": HTTPStatus.INTERNAL_SERVER_ERROR,
    "unavailable_503": HTTPStatus.SERVICE_UNAVAILABLE,
}
BAD_REQUEST_ERROR = FieldError(
    error_code="INVALID_EMAIL_FORMAT",
    field="customer.billToContact.email",
    message="Invalid email format",
    rejected_value="ada_at_example",
)


async def misbehave(exchange: Exchange, fault: Fault, provider: ProviderSandbox, world: World) -> None:
    if fault.processed:
        await exchange.answer()
    if fault.kind in REFUSALS:
        await exchange.give(refusal(fault, provider, world))
    elif fault.kind not in MISBEHAVIOURS:
        message = f"{provider.name} has no such fault: {fault.kind}"
        await exchange.give(provider.refused(world, RefusalError(HTTPStatus.NOT_IMPLEMENTED, message)))
    else:
        await MISBEHAVIOURS[fault.kind](exchange, fault)


async def lie(exchange: Exchange, fault: Fault, provider: ProviderSandbox) -> None:
    answer = await exchange.answer()
    document: object = msgspec.json.decode(answer.body) if answer.body else None
    if answer.status in GOOD_STATUSES and is_document(document):
        provider.lies[fault.kind](document, fault)
        answer = Answer(answer.status, encoded(document))
    await exchange.give(answer)


def refusal(fault: Fault, provider: ProviderSandbox, world: World) -> Answer:
    status = REFUSALS[fault.kind]
    errors = (BAD_REQUEST_ERROR,) if status is HTTPStatus.BAD_REQUEST else ()
    message = errors[0].message if errors else status.phrase
    answer = provider.refused(world, RefusalError(status, message, errors=errors, shape=fault.shape))
    return with_retry_after(answer, fault)


def with_retry_after(answer: Answer, fault: Fault) -> Answer:
    if fault.retry_after is None:
        return answer
    return Answer(answer.status, answer.body, {**answer.headers, "retry-after": str(fault.retry_after)})


def good_status(exchange: Exchange) -> HTTPStatus:
    return HTTPStatus.CREATED if exchange.scope["method"] == HTTPMethod.POST else HTTPStatus.OK


async def slow(exchange: Exchange, fault: Fault) -> None:
    answer = await exchange.answer()
    if not await exchange.client_left_within(fault.seconds):
        await exchange.give(answer)


async def trickle(exchange: Exchange, fault: Fault) -> None:
    answer = await exchange.answer()
    await exchange.start(answer.status, {**answer.headers, "content-length": str(len(answer.body))})
    size = len(answer.body) // TRICKLED_PIECES + 1
    for start in range(0, len(answer.body), size):
        if await exchange.client_left_within(fault.seconds / TRICKLED_PIECES):
            return
        await exchange.send_body(answer.body[start : start + size], more=True)
    await exchange.send_body(b"", more=False)


async def silent(exchange: Exchange, _: Fault) -> None:
    await exchange.client_left()


async def reset(exchange: Exchange, _: Fault) -> None:
    await exchange.reset_connection()


async def truncated(exchange: Exchange, _: Fault) -> None:
    answer = await exchange.answer()
    await exchange.start(answer.status, {**answer.headers, "content-length": str(len(answer.body))})
    await exchange.send_body(answer.body[: len(answer.body) // 2], more=True)
    await exchange.hang_up()


async def cut_json(exchange: Exchange, _: Fault) -> None:
    answer = await exchange.answer()
    await exchange.give(Answer(answer.status, answer.body[: len(answer.body) // 2]))


async def html(exchange: Exchange, _: Fault) -> None:
    page = b"<!doctype html><title>Down</title><h1>We will be back soon</h1>"
    await exchange.give(Answer(good_status(exchange), page, {"content-type": "text/html; charset=utf-8"}))


async def empty(exchange: Exchange, _: Fault) -> None:
    await exchange.give(Answer(good_status(exchange), b""))


async def redirect(exchange: Exchange, fault: Fault) -> None:
    await exchange.give(Answer(HTTPStatus.FOUND, b"", {"location": fault.location}))


async def too_large(exchange: Exchange, fault: Fault) -> None:
    """Streamed without a Content-Length, and valid JSON to its end."""
    leaving = asyncio.ensure_future(exchange.client_left())
    await exchange.start(good_status(exchange), {"content-type": "application/json"})
    await exchange.send_body(b'{"id":"', more=True)
    for _ in range(fault.mebibytes * MEBIBYTE // len(CHUNK)):
        if leaving.done():
            break
        await exchange.send_body(CHUNK, more=True)
        await asyncio.sleep(0)  # sending to a connection that is gone never waits, so nothing else would ever run
    await exchange.send_body(b'"}', more=False)
    leaving.cancel()


MISBEHAVIOURS: Mapping[str, Callable[[Exchange, Fault], Awaitable[None]]] = {
    "slow": slow,
    "trickle": trickle,
    "silent": silent,
    "reset": reset,
    "truncated": truncated,
    "cut_json": cut_json,
    "html": html,
    "empty": empty,
    "redirect": redirect,
    "too_large": too_large,
}
KINDS = frozenset(REFUSALS) | frozenset(MISBEHAVIOURS)
