"""Who asks Turnstile and hCaptcha, and what is made of their answers."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs

import pytest
from prometheus_client import REGISTRY

from service import challenge
from service.challenge import ChallengeSettings, ChallengeVerifier
from service.checkout.buyer import Buyer
from service.config.secret import Secret
from service.providers.transport import create_transport
from tests.support.loading import MINIMAL, faults, load
from tests.support.ports import free_port
from tests.support.threaded import answering_in_threads, lag_until_done
from tests.support.upstream import Received, Upstream, json_response, response, upstream

Provider = Literal["turnstile", "hcaptcha"]
ADA = Buyer(address="8.8.4.4", network="8.8.4.4")
GOOD = json_response(200, {"success": True, "hostname": "shop.example", "error-codes": []})


def settings_for(url: str, provider: Provider = "turnstile") -> ChallengeSettings:
    return ChallengeSettings(provider=provider, site_key="0x4AAA", secret=Secret("hush"), base_url=url)


@asynccontextmanager
async def verifier_at(url: str, provider: Provider = "turnstile") -> AsyncGenerator[ChallengeVerifier]:
    verifier = ChallengeVerifier(settings_for(url, provider), create_transport(8))
    yield verifier
    await verifier.close()


def answering(raw: bytes) -> Callable[[Received, asyncio.StreamWriter], Awaitable[None]]:
    async def handler(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)

    return handler


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("checkout_challenges_total", {"outcome": outcome}) or 0.0


@pytest.mark.parametrize(
    ("provider", "line", "further"),
    [
        ("turnstile", "POST /turnstile/v0/siteverify HTTP/1.1", {}),
        ("hcaptcha", "POST /siteverify HTTP/1.1", {"sitekey": ["0x4AAA"]}),
    ],
)
async def test_what_is_asked(provider: Provider, line: str, further: dict[str, list[str]]) -> None:
    """One form with secret, answer and the buyer's own address, where that is known; no header has a secret."""
    async with upstream(answering(GOOD)) as server, verifier_at(server.url, provider) as verifier:
        assert await verifier.is_solved("0.answer", ADA)
        assert await verifier.is_solved("0.answer", Buyer(network="10.0.0.1"))
        first, second = server.requests
        assert (provider, "0x4AAA") == (verifier.shown.provider, verifier.shown.site_key)

    known = {"secret": ["hush"], "response": ["0.answer"], **further}
    assert [line, line] == [first.line, second.line]
    assert [{**known, "remoteip": ["8.8.4.4"]}, known] == [parse_qs(one.body.decode()) for one in (first, second)]
    assert "application/x-www-form-urlencoded" == first.header("content-type")
    assert None is first.header("authorization")


