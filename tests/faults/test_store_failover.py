"""A store of several servers of which one goes, under a steady load of creates. In full only: it takes a minute."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as StoreConnectionError

from tests.faults.load import IN_FULL, Answered, offer, p99
from tests.faults.outage import LIMITS, STORE_SECONDS, WORKERS, answer, said, show, slowest, usual_load
from tests.faults.recovery import is_reused, recovered
from tests.support.services import Service
from tests.support.stores import cluster_options, join_cluster, sentinel, store_server, until
from tests.support.upstream import upstream

pytestmark = pytest.mark.skipif(not IN_FULL, reason="takes a minute: `make chaos`")
StartService = Callable[..., Service]


@asynccontextmanager
async def trio(folder: Path) -> AsyncGenerator[tuple[dict[int, Redis], list[int]]]:
    """Two servers by their ports, the first one the primary, and the ports of the three sentinels that watch them."""
    async with AsyncExitStack() as running:
        servers = {}
        for _ in range(2):
            port = running.enter_context(store_server(folder)).port
            servers[port] = await running.enter_async_context(Redis(port=port, decode_responses=True))
        primary, replica = servers
        await servers[replica].replicaof("127.0.0.1", primary)
        watching = [running.enter_context(sentinel(folder, primary, quorum=2)) for _ in range(3)]
        async with Redis(port=watching[0], decode_responses=True) as asked:

            async def is_whole() -> bool:
                state: dict[str, object] = await asked.execute_command("SENTINEL", "MASTER", "main")  # type: ignore[no-untyped-call]  # untyped in redis-py
                return ("1", "2") == (str(state["num-slaves"]), str(state["num-other-sentinels"]))

            await until(is_whole)
        await asyncio.sleep(11)  # replicas are asked every ten seconds how they are
        yield servers, watching


async def test_failover(start_service: StartService, tmp_path: Path) -> None:
    """SENTINEL FAILOVER under load: no create fails, sessions are kept and re-used again within 10 s, on the new
    primary, and no connection to the former one is left.
    """
    async with trio(tmp_path) as (servers, watching), upstream(answer) as provider:
        hosts = ",".join(f"127.0.0.1:{port}" for port in watching)
        store = f"redis+sentinel://{hosts}/main/0"
        service = start_service({"acme": provider.url}, workers=WORKERS, store=store, **LIMITS)
        usual = await usual_load(service, 200)
        former, chosen = servers.values()
        assert 0 < await clients_of_the_service(former)
        load = asyncio.create_task(offer(service.url, "acme", per_second=200, seconds=25.0))
        await asyncio.sleep(2.0)
        async with Redis(port=watching[0]) as asked:
            await asked.sentinel_failover("main")
        longest = await longest_without_reuse(service, load)
        answers = await load

        async def has_moved() -> bool:
            return ["master", "slave"] == [(await server.role())[0] for server in (chosen, former)]

        await until(has_moved)
        left = await clients_of_the_service(former)
        assert 0 < await clients_of_the_service(chosen)

    show(
        f"{len(answers)} creates, p99 {p99(answers):.0f} ms (usual {p99(usual):.0f}), slowest {slowest(answers):.2f} s"
    )
    show(f"nothing was re-used for {longest:.1f} s at most")
    assert {(201, None)} == said(answers)
    assert longest <= 10.0
    assert 0 == left


async def longest_without_reuse(service: Service, load: asyncio.Future[list[Answered]]) -> float:
    """The longest time, while a load goes on, in which no session was kept and found again."""
    last, longest = time.monotonic(), 0.0
    while not load.done():
        worked = await is_reused(service)
        longest = max(longest, time.monotonic() - last)
        last = time.monotonic() if worked else last
        await asyncio.sleep(0.1)
    return longest


async def clients_of_the_service(server: Redis) -> int:
    """Connections of the service to a server: neither sentinels, nor replicas, nor ours."""
    ours = await server.client_id()
    clients = await server.client_list(_type="normal")
    return sum(one["id"] != str(ours) and not one["name"].startswith("sentinel-") for one in clients)


async def test_dead_node_of_a_cluster(start_service: StartService, tmp_path: Path) -> None:
    """kill -9 of one of three masters under load: no create fails."""
    async with AsyncExitStack() as running:
        nodes = [
            running.enter_context(store_server(tmp_path, "valkey", port=None, **cluster_options())) for _ in range(3)
        ]
        ports = [node.port for node in nodes]
        await join_cluster(ports)
        provider = await running.enter_async_context(upstream(answer))
        store = f"redis+cluster://127.0.0.1:{ports[0]},127.0.0.1:{ports[1]}"
        service = start_service({"acme": provider.url}, workers=WORKERS, store=store, **LIMITS)
        await recovered(service)  # a cluster takes it
        usual = await usual_load(service, 100)
        load = asyncio.create_task(offer(service.url, "acme", per_second=100, seconds=20.0))
        await asyncio.sleep(2.0)
        nodes[2].terminate()
        with pytest.raises(StoreConnectionError):
            await Redis(port=ports[2]).ping()
        answers = await load

    show(
        f"{len(answers)} creates, p99 {p99(answers):.0f} ms (usual {p99(usual):.0f}), slowest {slowest(answers):.2f} s"
    )
    assert {(201, None)} == said(answers)
    assert slowest(answers) <= slowest(usual) + STORE_SECONDS + 1.0
