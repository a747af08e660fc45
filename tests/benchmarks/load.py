"""A closed loop of keep-alive connections that repeat one request and time each answer."""

import asyncio
import socket
import time
from collections.abc import Callable

from msgspec import Struct

_START_SECONDS = 20.0
_PERCENT = 100


class Figures(Struct, frozen=True, kw_only=True):
    """What one round showed."""

    count: int
    failures: int
    per_second: float
    p50_ms: float
    p99_ms: float


async def measure(port: int, make: Callable[[], bytes], *, connections: int, seconds: float) -> Figures:
    """Send for `seconds` over `connections`; every status of 400 or more is a failure."""
    times: list[float] = []
    failures = 0

    async def repeat(until: float) -> None:
        nonlocal failures
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (started := time.perf_counter()) < until:
            writer.write(make())
            failures += not await _is_success(reader)
            times.append(time.perf_counter() - started)
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(repeat(started + seconds) for _ in range(connections)))
    elapsed = time.perf_counter() - started
    times.sort()
    return Figures(
        count=len(times),
        failures=failures,
        per_second=len(times) / elapsed,
        p50_ms=times[len(times) // 2] * 1000,
        p99_ms=times[len(times) * 99 // _PERCENT] * 1000,
    )


async def _is_success(reader: asyncio.StreamReader) -> bool:
    head = await reader.readuntil(b"\r\n\r\n")
    _, _, rest = head.lower().partition(b"content-length: ")
    await reader.readexactly(int(rest.partition(b"\r\n")[0]))
    return head.startswith(b"HTTP/1.1 2")


def wait_until_listening(port: int) -> None:
    """Wait for a server; raises TimeoutError when none comes."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing listens on {port}") from None
            time.sleep(0.02)
        else:
            return
