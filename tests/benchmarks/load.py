"""One run of wrk against a stack: what the client saw, and what the server used for it."""

import secrets
import subprocess
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from tests.benchmarks.machine import OTHER_CORE, memory_mib, on_cores, processor_seconds
from tests.benchmarks.running import Running, post
from tests.benchmarks.stacks import KEPT
from tests.benchmarks.world import HERE

USUAL_KEYS = 100
"""As many buyers come again and again on the path of re-used sessions."""

USUAL_BUYER = "usual_buyer_0123456789_"
_RUN_ON_SECONDS = 60
_SETTLE_SECONDS = 10.0
_REST_SECONDS = 0.1


class Seen(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What wrk prints: `refused` are statuses of 400 and more, `broken` connections that failed."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    refused: int
    broken: int
    timeouts: int


class Figures(Struct, frozen=True, kw_only=True):
    """One run.

    `errors` is whatever did not end as it should, `not_kept` the sessions handed out that are not in the store.
    """

    per_second: float
    cpu_us: float
    p50_ms: float
    p99_ms: float
    memory_mib: float
    requests: int
    errors: int
    not_kept: int


class Load(Struct, frozen=True, kw_only=True):
    """What is sent: the body, over as many connections, by as many buyers (0: another one each time).

    New sessions begin with a store of so many `records`.
    """

    body: Path
    connections: int = 64
    keys: int = 0
    is_refused: bool = False
    records: int = 0


def parse(output: str) -> Seen:
    """The findings at the end of wrk's output.

    Raises:
        ValueError: there are none.
    """
    lines = output.strip().splitlines()
    if not lines:
        raise ValueError("wrk printed nothing")
    return msgspec.json.decode(lines[-1], type=Seen)


def errors_in(seen: Seen, *, is_refused: bool) -> int:
    """How many requests did not end as they should: refused, or served."""
    unexpected = seen.requests - seen.refused if is_refused else seen.refused
    return unexpected + seen.broken + seen.timeouts


def prime(stack: Running, load: Load) -> None:
    """Make the sessions of the usual buyers."""
    for number in range(load.keys):
        post(stack.start.port, load.body, f"{USUAL_BUYER}{number}")


def run(stack: Running, load: Load, seconds: float) -> Figures:
    """Load a stack from the other core for so long, and wait until it has done what the load left behind."""
    if not load.keys:
        stack.start.world.fill_store(load.records)
    prefix = USUAL_BUYER if load.keys else secrets.token_urlsafe(18)
    before = processor_seconds(stack.pid)
    command = wrk(stack.start.port, load, seconds, prefix)
    with on_cores(OTHER_CORE):
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + _RUN_ON_SECONDS)
    seen = parse(done.stdout)
    used = processor_seconds(stack.pid) - before
    settle(stack.pid)
    return Figures(
        per_second=seen.requests / seen.seconds,
        cpu_us=used / max(1, seen.requests) * 1e6,
        p50_ms=seen.p50_ms,
        p99_ms=seen.p99_ms,
        memory_mib=memory_mib(stack.pid, peak=True),
        requests=seen.requests,
        errors=errors_in(seen, is_refused=load.is_refused),
        not_kept=_not_kept(stack, load, seen),
    )


def _not_kept(stack: Running, load: Load, seen: Seen) -> int:
    if load.keys or load.is_refused or stack.name not in KEPT:
        return 0
    kept = stack.start.world.count_keys(KEPT[stack.name]) - load.records
    return max(0, seen.requests - seen.refused - kept)


def settle(pid: int) -> None:
    """Wait until a process rests, so that it takes nothing from the one that is measured next."""
    used, deadline = -1.0, time.monotonic() + _SETTLE_SECONDS
    while used != (now := processor_seconds(pid)) and time.monotonic() < deadline:
        used = now
        time.sleep(_REST_SECONDS)


def wrk(port: int, load: Load, seconds: float, prefix: str) -> list[str]:
    """The command that sends a load; buyer keys begin with the prefix."""
    command = ["wrk", "--threads", "1", "--connections", str(load.connections), "--timeout", "30s"]
    command += ["--duration", f"{max(1, round(seconds))}s", "--script", str(HERE / "load.lua")]
    return [*command, f"http://127.0.0.1:{port}", "--", str(load.body), prefix, str(load.keys)]
