"""`Idempotency-Key` over HTTP, on several processes: every row of its table, for a browser and for a caller."""

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator

import httpx
import pytest
import pytest_asyncio

from tests.faults.config import config_of
from tests.faults.provider import Json, session_of
from tests.support.config import CALLER_KEY
from tests.support.services import Service, service
from tests.support.upstream import Received, json_response, until, upstream

pytestmark = pytest.mark.asyncio(loop_scope="module")
ORDER: dict[str, object] = {"items": [{"product": "pro-license"}], "country": "DE", "checkout": "acme"}
OTHER = ORDER | {"items": [{"product": "pro-license", "quantity": 2}]}
FRESH = ORDER | {"fresh": True}
FORBIDDEN = ORDER | {"items": [{"product": "toy"}]}
AT_ONCE = 40
Seen = tuple[int, str | None, str]  # status, `Idempotent-Replayed`, and the session or what is wrong


class Provider:
    """Makes sessions, says what became of them, and waits or fails when a test says so."""

    def __init__(self) -> None:
        self.made: dict[str, Json] = {}
        self.calls = 0
        self.fails = False
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def __call__(self, request: Received, writer: asyncio.StreamWriter) -> None:
        if request.line.startswith("GET"):
            writer.write(json_response(200, self.made[request.line.split()[1].rpartition("/")[2]]))
        else:
            self.calls += 1
            await self.may_answer.wait()
            writer.write(json_response(500, {}) if self.fails else self.create(request))
        await writer.drain()

    def create(self, request: Received) -> bytes:
        session_id = f"OS{len(self.made) + 1}"
        self.made[session_id] = session_of(request) | {"id": session_id}
        return json_response(201, self.made[session_id])


class Asker:
    """A browser or a caller with a key of its own; each request has a new connection, so any process may answer."""

    def __init__(self, running: Service, provider: Provider, kind: str) -> None:
        self.provider = provider
        self.key = secrets.token_hex(8)
        self._calls_before = provider.calls
        is_caller = kind == "caller"
        self._url = running.url + ("/internal/checkout" if is_caller else "/checkout")
        self._who = {"Authorization": f"Bearer {CALLER_KEY}"} if is_caller else {"Buyer-Key": secrets.token_urlsafe(24)}

    @property
    def calls(self) -> int:
        """How often the provider was asked for a session since this asker came."""
        return self.provider.calls - self._calls_before

    async def answer(self, order: dict[str, object] = ORDER, key: str | None = None) -> httpx.Response:
        headers = self._who | {"Idempotency-Key": self.key if key is None else key}
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
            return await http.post(self._url, json=order, headers=sent)

    async def ask(self, order: dict[str, object] = ORDER, key: str | None = None) -> Seen:
        return seen(await self.answer(order, key))


def seen(answer: httpx.Response) -> Seen:
    document = json.loads(answer.content)
    told = document["sessionId"] if answer.is_success else document["type"].rpartition("/")[2]
    return answer.status_code, answer.headers.get("Idempotent-Replayed"), told


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[tuple[Service, Provider]]:
    """A service of four processes, whose provider is asked whenever a session is there already."""
    provider, folder = Provider(), tmp_path_factory.mktemp("idempotency")
    async with upstream(provider) as server:
        config, more = folder / "checkout.toml", 'live = false\nverify_after_seconds = 0\nproducts = ["pro-*"]'
        config.write_text(config_of({"acme": server.url}, rate_limit_per_minute=0).replace("live = false", more))
        with service(config, folder, workers=4) as started:
            yield started, provider


@pytest.fixture(params=["browser", "caller"])
def asker(running: tuple[Service, Provider], request: pytest.FixtureRequest) -> Asker:
    return Asker(*running, request.param)


async def test_repeat_is_the_first_answer(asker: Asker) -> None:
    """First 201; then 200 with the same body, said to be a replay; quoted and bare are one key."""
    first = await asker.answer()
    repeats = [await asker.answer(key=key) for key in [asker.key, f'"{asker.key}"'] * 5]

    assert (201, None) == seen(first)[:2]
    assert {(200, "true")} == {seen(one)[:2] for one in repeats}
    assert {first.content} == {one.content for one in repeats}
    assert 1 == asker.calls


async def test_repeats_at_once_wait_for_the_first(asker: Asker) -> None:
    """While the first one runs its repeats wait, on every process: one call, one first answer, all others replays."""
    asker.provider.may_answer.clear()
    asking = [asyncio.create_task(asker.answer()) for _ in range(AT_ONCE)]
    await until(lambda: asker.calls == 1)
    mismatch = await asker.ask(OTHER)
    asker.provider.may_answer.set()
    answers = await asyncio.gather(*asking)

    assert (422, None, "idempotency-mismatch") == mismatch  # at once, not after the wait
    assert [(200, "true")] * (AT_ONCE - 1) + [(201, None)] == sorted(seen(one)[:2] for one in answers)
    assert 1 == len({one.content for one in answers})
    assert 1 == asker.calls


async def test_other_request_is_refused(asker: Asker) -> None:
    """The key of another request is 422; the stored answer is not shown, and stays."""
    _, _, session_id = await asker.ask()
    refused = await asker.answer(OTHER)

    assert (422, None, "idempotency-mismatch") == seen(refused)
    assert session_id.encode() not in refused.content
    assert (200, "true", session_id) == await asker.ask()
    assert 1 == asker.calls


async def test_malformed_key_is_refused_before_anything(asker: Asker) -> None:
    """What is no key is 400 and leads to nothing; 255 characters are one."""
    for key in ("", "a" * 256, f'"{"a" * 256}"', '"', '"half', "a\tb", "é"):
        assert (400, None, "invalid-idempotency-key") == await asker.ask(key=key), key
    assert 0 == asker.calls

    longest = secrets.token_hex(128)[:255]
    assert [(201, None), (200, "true")] == [(await asker.ask(key=key))[:2] for key in (longest, f'"{longest}"')]


async def test_failure_is_not_kept(asker: Asker) -> None:
    """After a failure, the provider's or the request's own, the next try with the key runs again."""
    asker.provider.fails = True
    failed = await asker.ask()
    asker.provider.fails = False
    refused = await asker.ask(FORBIDDEN)

    assert (503, None, "upstream-unavailable") == failed
    assert (422, None, "product-not-allowed") == refused
    assert (201, None) == (await asker.ask())[:2]
    assert (200, "true") == (await asker.ask())[:2]


@pytest.mark.parametrize("status", ["COMPLETED", "EXPIRED"])
async def test_session_that_is_over(asker: Asker, status: str) -> None:
    """A first answer whose session was paid or has expired is never given again; another only where it is wished."""
    _, _, dead = await asker.ask()
    asker.provider.made[dead]["status"] = status

    assert [(409, None, "session-ended")] * 3 == [await asker.ask() for _ in range(3)]
    *answer, other = await asker.ask(FRESH)
    assert [201, None] == answer
    assert dead != other
    assert (200, "true", other) == await asker.ask()
    assert (200, "true", other) == await asker.ask(FRESH)
