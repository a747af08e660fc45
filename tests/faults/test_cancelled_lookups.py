"""Look-ups in the store that are broken off at random moments: no answer ever reaches another one's question."""

import asyncio
import random
import sys
import time
from collections import Counter, deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from msgspec import Struct
from redis.asyncio import Redis
from redis.exceptions import RedisError

from service.store.commands import Commands
from service.store.connection import create_client
from service.store.settings import StoreSettings
from service.store.wire import Wire
from tests.faults.load import IN_FULL
from tests.support.proxy import proxy
from tests.support.stores import cluster_options, join_cluster, sentinel, store_server, until
from tests.support.toxics import Latency

LOOK_UPS = 100_000 if IN_FULL else 20_000
FEWER = 10_000 if IN_FULL else 500
AT_ONCE = 24
DELAY_MS = 5
CANCELLED_SHARE = 0.8
CANCELLED_WITHIN_SECONDS = 0.015
KEYS = [f"look-up:{number}" for number in range(1000)]

_DONE = (b"OK", True)  # as the server says it, and as redis-py's cluster client does
_DICE = random.Random()  # noqa: S311  # dice, not secrets
LookUp = Callable[[Commands], Awaitable[int]]  # how many answers there were, or 0 if any was another one's


class Ground(Struct, frozen=True):
    """Servers, and the URL by which they are found through the proxy."""

    url: str
    ports: list[int]


def value_of(key: str) -> bytes:
    """The only right answer for a key."""
    return f"the value of {key}".encode()


async def single(commands: Commands) -> int:
    """One command: mostly a GET, sometimes a SET of what is there already."""
    key = _DICE.choice(KEYS)
    if _DICE.random() < 0.1:
        return await commands.ask("SET", key, value_of(key)) in _DONE
    return value_of(key) == await commands.ask("GET", key)


async def several(commands: Commands) -> int:
    """Several commands in one moment."""
    keys = _DICE.sample(KEYS, 3)
    asked = [commands.ask("GET", key) for key in keys]
    *values, done = await asyncio.gather(*asked, commands.ask("SET", keys[0], value_of(keys[0])))
    return 4 if [value_of(key) for key in keys] == values and done in _DONE else 0


async def either(commands: Commands) -> int:
    """One command or several."""
    return await _DICE.choice((single, several))(commands)


@asynccontextmanager
async def alone(folder: Path) -> AsyncGenerator[Ground]:
    """One server."""
    with store_server(folder) as server:
        async with proxy(server.port) as p:
            p.add(Latency(latency_ms=DELAY_MS))
            yield Ground(f"redis://127.0.0.1:{p.port}", [server.port])


@asynccontextmanager
async def behind_sentinel(folder: Path) -> AsyncGenerator[Ground]:
    """A primary that a sentinel knows under the proxy's address."""
    with store_server(folder) as server:
        async with proxy(server.port) as p:
            p.add(Latency(latency_ms=DELAY_MS))
            with sentinel(folder, p.port) as port:
                yield Ground(f"redis+sentinel://127.0.0.1:{port}/main/0", [server.port])


@asynccontextmanager
async def cluster(folder: Path) -> AsyncGenerator[Ground]:
    """Three nodes that name the proxies as their addresses."""
    async with AsyncExitStack() as running:
        starting = [store_server(folder, "valkey", port=None, **cluster_options()) for _ in range(3)]
        ports = [running.enter_context(server).port for server in starting]
        proxies = [await running.enter_async_context(proxy(port)) for port in ports]
        for port, p in zip(ports, proxies, strict=True):
            async with Redis(port=port) as node:
                await node.config_set("cluster-announce-port", p.port)
        await join_cluster(ports)
        for p in proxies:
            p.add(Latency(latency_ms=DELAY_MS))
        yield Ground(f"redis+cluster://127.0.0.1:{proxies[0].port}", ports)


