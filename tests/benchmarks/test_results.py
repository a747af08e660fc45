"""The document that a whole run leaves."""

import re

import msgspec

from tests.benchmarks.costs import LOOP, Costs
from tests.benchmarks.growth import Grown
from tests.benchmarks.load import Figures
from tests.benchmarks.ratios import ratios
from tests.benchmarks.results import Found
from tests.benchmarks.stacks import FASTAPI, FASTIFY, OURS

STACKS = (OURS, FASTIFY, FASTAPI)


def figures(per_second: float) -> Figures:
    """One round."""
    return Figures(
        per_second=per_second, cpu_us=100.0, p50_ms=1.0, p99_ms=10.0, memory_mib=180.0, requests=1, errors=2, not_kept=1
    )


def grown(stack: str, size: int, per_second: float = 10.0) -> Grown:
    """One round of growth."""
    return Grown(
        stack=stack, size=size, start_seconds=0.75, start_cpu_seconds=0.5, idle_mib=80.0, figures=figures(per_second)
    )


FOUND = Found(
    machine="2026-01-01 10:00 UTC; a processor, 2 cores",
    rounds=3,
    seconds=3.0,
    paths={("new", stack): [figures(1_000.0), figures(3_000.0), figures(2_000.0)] for stack in STACKS},
    workers=[grown(stack, size) for size in (1, 2) for stack in STACKS],
    flights=[grown(OURS, 2_000, 60.0), grown(FASTIFY, 2_000, 50.0), grown(OURS, 5_000)],
    records=[grown(OURS, 1_000_000)],
    costs=[Costs(path="new", parts={"store": 20.0, LOOP: 80.0})],
)


def test_rows_show_medians_with_their_spread() -> None:
    """And errors as a sum, so that none is hidden."""
    assert "| new | this service, as shipped | 2,000 (1,000-3,000) | 100 (100-100) |" in FOUND.document()
    assert "| 6 | 3 | 180 (180-180) |" in FOUND.document()


def test_memory_of_many_in_flight_is_above_that_of_an_idle_process() -> None:
    """100 MiB more with 5,000 in flight are 20 for each 1,000."""
    assert 20.0 == FOUND.flights[2].mib_per_thousand
    assert re.search(r"\| 5,000 \| this service, as shipped \|.*\| 20 \(20-20\) \|", FOUND.document())


def test_a_run_without_an_answer_says_so() -> None:
    """Waits of 0 ms would look like the best of all."""
    nothing = Figures(per_second=0, cpu_us=9e6, p50_ms=0, p99_ms=0, memory_mib=180.0, requests=0, errors=0, not_kept=0)
    silent = msgspec.structs.replace(FOUND, paths={("new", OURS): [nothing], ("new", FASTIFY): [figures(1.0)]})

    assert "| 0 (0-0) | no answer | no answer | no answer | 0 | 0 |" in silent.document()
    assert "| new / Fastify | 0.00 | - | - |" in silent.document()


def test_tables_are_whole() -> None:
    """Every row of a table has as many cells as its head."""
    tables = re.findall(r"(?:^\|.*\n)+", FOUND.document(), re.MULTILINE)

    assert 6 == len(tables)
    assert [1] * 6 == [len({row.count("|") for row in table.splitlines()}) for table in tables]


def test_the_slow_provider_has_a_ratio_too() -> None:
    """2,000 in flight are compared beside the paths."""
    assert 1.2 == FOUND.ratios()["new, 2,000 in flight / Fastify"].rate
    assert ratios(FOUND.paths).items() <= FOUND.ratios().items()


def test_the_configuration_is_printed_with_the_tables() -> None:
    """A figure without its limits says nothing."""
    assert "max_concurrency = 10000" in FOUND.document()
