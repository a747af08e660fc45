"""The tables, in Markdown: medians, with the smallest and the largest in brackets."""

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tests.benchmarks.costs import Costs
from tests.benchmarks.growth import Grown
from tests.benchmarks.load import Figures
from tests.benchmarks.ratios import Ratio, Rounds
from tests.benchmarks.stacks import TITLES

_FIGURES = ("requests/s", "CPU µs", "p50 ms", "p99 ms", "errors", "not kept")


def paths_table(rounds: Rounds) -> str:
    """One row a path and stack."""
    rows = (
        (path, TITLES[stack], *_cells(measured), _span([one.memory_mib for one in measured]))
        for (path, stack), measured in rounds.items()
    )
    return _table(("path", "stack", *_FIGURES, "memory MiB"), rows)


def ratios_table(ratios: Mapping[str, Ratio]) -> str:
    """This service beside its peers."""
    head = ("path / peer", "requests/s, ours by theirs", "CPU, theirs by ours", "p99, ours by theirs")
    return _table(head, ((name, *map(_two_digits, (one.rate, one.cpu, one.p99))) for name, one in ratios.items()))


def workers_table(rounds: Mapping[tuple[int, str], Sequence[Grown]]) -> str:
    """One row a number of workers and stack."""
    rows = (
        (
            str(workers),
            TITLES[stack],
            *_cells([one.figures for one in measured]),
            _span([one.idle_mib for one in measured]),
            _span([one.start_seconds for one in measured], digits=2),
            _span([one.start_cpu_seconds for one in measured], digits=2),
        )
        for (workers, stack), measured in rounds.items()
    )
    return _table(("workers", "stack", *_FIGURES, "idle MiB", "s to first answer", "CPU s of it"), rows)


def flights_table(rounds: Mapping[tuple[int, str], Sequence[Grown]]) -> str:
    """One row a number of requests in flight and stack."""
    rows = (
        (
            f"{size:,}",
            TITLES[stack],
            *_cells([one.figures for one in measured]),
            _span([one.mib_per_thousand for one in measured]),
        )
        for (size, stack), measured in rounds.items()
    )
    return _table(("in flight", "stack", *_FIGURES, "MiB per 1,000"), rows)


def records_table(rounds: Mapping[tuple[int, str], Sequence[Grown]]) -> str:
    """One row a number of records."""
    rows = ((f"{size:,}", *_cells([one.figures for one in grown])) for (size, _), grown in rounds.items())
    return _table(("records", *_FIGURES), rows)


def costs_table(costs: Sequence[Costs]) -> str:
    """One row a part, one column a path."""
    rows = [(part, *(f"{one.parts[part]:,.0f}" for one in costs)) for part in costs[0].parts]
    return _table(("part", *(one.path for one in costs)), [*rows, ("all", *(f"{one.whole:,.0f}" for one in costs))])


def _two_digits(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _cells(rounds: Sequence[Figures]) -> tuple[str, ...]:
    answered = [one for one in rounds if one.requests]
    return (
        _span([one.per_second for one in rounds]),
        _span([one.cpu_us for one in answered]),
        _span([one.p50_ms for one in answered], digits=1),
        _span([one.p99_ms for one in answered], digits=1),
        f"{sum(one.errors for one in rounds):,}",
        f"{sum(one.not_kept for one in rounds):,}",
    )


def _span(values: Sequence[float], *, digits: int = 0) -> str:
    if not values:
        return "no answer"
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f}-{max(values):,.{digits}f})"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(_lines(head, rows)) + "\n"


def _lines(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _line(head)
    yield _line(["---"] * len(head))
    yield from map(_line, rows)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
