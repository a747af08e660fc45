"""Measures the two hot paths of the service as shipped: a re-used session and a new one.

One worker, the bundled store, 64 connections, a fast upstream in a process of its own. Absolute figures move with the
machine: compare runs of one machine, side by side.
"""

import asyncio
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.benchmarks.load import Figures, measure, wait_until_listening
from tests.support.ports import free_port

CONNECTIONS = 64
SECONDS = 4.0
ROUNDS = 3
CONFIG = """
[server]
port = {port}

[upstreams.fast]
provider = "fastspring_v2"
base_url = "http://127.0.0.1:{upstream}"
credentials = [{{ username = {{ env = "BENCH_SECRET" }}, password = {{ env = "BENCH_SECRET" }} }}]
max_concurrency = 1000
rate_limit_per_minute = 0

[checkouts.default]
upstream = "fast"
path = "acme/popup-checkout"
live = true

[limits]
per_ip_per_minute = 100000000
per_product_per_minute = 100000000
per_email_per_hour = 100000000
per_checkout_per_minute = 100000000

[checkouts.default.order_tags]
channel = "web"
"""
BODY = b'{"items":[{"product":"pro-license","quantity":2}],"country":"DE","customer":{"email":"ada@example.org"}}'


@contextmanager
def process(*arguments: str, **environ: str) -> Generator[subprocess.Popen[bytes]]:
    """A child process that ends with the context."""
    command = [sys.executable, "-m", *arguments]
    with subprocess.Popen(command, env={**os.environ, **environ}, stdout=subprocess.DEVNULL) as child:
        try:
            yield child
        finally:
            child.terminate()
            child.wait(timeout=30)


def request(key: Callable[[], str]) -> Callable[[], bytes]:
    """Makes the bytes of one `POST /checkout`, with a buyer key of its own each time `key` is asked."""

    def make() -> bytes:
        head = (
            "POST /checkout HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
            f"Buyer-Key: {key()}\r\nContent-Length: {len(BODY)}\r\n\r\n"
        )
        return head.encode() + BODY

    return make


def processor_seconds(pid: int) -> float:
    """User and system time that a process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def report(name: str, rounds: list[Figures], processor: float) -> None:
    """One line of the table: medians over the rounds, with the spread of the rate."""
    rates = [figures.per_second for figures in rounds]
    done = sum(figures.count for figures in rounds)
    sys.stdout.write(
        f"{name:8} {statistics.median(rates):8.0f} ({min(rates):.0f}-{max(rates):.0f})"
        f" {processor / done * 1e6:10.0f}"
        f" {statistics.median(figures.p50_ms for figures in rounds):9.1f}"
        f" {statistics.median(figures.p99_ms for figures in rounds):9.1f}"
        f" {sum(figures.failures for figures in rounds):7}\n"
    )


def main() -> None:
    """Print the table."""
    with ExitStack() as resources:
        folder = Path(resources.enter_context(tempfile.TemporaryDirectory()))
        upstream, port = free_port(), free_port()
        config = folder / "checkout.toml"
        config.write_text(CONFIG.format(port=port, upstream=upstream))
        resources.enter_context(process("tests.benchmarks.upstream", str(upstream)))
        wait_until_listening(upstream)
        broker = resources.enter_context(
            process("service", "serve", CHECKOUT_CONFIG=str(config), BENCH_SECRET="bench", CHECKOUT_LOG="json")
        )
        wait_until_listening(port)
        usual = secrets.token_urlsafe(24)
        paths = {"re-used": request(lambda: usual), "new": request(lambda: secrets.token_urlsafe(24))}
        sys.stdout.write(f"{CONNECTIONS} connections, one worker, {ROUNDS} rounds of {SECONDS:.0f} s, interleaved\n")
        sys.stdout.write("path     requests/s            CPU us    p50 ms    p99 ms  failed\n")
        rounds: dict[str, list[Figures]] = {name: [] for name in paths}
        processor = dict.fromkeys(paths, 0.0)
        for _ in range(ROUNDS):
            for name, make in paths.items():
                before = processor_seconds(broker.pid)
                rounds[name].append(asyncio.run(measure(port, make, connections=CONNECTIONS, seconds=SECONDS)))
                processor[name] += processor_seconds(broker.pid) - before
        for name, figures in rounds.items():
            report(name, figures, processor[name])


if __name__ == "__main__":
    started = time.monotonic()
    main()
    sys.stdout.write(f"measured in {time.monotonic() - started:.0f} s\n")
