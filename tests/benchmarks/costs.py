"""The third part: on what the service spends a request, by samples of its stack under load."""

import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from tests.benchmarks.load import USUAL_KEYS, Load, prime, run
from tests.benchmarks.machine import OTHER_CORE, SERVER_CORE, on_cores
from tests.benchmarks.paths import NEW, REUSED
from tests.benchmarks.running import running
from tests.benchmarks.stacks import OURS, Start
from tests.benchmarks.world import TOOLS, World
from tests.support.ports import free_port

_PER_SECOND = 500
_WARM_UP_SECONDS = 1.0
_AROUND_SECONDS = 1.0  # that the load lasts before the samples begin, and after their end
LOOP = "event loop, and its calls of the system"
_AROUND_THE_LOOP = ("/service/__main__.py", "/service/serve.py", "/uvicorn/server.py", "/uvicorn/_compat.py")
# By the innermost file of a sample that one of these words stands in; the first of them counts.
PARTS: Mapping[str, Sequence[str]] = {
    "HTTP: parsing requests, writing answers": (
        "/uvicorn/",
        "/service/api/protocol.py",
        "/service/api/cycle.py",
        "/service/api/connections.py",
    ),
    "framework: routing, handlers": ("/litestar/",),
    "log line and metrics": ("/structlog/", "/prometheus_client/", "/service/observability/"),
    "edge: headers, body, origin, address, answer": ("/service/api/", "/service/checkout/decoding.py"),
    "sealing": ("/service/store/sealing.py",),
    "store: questions and answers": ("/service/store/", "/redis/", "/hiredis/"),
    "the provider's words": ("/service/providers/fastspring_v2/", "/service/providers/base.py"),
    "the call to the provider": ("/service/providers/", "/service/resilience/", "/httpx/"),
    "our own steps: policy, order, fingerprint, acceptance, record": ("/service/",),
}


class Costs(Struct, frozen=True, kw_only=True):
    """CPU microseconds of a request by part, whose sum they are."""

    path: str
    parts: Mapping[str, float]

    @property
    def whole(self) -> float:
        """Of all parts."""
        return sum(self.parts.values())


def measure_costs(world: World, *, seconds: float) -> list[Costs]:
    """One worker on a core of its own, 64 connections; CPU of a run without samples, shared out by those of another."""
    loads = {REUSED: Load(body=world.body(), keys=USUAL_KEYS), NEW: Load(body=world.body())}
    found: list[Costs] = []
    with running(OURS, Start(world=world, port=free_port()), SERVER_CORE) as stack:
        prime(stack, loads[REUSED])
        for path, load in loads.items():
            run(stack, load, _WARM_UP_SECONDS)
            cpu_us = run(stack, load, seconds).cpu_us
            samples = world.folder / f"samples-{path}"
            with on_cores(OTHER_CORE), _sampled(stack.pid, samples, seconds):
                run(stack, load, seconds + 2 * _AROUND_SECONDS)
            shares = shares_of(samples.read_text())
            found.append(Costs(path=path, parts={part: share * cpu_us for part, share in shares.items()}))
    return found


class _sampled:  # noqa: N801  # a context
    """Samples of a process in the midst of a load that runs inside."""

    def __init__(self, pid: int, samples: Path, seconds: float) -> None:
        self._command = [str(TOOLS / "profiler/bin/py-spy"), "record", "--pid", f"{pid}", "--format", "raw"]
        self._command += ["--full-filenames", "--rate", f"{_PER_SECOND}", "--duration", f"{max(1, round(seconds))}"]
        self._command += ["--nonblocking", "--output", str(samples)]

    def __enter__(self) -> None:
        """Begin."""
        self._running = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __exit__(self, *_: object) -> None:
        """Wait for the end."""
        if self._running.wait(timeout=60):
            raise RuntimeError("py-spy may not look into the service: run as root, or allow ptrace")


def shares_of(samples: str) -> dict[str, float]:
    """The share of each part in samples of the form `outer (file:line);inner (file:line) COUNT`."""
    counts: Counter[str] = Counter()
    for line in samples.splitlines():
        stack, _, count = line.rpartition(" ")
        counts[_part_of(stack)] += int(count)
    return {part: counts[part] / counts.total() for part in (*PARTS, LOOP)}


def _part_of(stack: str) -> str:
    for frame in reversed(stack.split(";")):
        if any(word in frame for word in _AROUND_THE_LOOP):
            return LOOP
        for part, words in PARTS.items():
            if any(word in frame for word in words):
                return part
    return LOOP
