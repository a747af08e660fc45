"""The first part: every path on every stack, one worker on a core of its own, in interleaved rounds."""

from collections.abc import Sequence
from contextlib import ExitStack

from tests.benchmarks.load import USUAL_KEYS, Figures, Load, prime, run
from tests.benchmarks.machine import SERVER_CORE
from tests.benchmarks.running import running
from tests.benchmarks.stacks import NGINX, Start
from tests.benchmarks.world import World
from tests.support.ports import free_port

REUSED, NEW, REFUSED = "re-used", "new", "refused"
_WARM_UP_SECONDS = 1.0


def measure_paths(
    world: World, stacks: Sequence[str], paths: Sequence[str], *, rounds: int, seconds: float
) -> dict[tuple[str, str], list[Figures]]:
    """Figures by path and stack. The store is empty before each run, but for the usual buyers."""
    loads = {
        REUSED: Load(body=world.body(), keys=USUAL_KEYS),
        NEW: Load(body=world.body()),
        REFUSED: Load(body=world.body(good=False), is_refused=True),
    }
    measured: dict[tuple[str, str], list[Figures]] = {}
    with ExitStack() as resources:
        served = [
            resources.enter_context(running(name, Start(world=world, port=free_port()), SERVER_CORE)) for name in stacks
        ]
        for stack in served:
            run(stack, loads[NEW], _WARM_UP_SECONDS)
        for _ in range(rounds):
            for path in paths:
                for stack in served:
                    # nginx knows neither sessions nor refusals.
                    if stack.name == NGINX and path != NEW:
                        continue
                    if path == REUSED:
                        prime(stack, loads[REUSED])
                    figures = run(stack, loads[path], seconds)
                    measured.setdefault((path, stack.name), []).append(figures)
    return measured
