"""How this service stands beside its peers, from medians; and the guard over what was committed."""

import statistics
from collections.abc import Mapping, Sequence

from msgspec import Struct

from tests.benchmarks.load import Figures
from tests.benchmarks.stacks import FASTAPI, FASTIFY, OURS

LARGEST_LOSS = 0.15

Rounds = Mapping[tuple[str, str], Sequence[Figures]]
"""By path and stack."""


class Ratio(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`rate` and `p99` are ours by theirs, `cpu` is theirs by ours: above 1 is good but for `p99`.

    Where we answered nothing, there is a rate of 0 and nothing else.
    """

    rate: float
    cpu: float | None = None
    p99: float | None = None


def ratios(rounds: Rounds) -> dict[str, Ratio]:
    """By `path / peer`, for each path that both were measured on, and on which the peer answered."""
    return {
        f"{path} / {peer}": _ratio(ours, theirs)
        for (path, stack), ours in rounds.items()
        if stack == OURS
        for peer in (FASTIFY, FASTAPI)
        if (theirs := rounds.get((path, peer))) and _median(theirs, "requests")
    }


def _ratio(ours: Sequence[Figures], theirs: Sequence[Figures]) -> Ratio:
    if not _median(ours, "requests"):
        return Ratio(rate=0.0)
    return Ratio(
        rate=round(_median(ours, "per_second") / _median(theirs, "per_second"), 3),
        cpu=round(_median(theirs, "cpu_us") / _median(ours, "cpu_us"), 3),
        p99=round(_median(ours, "p99_ms") / _median(theirs, "p99_ms"), 3),
    )


def losses(now: Mapping[str, Ratio], committed: Mapping[str, Ratio]) -> list[str]:
    """Where the rate fell by more than the guard allows, in words; p99 moves more than that by neighbours alone."""
    return [
        f"{name}: {ratio.rate:.2f} times theirs, {committed[name].rate:.2f} in results.json"
        for name, ratio in now.items()
        if name in committed and ratio.rate < committed[name].rate * (1 - LARGEST_LOSS)
    ]


def _median(rounds: Sequence[Figures], name: str) -> float:
    return float(statistics.median(getattr(one, name) for one in rounds))
