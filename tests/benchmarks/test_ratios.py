"""How stacks are compared, and what the guard lets pass."""

import pytest

from tests.benchmarks.load import Figures
from tests.benchmarks.ratios import Ratio, losses, ratios
from tests.benchmarks.stacks import FASTAPI, FASTIFY, NGINX, OURS


def figures(per_second: float, *, cpu_us: float = 100.0, p99_ms: float = 10.0, requests: int = 1) -> Figures:
    """One round."""
    return Figures(
        per_second=per_second,
        cpu_us=cpu_us,
        p50_ms=1.0,
        p99_ms=p99_ms,
        memory_mib=80.0,
        requests=requests,
        errors=0,
        not_kept=0,
    )


def ratio(rate: float) -> Ratio:
    """One that differs in its rate alone."""
    return Ratio(rate=rate, cpu=1.0, p99=1.0)


def test_medians_are_compared() -> None:
    """One round that went wrong changes nothing, and each figure is read in its own direction."""
    rounds = {
        ("new", OURS): [figures(1.0), figures(900.0, cpu_us=50.0, p99_ms=5.0), figures(900.0, cpu_us=50.0, p99_ms=5.0)],
        ("new", FASTIFY): [figures(600.0), figures(600.0), figures(90_000.0)],
        ("new", FASTAPI): [figures(90.0, cpu_us=400.0, p99_ms=50.0)],
    }

    assert {
        "new / Fastify": Ratio(rate=1.5, cpu=2.0, p99=0.5),
        "new / FastAPI": Ratio(rate=10.0, cpu=8.0, p99=0.1),
    } == ratios(rounds)


def test_only_what_both_were_measured_on_is_compared() -> None:
    """A path that a peer lacks has no ratio, and the floor is no peer."""
    rounds = {
        ("new", OURS): [figures(1.0)],
        ("new", NGINX): [figures(2.0)],
        ("re-used", FASTIFY): [figures(3.0)],
    }

    assert {} == ratios(rounds)


def test_who_answers_nothing_wins_nothing() -> None:
    """Of ours that is a rate of 0; a peer that answered nothing is no measure."""
    nothing = figures(0.0, cpu_us=0.0, p99_ms=0.0, requests=0)

    assert {"new / Fastify": Ratio(rate=0.0)} == ratios({("new", OURS): [nothing], ("new", FASTIFY): [figures(1.0)]})
    assert {} == ratios({("new", OURS): [figures(1.0)], ("new", FASTIFY): [nothing]})


@pytest.mark.parametrize(("now", "lost"), [(1.2, 0), (1.0, 0), (0.851, 0), (0.849, 1), (0.0, 1)])
def test_a_loss_of_more_than_fifteen_percent_is_named(now: float, lost: int) -> None:
    """Less than that is noise."""
    found = losses({"new / Fastify": ratio(now)}, {"new / Fastify": ratio(1.0)})

    assert lost == len(found)
    assert all("new / Fastify" in line for line in found)


def test_what_was_never_committed_is_not_lost() -> None:
    """A new path or peer passes until its ratio is written down; one that was not measured this time, too."""
    assert [] == losses({"new / Fastify": ratio(0.1)}, {"re-used / Fastify": ratio(1.0)})
