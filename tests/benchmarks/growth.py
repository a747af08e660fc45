"""The second part: what more workers, requests in flight and records do; start-up time and idle memory on the way."""

from collections.abc import Sequence

from msgspec import Struct

from tests.benchmarks.load import Figures, Load, run
from tests.benchmarks.machine import OTHER_CORE, SERVER_CORE
from tests.benchmarks.running import Running, running
from tests.benchmarks.stacks import FASTAPI, FASTIFY, OURS, Start
from tests.benchmarks.world import World
from tests.support.ports import free_port

COMPARED = 2_000
"""Requests in flight for which ratios are taken."""

_STACKS = (OURS, FASTIFY, FASTAPI)
_WORKERS = (1, 2)
_SIZES = (100, 1_000, COMPARED, 5_000)
_RECORDS = (1_000, 1_000_000)
_MOST = {FASTAPI: 1_000}  # it cannot bear more
_WARM_UP_SECONDS = 1.0
_FLIGHTS_WARM_UP_SECONDS = 3.0  # so many connections to the provider are opened before


class Grown(Struct, frozen=True, kw_only=True):
    """One run of a stack that was started for it; `size` is its workers, requests in flight, or records of others."""

    stack: str
    size: int
    start_seconds: float
    start_cpu_seconds: float
    idle_mib: float
    figures: Figures

    @property
    def mib_per_thousand(self) -> float:
        """What a thousand requests in flight add to the idle memory, at most."""
        return (self.figures.memory_mib - self.idle_mib) / self.size * 1_000


def measure_workers(world: World, *, rounds: int, seconds: float) -> list[Grown]:
    """New sessions at a fast provider, on both cores, which the load and the store use as well."""
    load = Load(body=world.body())
    measured: list[Grown] = []
    for _ in range(rounds):
        for workers in _WORKERS:
            for name in _STACKS:
                start = Start(world=world, port=free_port(), workers=workers)
                with running(name, start, SERVER_CORE, OTHER_CORE) as stack:
                    run(stack, load, _WARM_UP_SECONDS)
                    measured.append(_grown(stack, workers, run(stack, load, seconds)))
    return measured


def measure_flights(world: World, *, rounds: int, seconds: float) -> list[Grown]:
    """New sessions at a provider that takes 200 ms, one worker on a core of its own; once, but for what is compared."""
    measured: list[Grown] = []
    for size in _SIZES:
        load = Load(body=world.body(), connections=size)
        lasts = max(seconds, 5 + size / 1_000)  # so that everybody is answered, also by who is slow
        for _ in range(rounds if size == COMPARED else 1):
            for name in (name for name in _STACKS if size <= _MOST.get(name, size)):
                with running(name, Start(world=world, port=free_port(), slow=True), SERVER_CORE) as stack:
                    run(stack, load, _FLIGHTS_WARM_UP_SECONDS)
                    measured.append(_grown(stack, size, run(stack, load, lasts)))
    return measured


def measure_records(world: World, *, rounds: int, seconds: float) -> list[Grown]:
    """New sessions of this service at a fast provider, beside so many records in the store."""
    measured: list[Grown] = []
    with running(OURS, Start(world=world, port=free_port()), SERVER_CORE) as stack:
        run(stack, Load(body=world.body()), _WARM_UP_SECONDS)
        for _ in range(rounds):
            for records in _RECORDS:
                figures = run(stack, Load(body=world.body(), records=records), seconds)
                measured.append(_grown(stack, records, figures))
    world.empty_store()
    return measured


def together(measured: Sequence[Grown]) -> dict[tuple[int, str], list[Grown]]:
    """The rounds of each size and stack."""
    found: dict[tuple[int, str], list[Grown]] = {}
    for one in measured:
        found.setdefault((one.size, one.stack), []).append(one)
    return found


def _grown(stack: Running, size: int, figures: Figures) -> Grown:
    return Grown(
        stack=stack.name,
        size=size,
        start_seconds=stack.start_seconds,
        start_cpu_seconds=stack.start_cpu_seconds,
        idle_mib=stack.idle_mib,
        figures=figures,
    )
