"""This service and its peers side by side, in one run: prints the tables, writes RESULTS.md and results.json.

With --check only what is guarded, compared with results.json: status 1 when a rate lost more than 15 % to a peer's.
"""

import argparse
import resource
import signal
import sys
import tempfile
from pathlib import Path

from tests.benchmarks import results
from tests.benchmarks.by_hand import by_hand
from tests.benchmarks.costs import measure_costs
from tests.benchmarks.growth import measure_flights, measure_records, measure_workers
from tests.benchmarks.machine import describe
from tests.benchmarks.paths import NEW, REFUSED, REUSED, measure_paths
from tests.benchmarks.ratios import losses, ratios
from tests.benchmarks.report import costs_table, paths_table, ratios_table
from tests.benchmarks.stacks import FASTAPI, FASTIFY, NGINX, OURS
from tests.benchmarks.world import TOOLS, World, world

PATHS = (REUSED, NEW, REFUSED)


def main() -> int:
    """Status 1 when the guard found a loss."""
    options = _options()
    for number in (signal.SIGINT, signal.SIGTERM):  # whatever runs is ended, also from a script
        signal.signal(number, signal.default_int_handler)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # nginx gives up root's rights
        with world(Path(folder)) as made:
            if options.by_hand:
                by_hand(made, slow=options.slow)
                return 0
            if options.costs:
                sys.stdout.write(costs_table(measure_costs(made, seconds=options.seconds)))
                return 0
            if options.check:
                return _check(made, options.rounds, options.seconds)
            _measure(made, options.rounds, options.seconds, options.paths)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long one run lasts (3)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is repeated, interleaved (3)")
    parser.add_argument("--paths", nargs="+", choices=PATHS, help="only these, without growth; writes nothing")
    parser.add_argument("--check", action="store_true", help="the guard")
    parser.add_argument("--costs", action="store_true", help="only where the time of a request goes; writes nothing")
    parser.add_argument(
        "--by-hand", action="store_true", help="only provider and store; prints how to start the stacks"
    )
    parser.add_argument("--slow", action="store_true", help="by hand, with the provider that takes 200 ms")
    return parser.parse_args()


def _check(made: World, rounds: int, seconds: float) -> int:
    now = ratios(measure_paths(made, (OURS, FASTIFY, FASTAPI), (REUSED, NEW), rounds=rounds, seconds=seconds))
    lost = losses(now, results.read_ratios())
    sys.stdout.write(ratios_table(now) + "".join(f"LOST: {one}\n" for one in lost))
    return 1 if lost else 0


def _measure(made: World, rounds: int, seconds: float, only: list[str] | None) -> None:
    machine = describe(TOOLS / "ours/bin/python")
    paths = measure_paths(made, (OURS, FASTIFY, FASTAPI, NGINX), only or PATHS, rounds=rounds, seconds=seconds)
    if only:
        sys.stdout.write(f"{machine}\n\n{paths_table(paths)}\n{ratios_table(ratios(paths))}")
        return
    fewer = max(1, rounds - 1)
    found = results.Found(
        machine=machine,
        rounds=rounds,
        seconds=seconds,
        paths=paths,
        workers=measure_workers(made, rounds=fewer, seconds=seconds),
        flights=measure_flights(made, rounds=fewer, seconds=seconds),
        costs=measure_costs(made, seconds=seconds),
        records=measure_records(made, rounds=fewer, seconds=seconds),  # last: so much is not forgotten at once
    )
    sys.stdout.write(found.document())
    results.write(found)


if __name__ == "__main__":
    sys.exit(main())
