"""Provider and store alone, with the commands that start each stack against them: for a profiler."""

import shlex
import signal
import sys
from collections.abc import Iterator

from tests.benchmarks.load import USUAL_BUYER, USUAL_KEYS, Load, wrk
from tests.benchmarks.stacks import COMMANDS, Start
from tests.benchmarks.world import World
from tests.support.ports import free_port


def by_hand(world: World, *, slow: bool) -> None:
    """Print the commands, and leave provider and store running until the process is interrupted."""
    sys.stdout.write("\n".join(_lines(world, slow=slow)) + "\nInterrupt to end provider and store.\n")
    sys.stdout.flush()
    try:
        signal.pause()
    except KeyboardInterrupt:
        return


def _lines(world: World, *, slow: bool) -> Iterator[str]:
    for name, make in COMMANDS.items():
        start = Start(world=world, port=free_port(), slow=slow)
        command, environ = make(start)
        variables = [f"{key}={shlex.quote(value)}" for key, value in environ.items()]
        yield f"\n# {name}: start it, then load it with new sessions, or re-used ones\n"
        yield f"{' '.join(variables)} {shlex.join(['taskset', '-c', '0', *command])} >/dev/null"
        for keys, prefix in ((0, "b$(date +%s%N)_0123456789_"), (USUAL_KEYS, USUAL_BUYER)):
            yield " ".join(["taskset -c 1", *wrk(start.port, Load(body=world.body(), keys=keys), 10, prefix)])
