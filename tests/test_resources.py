"""What stays open over a reload, and what is closed after it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace

from service import resources
from service.challenge import ChallengeSettings
from service.config.secret import Secret
from service.providers.base import UpstreamSettings
from service.resources import Resources, Seams
from service.settings import Settings
from service.store.embedded import EmbeddedStore
from tests.support.config import default_toml, settings_of


class Transport(httpx.AsyncBaseTransport):
    """Knows whether it is open."""

    is_open = True

    async def aclose(self) -> None:
        self.is_open = False


@pytest.fixture
def made() -> list[Transport]:
    return []


@pytest.fixture
async def opened(
    made: list[Transport], store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Resources]:
    monkeypatch.setattr(resources, "_BODY_AND_STORE_SECONDS", -6.5)  # that of the call before it is over at once

    def create(_: int) -> Transport:
        made.append(Transport())
        return made[-1]

    async with Resources(store.directory, Seams(create_transport=create)) as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_of(default_toml("http://127.0.0.1:1"), tmp_path)


def changed(settings: Settings, **members: object) -> dict[str, UpstreamSettings]:
    """The upstreams, one of them with other members."""
    return {"acme": replace(settings.upstreams["acme"], **members)}


async def test_equal_settings_keep_their_client(opened: Resources, settings: Settings, made: list[Transport]) -> None:
    """An upstream whose settings stay the same keeps its connections and what it learned of the account."""
    first = opened.client("acme", settings)
    opened.close_unused(settings)

    assert first is opened.client("acme", replace(settings, upstreams=changed(settings)))
    assert [True] == [transport.is_open for transport in made]


async def test_changed_settings_get_a_new_client(opened: Resources, settings: Settings, made: list[Transport]) -> None:
    """Another password or timeout makes a new client; the one before is closed once no call can still be using it."""
    before = opened.client("acme", settings)
    newer = replace(settings, upstreams=changed(settings, read_timeout=1.0))
    after = opened.client("acme", newer)
    opened.close_unused(newer)

    assert before is not after
    assert [True, True] == [transport.is_open for transport in made]
    async with asyncio.timeout(10):
        while made[0].is_open:  # noqa: ASYNC110  # closing has no event
            await asyncio.sleep(0)
    assert made[1].is_open


async def test_changed_store_gets_a_new_client(opened: Resources, settings: Settings, made: list[Transport]) -> None:
    """The rate budget is in the store, so a client of another store is another one, and nothing uses the closed one."""
    before = opened.client("acme", settings)
    newer = replace(settings, store=replace(settings.store, key_prefix="other"))
    after = opened.client("acme", newer)
    opened.close_unused(newer)

    assert before is not after
    async with asyncio.timeout(10):
        while made[0].is_open:  # noqa: ASYNC110  # closing has no event
            await asyncio.sleep(0)
    assert made[1].is_open


async def test_no_limit_needs_no_store(settings: Settings) -> None:
    """An upstream without a rate limit opens no store for it."""
    unlimited = replace(settings, upstreams=changed(settings, rate_limit_per_minute=0))
    async with Resources(None, Seams(create_transport=lambda _: Transport())) as running:
        with pytest.raises(ValueError, match="required"):  # the control: this store cannot even be opened
            running.client("acme", settings)
        running.client("acme", unlimited)


async def test_everything_is_closed_at_the_end(settings: Settings, made: list[Transport], store: EmbeddedStore) -> None:
    """What is open when the service stops is closed."""

    def create(_: int) -> Transport:
        made.append(Transport())
        return made[-1]

    async with Resources(store.directory, Seams(create_transport=create)) as running:
        running.client("acme", settings)

    assert [False] == [transport.is_open for transport in made]


async def test_what_was_learned_outlives_the_settings(opened: Resources, settings: Settings) -> None:
    """A new password, limit or store key is no reason to forget what the account answered, nor that it is down."""
    before = opened.client("acme", settings)
    before.keep(("customers",), lambda: ["ada"])
    newer = replace(
        settings, upstreams=changed(settings, max_concurrency=1), store=replace(settings.store, ledger_days=1)
    )
    after = opened.client("acme", newer)

    assert before is not after
    assert ["ada"] == after.keep(("customers",), list)


async def test_another_account_knows_nothing(opened: Resources, settings: Settings) -> None:
    """Another address under the same name is another account; one that is gone is forgotten."""
    opened.client("acme", settings).keep(("customers",), lambda: ["ada"])
    elsewhere = replace(settings, upstreams=changed(settings, base_url="http://127.0.0.1:2"))
    empty: list[str] = opened.client("acme", elsewhere).keep(("customers",), list)
    opened.close_unused(elsewhere)
    again: list[str] = opened.client("acme", settings).keep(("customers",), list)

    assert [[], []] == [empty, again]


async def test_challenge_is_kept_until_it_changes(opened: Resources, settings: Settings, made: list[Transport]) -> None:
    """The same settings keep their connections; others get new ones, and none is had where none is configured."""
    assert None is opened.challenge(settings)
    challenge = ChallengeSettings(provider="turnstile", site_key="k", secret=Secret("s"))
    asking = replace(settings, challenge=challenge)
    first = opened.challenge(asking)
    opened.close_unused(asking)
    assert first is opened.challenge(replace(asking, challenge=replace(challenge)))
    newer = replace(settings, challenge=replace(challenge, secret=Secret("t")))
    assert first is not opened.challenge(newer)
    opened.close_unused(newer)
    async with asyncio.timeout(10):
        while made[0].is_open:  # noqa: ASYNC110  # closing has no event
            await asyncio.sleep(0)

    assert [False, True] == [transport.is_open for transport in made]
