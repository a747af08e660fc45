"""What every provider keeps to, driven by its recorded exchanges: a new one is tested as soon as its fixtures exist."""

import json
import time
from typing import Any

import httpx
import msgspec
import pytest
from msgspec.structs import replace

from service.checkout.acceptance import accept
from service.checkout.errors import (
    CheckoutError,
    ProviderError,
    RequestRefusedError,
    UpstreamInvalidError,
    UpstreamMismatchError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from service.checkout.models import Order, ProviderSession
from service.checkout.ports import Provider, UpstreamRequest
from service.providers.base import VERIFY_SECONDS
from service.providers.http import MAX_ANSWER_BYTES
from service.providers.registry import discover
from tests.checkout.test_session import session_in
from tests.support.documents import changed, messages_of, paths_of, value_at
from tests.support.exchanges import (
    Becomes,
    Exchange,
    exchanges,
    expectations_of,
    order_of,
    provider_at,
    provider_fixture,
    providers,
    verifier_at,
)
from tests.support.orders import NOW
from tests.support.samples import HANDLED_BY_THE_SERVICE, LEVELS, MEMBERS, spelled, with_member
from tests.support.servers import Sandbox
from tests.support.upstream import (
    TIMEOUTS,
    Handler,
    answering,
    resetting,
    response,
    silent,
    then_closing,
    upstream,
)

NOWHERE = "http://127.0.0.1:1"
EVERY = [(name, exchange) for name in providers() for exchange in exchanges(name)]
PROBLEMS = set(
    "upstream-rejected upstream-credentials upstream-misconfigured upstream-mismatch upstream-invalid"
    " upstream-unavailable upstream-throttled upstream-timeout".split()
)
for_each_provider = pytest.mark.parametrize("name", providers())
VERIFIED = [name for name in providers() if discover()[name].verify]
for_each_that_can_be_asked = pytest.mark.parametrize("name", VERIFIED)


def minimal(name: str) -> Exchange:
    return exchanges(name)["minimal"]


async def outcome(
    name: str, order: Order, handler: Handler, *, read_seconds: float = 2.0
) -> ProviderSession | CheckoutError:
    """What becomes of an order at an upstream that answers so, and is asked once."""
    async with upstream(handler) as server, provider_at(name, server.url, read_seconds=read_seconds) as provider:
        result = await outcome_of(name, order, provider)
    assert len(server.requests) == 1
    return result


async def outcome_of(name: str, order: Order, provider: Provider) -> ProviderSession | CheckoutError:
    """What becomes of an order with a provider."""
    try:
        session = await provider.create(order)
        accept(order, session, expectations_of(name), expires_after=NOW)
    except ProviderError as error:
        return error
    return session


def described(result: ProviderSession | CheckoutError) -> Becomes:
    if isinstance(result, CheckoutError):
        fields = [error.field for error in result.errors]
        return Becomes(problem=result.slug, fields=fields, retry_after=result.retry_after_seconds)
    return Becomes(session=msgspec.json.decode(msgspec.json.encode(result)))


@for_each_provider
def test_exchanges_show_every_outcome(name: str) -> None:
    """A provider has its set: the least and the fullest order, and one exchange at least for each problem."""
    found = exchanges(name)

    assert {"minimal", "full"} <= found.keys()
    assert PROBLEMS <= {one.becomes.problem for one in found.values()}
    assert all(one.claim.endswith(".") for one in found.values())


@pytest.mark.parametrize(("name", "exchange"), EVERY)
async def test_exchange(name: str, exchange: str) -> None:
    """Each recorded exchange holds: our order is sent so, and their answer becomes this."""
    recorded = exchanges(name)[exchange]
    order, calls = recorded.order_struct(), recorded.calls()
    handler = answering(*(call.answers.raw() for call in calls))
    async with upstream(handler) as server, provider_at(name, server.url, changes=recorded.checkout) as provider:
        try:
            provider.check(order)
            result: ProviderSession | CheckoutError = await provider.create(order)
            assert isinstance(result, ProviderSession)
            accept(order, result, expectations_of(name), expires_after=NOW)
        except ProviderError as error:
            result = error

    for call, request in zip(calls, server.requests, strict=True):
        assert f"{call.sends.method} {call.sends.path} HTTP/1.1" == request.line
        assert call.sends.body == (json.loads(request.body) if request.body else None)
        assert (call.sends.authorization or provider_fixture(name).authorization) == request.header("authorization")
        assert call.sends.headers == {header: request.header(header) for header in call.sends.headers}
    assert recorded.becomes == described(result)


@pytest.mark.parametrize(("name", "exchange"), EVERY)
async def test_no_text_of_the_provider_is_in_a_problem(name: str, exchange: str) -> None:
    """Whatever a provider says about a failure, our problem says in our own words."""
    recorded = exchanges(name)[exchange]
    if recorded.becomes.problem is None:
        return
    handler = answering(*(call.answers.raw() for call in recorded.calls()))
    async with upstream(handler) as server, provider_at(name, server.url, changes=recorded.checkout) as provider:
        result = await outcome_of(name, recorded.order_struct(), provider)

    assert isinstance(result, CheckoutError)
    ours = " ".join(
        (result.detail, *(error.detail for error in result.errors), *(error.field for error in result.errors))
    )
    assert not [text for text in messages_of(recorded.answers.body) if text in ours]


def broken_bodies(good: bytes) -> dict[str, bytes]:
    return {
        "empty": b"",
        "cut": good[: len(good) // 2],
        "html": b"<!doctype html><title>Down</title>",
        "null": b"null",
        "list": b"[" + good + b"]",
        "text": b'"OS1"',
        "number": b"17",
        "twice": good + good,
        "not-utf-8": b'{"id": "\xff\xfe"}',
        "deep": b"[" * 100_000,
        "nested": b'{"cart":' * 50_000,
        "too-large": good + b" " * MAX_ANSWER_BYTES,
        "byte-order-mark": b"\xef\xbb\xbf" + good,
    }


@for_each_provider
@pytest.mark.parametrize("kind", broken_bodies(b"{}"))
@pytest.mark.parametrize("status", ["as recorded", 200, 201, 202])
async def test_body_that_cannot_be_read_is_invalid(name: str, kind: str, status: str | int) -> None:
    """Broken JSON, pages, other JSON, odd bytes, too many bytes: no session, whatever success the status claims."""
    recorded = minimal(name)
    body = broken_bodies(recorded.answers.raw_body())[kind]
    answer = response(recorded.answers.status if isinstance(status, str) else status, body)

    assert UpstreamInvalidError is type(await outcome(name, recorded.order_struct(), answering(answer)))


WRONG: tuple[object, ...] = (
    17,
    -1,
    1.5,
    "x",
    "",
    True,
    None,
    [],
    {},
    [17],
    {"x": 17},
    "NaN",
    "1e999",
    10**30,
    "\ud800",
    "<script>",
    "a\r\nb: c",
)


@for_each_provider
async def test_no_member_of_an_answer_is_trusted(name: str) -> None:
    """Each member left out or of another type or value: an unreadable answer, a mismatch, or one without a say."""
    recorded = minimal(name)
    order, good = recorded.order_struct(), recorded.answers
    expected = expectations_of(name)
    async with upstream(answering(b"")) as server, provider_at(name, server.url) as provider:
        for path in paths_of(good.body):
            for change in ((), *((value,) for value in WRONG)):
                body = json.dumps(changed(good.body, path, *change)).encode()
                server.handler = answering(response(good.status, body))
                try:
                    session = await provider.create(order)
                    accept(order, session, expected, expires_after=NOW)
                except (UpstreamInvalidError, UpstreamMismatchError):
                    continue
                assert msgspec.to_builtins(session)["session_id"] in body.decode()
                assert session.tags in (None, order.order_tags)
    assert len(server.requests) == (1 + len(WRONG)) * len(list(paths_of(good.body)))


@for_each_provider
async def test_answer_without_an_id_is_invalid(name: str) -> None:
    """Without the id of the session there is no session."""
    recorded = minimal(name)
    assert recorded.becomes.session is not None
    wanted = recorded.becomes.session["session_id"]
    [path] = [path for path in paths_of(recorded.answers.body) if value_at(recorded.answers.body, path) == wanted]
    answer = response(recorded.answers.status, json.dumps(changed(recorded.answers.body, path)).encode())

    assert UpstreamInvalidError is type(await outcome(name, recorded.order_struct(), answering(answer)))


@for_each_provider
async def test_network_faults_are_asked_for_once(name: str) -> None:
    """Silence, a reset and a cut answer have problems of their own, and are never sent a second time."""
    recorded = minimal(name)
    order, whole = recorded.order_struct(), recorded.answers.raw()

    assert UpstreamTimeoutError is type(await outcome(name, order, silent, read_seconds=0.2))
    assert UpstreamUnavailableError is type(await outcome(name, order, resetting))
    assert UpstreamInvalidError is type(await outcome(name, order, then_closing(whole[:-20])))


@for_each_provider
async def test_redirect_is_not_followed(name: str) -> None:
    """A redirect is no session, and the address that it names is not called."""
    async with upstream(answering(minimal(name).answers.raw())) as elsewhere:
        redirect = response(307, b"", (f"Location: {elsewhere.url}/",))
        result = await outcome(name, minimal(name).order_struct(), answering(redirect))

    assert UpstreamInvalidError is type(result)
    assert 0 == elsewhere.connections


@for_each_provider
async def test_rendering_is_what_is_sent(name: str) -> None:
    """`render` shows exactly the request that `create` sends, twice the same, and without credentials."""
    recorded = exchanges(name)["full"]
    async with provider_at(name, NOWHERE, changes=recorded.checkout) as provider:
        rendered = provider.render(recorded.order_struct())

        assert rendered == provider.render(recorded.order_struct())
    assert recorded.sends.path == "/" + "/".join(rendered.segments)
    assert recorded.sends.body == json.loads(rendered.body)
    assert provider_fixture(name).authorization.encode() not in msgspec.msgpack.encode(rendered)


def test_samples_cover_every_member() -> None:
    """Each member of each struct of a request has a sample, so that none is forgotten by the tests below."""
    for struct, path, values in LEVELS:
        handled = HANDLED_BY_THE_SERVICE if path == "" else frozenset()
        assert set(struct.__struct_encode_fields__) - handled == values.keys(), path


async def rendering(name: str, order: dict[str, Any]) -> UpstreamRequest | list[str]:
    """The upstream request, or the fields that cannot be expressed."""
    async with provider_at(name, NOWHERE) as provider:
        try:
            provider.check(order_of(order))
            return provider.render(order_of(order))
        except RequestRefusedError as error:
            return [one.field for one in error.errors]


@for_each_provider
@pytest.mark.parametrize(("path", "member", "value"), MEMBERS, ids=[f"{path}.{member}" for path, member, _ in MEMBERS])
async def test_member_is_expressed_or_refused(name: str, path: str, member: str, value: object) -> None:
    """Every member of a request changes what is sent, or is refused by its name: none is dropped in silence."""
    order = minimal(name).order
    if member == "live":  # the other mode, whichever the least order is in
        value = not order.get("live", False)
    without = await rendering(name, with_member(order, path, None))
    with_it = await rendering(name, with_member(order, path, member, value))

    if isinstance(with_it, list):
        full = spelled(f"{path}.{member}" if path else member)
        assert any(full.startswith(field) or field.startswith(full) for field in with_it)
    else:
        assert isinstance(without, UpstreamRequest)
        assert without != with_it


@for_each_provider
def test_key_of_asking_is_there_where_the_provider_can_be_asked(name: str) -> None:
    """`verify_after_seconds` is refused exactly where nobody could be asked."""
    module = discover()[name]

    assert (module.verify is None) == ("verify_after_seconds" in module.no_use_for)


@for_each_that_can_be_asked
async def test_what_became_of_a_session(name: str, sandbox: Sandbox) -> None:
    """A session is open until somebody pays: then it is pending, and completed at last."""
    played = provider_fixture(name).sandbox
    assert played is not None
    async with (
        httpx.AsyncClient(base_url=sandbox.url, trust_env=False) as hand,
        provider_at(name, sandbox.url) as provider,
        verifier_at(name, sandbox.url) as verifier,
    ):
        await hand.put("/_sandbox/credentials", json=[played.credentials])
        made = await provider.create(exchanges(name)[played.exchange].order_struct())
        session = replace(session_in("open"), session_id=made.session_id)
        states = [await verifier.state(session)]
        for outcome in ("pending", "paid"):
            path = played.pay.format(session=made.session_id)
            (await hand.post(path, json={"outcome": outcome})).raise_for_status()
            states.append(await verifier.state(session))

    assert ["open", "pending", "completed"] == states


@for_each_that_can_be_asked
async def test_answer_that_cannot_be_read_is_no_state(name: str) -> None:
    """Broken JSON, pages, other JSON, odd bytes, too many bytes: whatever came, a session is not called open."""
    session = replace(session_in("open"), session_id="411486491630370999")
    async with upstream(answering(b"")) as server, verifier_at(name, server.url) as verifier:
        for body in broken_bodies(b"{}").values():
            server.handler = answering(response(200, body))
            with pytest.raises(UpstreamInvalidError):
                await verifier.state(session)


@for_each_that_can_be_asked
async def test_asking_fails_like_any_call(name: str) -> None:
    """Silence, a reset and a cut answer have problems of their own, and a redirect is not followed."""
    session = replace(session_in("open"), session_id="411486491630370999")
    for handler, kind in (
        (silent, UpstreamTimeoutError),
        (resetting, UpstreamUnavailableError),
        (then_closing(response(200)[:-1]), UpstreamInvalidError),
        (answering(response(307, b"", ("Location: http://127.0.0.1:1/",))), UpstreamInvalidError),
    ):
        async with upstream(handler) as server, verifier_at(name, server.url, read_seconds=0.2) as verifier:
            with pytest.raises(kind):
                await verifier.state(session)
        assert 1 == len(server.requests)


@for_each_that_can_be_asked
async def test_asking_leaves_time_for_a_create(name: str) -> None:
    """A provider that says nothing is given up after a time that is far below that of any other call."""
    session = replace(session_in("open"), session_id="411486491630370999")
    async with upstream(silent) as server, verifier_at(name, server.url) as verifier:
        started = time.monotonic()
        with pytest.raises(UpstreamTimeoutError):
            await verifier.state(session)
        took = time.monotonic() - started

    assert VERIFY_SECONDS <= took + 0.05
    assert took < TIMEOUTS.read