@pytest.mark.parametrize(
    ("raw", "is_solved", "outcome"),
    [
        pytest.param(GOOD, True, "solved", id="good"),
        pytest.param(json_response(200, {"success": False, "error-codes": ["x"]}), False, "failed", id="bad"),
        pytest.param(json_response(400, {"success": False, "error-codes": ["x"]}), False, "failed", id="bad-400"),
        pytest.param(json_response(400, {"success": True}), False, "failed", id="good-400"),
        pytest.param(json_response(200, {"success": "true"}), False, "failed", id="text"),
        pytest.param(json_response(200, {}), False, "failed", id="empty"),
        pytest.param(response(200, b"<html>"), False, "failed", id="no-json"),
        pytest.param(response(403, b"<html>"), False, "failed", id="firewall"),
        pytest.param(response(429, b""), False, "failed", id="throttled"),
        pytest.param(response(302, b"", ("Location: http://127.0.0.1:1/",)), False, "failed", id="redirect"),
        pytest.param(response(500, b""), True, "unavailable", id="500"),
        pytest.param(response(200, b" " * 20_000), True, "unavailable", id="too-large"),
        pytest.param(b"", True, "unavailable", id="closed"),
        pytest.param(
            json_response(200, {"success": False, "error-codes": ["invalid-input-secret"]}),
            True,
            "unavailable",
            id="our-secret",
        ),
    ],
)
async def test_what_is_made_of_it(raw: bytes, is_solved: bool, outcome: str) -> None:  # noqa: FBT001  # a case
    """Nothing that an asker can bring about passes; what only the provider or we can be at fault for does."""

    async def handler(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        if not raw:
            writer.close()

    before = counted(outcome)
    async with upstream(handler) as server, verifier_at(server.url) as verifier:
        assert is_solved == await verifier.is_solved("0.answer", ADA)
        assert 1 == len(server.requests)

    assert 1 == counted(outcome) - before


@pytest.mark.parametrize("answer", [None, "", " ", "a b", "ä", "<script>", "x" * 4097, "a\n", "a&secret=b"])
async def test_no_answer(answer: str | None) -> None:
    """What cannot be an answer is not shown to the provider, and does not pass."""
    async with upstream(answering(GOOD)) as server, verifier_at(server.url) as verifier:
        assert not await verifier.is_solved(answer, ADA)
        assert [] == server.requests


async def test_provider_that_is_gone() -> None:
    """Nobody is held up: the first few pass after a try, and then all do, with or without an answer, for a while."""
    before = counted("unavailable")
    async with verifier_at(f"http://127.0.0.1:{free_port()}") as verifier:
        assert not await verifier.is_solved(None, ADA)  # nobody knows yet
        assert [True] * 5 == [await verifier.is_solved("0.answer", ADA) for _ in range(5)]
        assert await verifier.is_solved(None, ADA)

    assert 6 == counted("unavailable") - before


async def test_provider_that_is_silent() -> None:
    """A browser waits three seconds for it, and no longer."""

    async def silent(_: Received, writer: asyncio.StreamWriter) -> None:
        pass

    async with upstream(silent) as server, verifier_at(server.url) as verifier:
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert await verifier.is_solved("0.answer", ADA)
        assert 2.9 < loop.time() - began < 4.0


async def test_too_many_at_once_from_an_address() -> None:
    """Four questions of an address are under way at most; further ones do not pass, and others are not held up."""
    may_end = asyncio.Event()

    async def handler(_: Received, writer: asyncio.StreamWriter) -> None:
        await may_end.wait()
        writer.write(GOOD)

    async with upstream(handler) as server, verifier_at(server.url) as verifier:
        asking = [asyncio.create_task(verifier.is_solved(f"{number}", ADA)) for number in range(6)]
        await _until_asked(server, 4)
        other = asyncio.create_task(verifier.is_solved("other", Buyer(network="9.9.9.9")))
        await _until_asked(server, 5)
        may_end.set()

        assert [True] * 4 + [False] * 2 == [await one for one in asking]
        assert await other
        assert await verifier.is_solved("later", ADA)


async def test_asker_who_leaves() -> None:
    """A browser that goes while it waits says nothing of the provider, and frees its place."""

    async def silent(_: Received, writer: asyncio.StreamWriter) -> None:
        pass

    async with upstream(silent) as server, verifier_at(server.url) as verifier:
        for number in range(8):
            task = asyncio.create_task(verifier.is_solved("0.answer", ADA))
            await _until_asked(server, number + 1)
            task.cancel()
            await asyncio.wait({task})
        server.handler = answering(json_response(200, {"success": False}))

        assert not await verifier.is_solved(None, ADA)
        assert not await verifier.is_solved("0.answer", ADA)


async def _until_asked(server: Upstream, count: int) -> None:
    async with asyncio.timeout(10):
        while len(server.requests) < count:  # noqa: ASYNC110  # the server has no event
            await asyncio.sleep(0.005)


SECRET = 'secret = { env = "TURNSTILE_SECRET" }'


@pytest.mark.parametrize(
    ("addition", "key"),
    [
        (f'provider = "recaptcha"\nsite_key = "k"\n{SECRET}', "provider"),
        (f'provider = "hcaptcha"\nsite_key = ""\n{SECRET}', "site_key"),
        ('provider = "hcaptcha"\nsite_key = "k"', "secret"),
        (f'provider = "hcaptcha"\nsite_key = "k"\n{SECRET}\nbase_url = "https://captcha.example"', "base_url"),
        (f'provider = "hcaptcha"\nsite_key = "k"\n{SECRET}\nbase_url = "http://127.0.0.1.evil.example"', "base_url"),
        (f'provider = "hcaptcha"\nsite_key = "k"\n{SECRET}\nbase_url = "http://127.0.0.1@evil.example"', "base_url"),
        (f'provider = "hcaptcha"\nsite_key = "k"\n{SECRET}\nbase_url = "http://[::1"', "base_url"),
    ],
)
def test_faults(tmp_path: Path, addition: str, key: str) -> None:
    """One mistake is one fault; another address than the provider's own can only be one of this machine."""
    found = faults(tmp_path, f"{MINIMAL}\n[challenge]\n{addition}")

    assert [f"challenge.{key}"] == [one.split(":")[0] for one in found]


def test_providers_own_addresses(tmp_path: Path) -> None:
    """Without `base_url` the provider itself is asked, over https."""
    text = f'{MINIMAL}\n[challenge]\nprovider = "turnstile"\nsite_key = "k"\n{SECRET}'
    challenge = load(tmp_path, text).settings.challenge

    assert challenge
    assert None is challenge.base_url


async def test_own_lag_lets_nobody_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """However late we look, a bad answer stays one: who can make us slow opens no way past the challenge."""
    monkeypatch.setattr(challenge, "_SECONDS", 0.2)
    with answering_in_threads(b'{"success": false, "error-codes": ["x"]}') as url:
        async with verifier_at(url) as verifier:
            asked = asyncio.create_task(verifier.is_solved("0.answer", ADA))
            await lag_until_done(asked, 0.1)

    assert not await asked
