"""What a whole run found, as RESULTS.md and results.json."""

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from tests.benchmarks.costs import Costs
from tests.benchmarks.growth import COMPARED, Grown, together
from tests.benchmarks.ratios import Ratio, Rounds, ratios
from tests.benchmarks.report import costs_table, flights_table, paths_table, ratios_table, records_table, workers_table
from tests.benchmarks.stacks import CONFIG
from tests.benchmarks.world import HERE

RESULTS, RATIOS = HERE / "RESULTS.md", HERE / "results.json"
_TEXT = """\
# Side by side

Written by `make bench`. {machine}.

Runs of {seconds:.0f} s, each done {rounds} times in interleaved rounds (growth fewer times): medians, with the smallest
and the largest in brackets. Absolute figures move with the machine and its neighbours: compare inside a table.

Every stack does the same job: take `POST /checkout`, look for the buyer's session in the store, else create one at the
provider and keep it. The service does it as shipped, with log lines, metrics, limits and sealing on; what the peers
leave out stands at the top of their sources, in `peers/`. Same bodies, same store (a Valkey process), same provider (an
nginx that answers with 2 KB and echoes the tags). One worker on a core of its own; load, store and provider share the
other. CPU and memory are those of the stack's whole process tree. "Not kept" are sessions that were handed out and
are not in the store afterwards.

Not measured: the webhook path, as the service has no such route yet.

## One worker, 64 connections

{paths}
## This service beside its peers

{ratios}
## Where the time goes

CPU microseconds of one request of this service, one worker, 64 connections, by samples of its stack (py-spy): each
counts for the innermost of these parts.

{costs}
## Workers

New sessions, 64 connections. Here load, store and provider share both cores with the stack, so two workers cannot be
twice one: look at CPU.

{workers}
## In flight

New sessions at a provider that takes 200 ms, one worker on a core of its own. Memory is what 1,000 in flight add to
that of an idle process, at most.

{flights}
## Records in the store

New sessions of this service beside so many records of other buyers.

{records}
## Configuration of the service

```toml
{config}```
"""


class Found(Struct, frozen=True, kw_only=True):
    """A whole run."""

    machine: str
    rounds: int
    seconds: float
    paths: Rounds
    workers: list[Grown]
    flights: list[Grown]
    costs: list[Costs]
    records: list[Grown]

    def ratios(self) -> dict[str, Ratio]:
        """Of the paths, and of the many in flight."""
        flights: Rounds = {
            (f"new, {size:,} in flight", stack): [one.figures for one in grown]
            for (size, stack), grown in together(self.flights).items()
            if size == COMPARED
        }
        return ratios(self.paths) | ratios(flights)

    def document(self) -> str:
        """RESULTS.md."""
        return _TEXT.format(
            machine=self.machine,
            rounds=self.rounds,
            seconds=self.seconds,
            paths=paths_table(self.paths),
            ratios=ratios_table(self.ratios()),
            workers=workers_table(together(self.workers)),
            flights=flights_table(together(self.flights)),
            costs=costs_table(self.costs),
            records=records_table(together(self.records)),
            config=CONFIG.read_text(),
        )


def write(found: Found) -> None:
    """Write both files."""
    RESULTS.write_text(found.document())
    RATIOS.write_bytes(msgspec.json.format(msgspec.json.encode(found.ratios())) + b"\n")


def read_ratios() -> Mapping[str, Ratio]:
    """What was written last."""
    return msgspec.json.decode(RATIOS.read_bytes(), type=dict[str, Ratio])