async def churn(commands: Commands, look_up: LookUp, count: int) -> Counter[str]:
    """Many look-ups at once, most of them broken off; returns how they ended."""
    ended: Counter[str] = Counter()
    loop = asyncio.get_running_loop()

    async def one_after_another() -> None:
        for _ in range(count // AT_ONCE):
            task = asyncio.ensure_future(look_up(commands))
            if _DICE.random() < CANCELLED_SHARE:
                loop.call_later(_DICE.uniform(0, CANCELLED_WITHIN_SECONDS), task.cancel)
            try:
                answers = await task
                ended["right" if answers else "wrong"] += 1
                ended["answers"] += answers
            except asyncio.CancelledError:
                ended["cut off"] += 1
            except RedisError as error:
                ended[type(error).__name__] += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(one_after_another())
    return ended


async def is_filled(commands: Commands) -> bool:
    """Give every key its value."""
    try:
        answers = await asyncio.gather(*(commands.ask("SET", key, value_of(key)) for key in KEYS))
    except RedisError:
        return False  # the server is not known yet
    return all(answers)


async def commands_carried_out(ports: list[int]) -> int:
    """GETs and SETs that the servers have seen."""
    count = 0
    for port in ports:
        async with Redis(port=port) as direct:
            seen = await direct.info("commandstats")
        count += sum(seen.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("get", "set"))
    return count


async def quickest(commands: Commands) -> float:
    """The shortest of some look-ups that nobody breaks off, in milliseconds."""
    times = []
    for _ in range(20):
        began = time.monotonic()
        assert await single(commands)
        times.append(time.monotonic() - began)
    return min(times) * 1000


@asynccontextmanager
async def commands_of(ground: Ground) -> AsyncGenerator[Commands]:
    """The service's own way to its store, once every key has its value."""
    commands = Commands(create_client(StoreSettings(url=ground.url)))
    try:
        await until(lambda: is_filled(commands))
        yield commands
    finally:
        await commands.close()


class Careless(Wire):
    """Forgets whoever has left, though the answer is still to come."""

    def data_received(self, data: bytes) -> None:
        """Gives the answer to whoever is next."""
        self._unanswered = deque(question for question in self._unanswered if not question.answer.done())
        super().data_received(data)


async def test_the_fault_is_in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under this load a connection that forgets whoever has left does give out wrong answers."""
    monkeypatch.setattr("service.store.connection.Wire", Careless)
    async with alone(tmp_path) as ground, commands_of(ground) as commands:
        ended = await churn(commands, single, FEWER)
    sys.stdout.write(f"{FEWER} look-ups over a careless connection: {dict(ended)}\n")

    assert ended["wrong"] > FEWER / 100


@pytest.mark.parametrize(
    ("servers", "look_up", "count"),
    [
        (alone, single, LOOK_UPS),
        (alone, several, FEWER),
        (behind_sentinel, either, FEWER),
        (cluster, either, FEWER),
    ],
)
async def test_no_answer_reaches_another_question(
    servers: Callable[[Path], AbstractAsyncContextManager[Ground]], look_up: LookUp, count: int, tmp_path: Path
) -> None:
    """Of all look-ups, most of them cut off, none gets another one's answer; afterwards everybody is answered."""
    async with servers(tmp_path) as ground, commands_of(ground) as commands:
        assert DELAY_MS <= await quickest(commands)  # so every way leads through a proxy that delays
        before = await commands_carried_out(ground.ports)
        ended = await churn(commands, look_up, count)
        carried_out = await commands_carried_out(ground.ports) - before
        afterwards = await asyncio.gather(*(look_up(commands) for _ in range(AT_ONCE)))
    unheard = carried_out - ended["answers"]
    sys.stdout.write(f"{count} x {look_up.__name__}, +{DELAY_MS} ms: {dict(ended)}, {unheard} answers to nobody\n")

    assert 0 == ended["wrong"]
    assert all(afterwards)
    assert count * 0.2 < ended["cut off"]
    assert count * 0.1 < ended["right"]
    assert count * 0.05 < unheard
