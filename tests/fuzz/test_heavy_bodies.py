"""The worst bodies of 64 KiB that a stranger may send: what they cost the process, and those who wait meanwhile."""

import asyncio
import resource
import time
from pathlib import Path
from statistics import median

import httpx
import pytest

from service.app import create_app
from service.store.embedded import EmbeddedStore
from tests.fuzz.conftest import fuzz_toml
from tests.support.config import settings_of
from tests.support.full import IN_FULL
from tests.support.running import running
from tests.support.servers import Sandbox

KIB_64 = 65536
TIMES = 200 if IN_FULL else 10
MOST_MIB = 50
LONGEST_SECONDS = 0.020 if IN_FULL else 1.0
START = b'{"items":[{"product":"a"}],"metadata":'
ITEM = b'{"product":"a","attributes":{"license-name":"b"}}'


def filled(start: bytes, piece: bytes, end: bytes) -> bytes:
    """The largest body that is taken, of as many pieces as there is room for."""
    return start + piece * ((KIB_64 - len(start) - len(end)) // len(piece)) + end


def with_names(start: bytes, piece: bytes, end: bytes) -> bytes:
    """The same, with a number in each piece."""
    pieces = b"".join(piece % number for number in range(KIB_64 // len(piece)))
    return start + pieces[: pieces.rindex(b",", 0, KIB_64 - len(start) - len(end))] + end


BODIES = {
    "open lists": b"[" * KIB_64,
    "open objects": filled(b"", b'{"a":', b""),
    "deep lists": START + b"[" * 32000 + b"]" * 32000 + b"}",
    "flat lists": filled(START + b"[", b"[],", b"[]]}"),
    "flat objects": filled(START + b"[", b"{},", b"{}]}"),
    "lists of 31": filled(START + b"[", b"[" * 30 + b"]" * 30 + b",", b"0]}"),
    "items": filled(b'{"items":[', ITEM + b",", ITEM + b"]}"),
    "items of nothing": filled(b'{"items":[', b"{},", b"{}]}"),
    "a member again and again": filled(START + b"{", b'"a":0,', b'"a":0}}'),
    "members": with_names(START + b"{", b'"%d":0,', b"}}"),
    "escaped members again": filled(START + b"{", b'"\\u0061":0,', b'"a":0}}'),
    "a number": filled(START, b"9", b"}"),
    "numbers": filled(START + b"[", b"1e308,", b"0]}"),
    "a long fraction": filled(START + b"0.", b"9", b"}"),
    "a long exponent": filled(START + b"1e", b"9", b"}"),
    "escapes": filled(START + b'"', b"\\u00e9", b'"}'),
    "pairs of escapes": filled(START + b'"', b"\\ud83d\\ude00", b'"}'),
    "quotes": filled(START + b'"', b'\\"', b'"}'),
    "quotes that stay open": filled(b"[" * 33 + b'"', b'\\"', b""),
    "empty texts": filled(START + b"[" + b"[]," * 40, b'"",', b'""]}'),
    "blanks": filled(START, b" ", b"0}"),
    "a product": filled(b'{"items":[{"product":"', b"a", b'"}]}'),
    "a language": filled(b'{"items":[{"product":"a"}],"language":"aa', b"-a", b'"}'),
    "an e-mail": filled(b'{"items":[{"product":"a"}],"customer":{"email":"', b"a@", b'"}}'),
    "an address": filled(b'{"items":[{"product":"a"}],"returnUrl":"https://shop.example/', b"%2e", b'"}'),
    "a quote": filled(b'{"quote":"', b"a.", b'"}'),
}


class Blocks:
    """How long at a time nobody else's work went on."""

    def __init__(self) -> None:
        self._longest = 0.0

    async def watch(self) -> None:
        """Be one of the others."""
        before = time.perf_counter()
        while True:
            await asyncio.sleep(0)
            now = time.perf_counter()
            self._longest, before = max(self._longest, now - before), now

    def longest_since(self) -> float:
        """In seconds, since it was last asked for."""
        longest, self._longest = self._longest, 0.0
        return longest


async def blocked_by(client: httpx.AsyncClient, body: bytes) -> float:
    """How many seconds a body blocks the loop; the median of many. It is refused in words of ours."""
    blocks, found = Blocks(), []
    watching = asyncio.create_task(blocks.watch())
    for _ in range(TIMES):
        answer = await client.post("/checkout", content=body, headers={"Content-Type": "application/json"})
        await asyncio.sleep(0)  # a request that stops nowhere is seen by the others now
        found.append(blocks.longest_since())
        assert 400 <= answer.status_code < 500, answer.text
    watching.cancel()
    return median(found)


def resident_mib() -> float:
    """The memory that this process has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


@pytest.fixture
def toml(sandbox: Sandbox, tmp_path: Path) -> str:
    return fuzz_toml(sandbox.url, tmp_path)


async def test_heavy_bodies(toml: str, store: EmbeddedStore, tmp_path: Path) -> None:
    """None stops the work of others for long, and many of each leave nothing behind."""
    app = create_app(settings_of(toml, tmp_path), embedded=store.directory)
    async with running(app) as client:
        await blocked_by(client, BODIES["items"])
        before = resident_mib()
        blocked = {name: await blocked_by(client, body) for name, body in BODIES.items()}
        grown = resident_mib() - before

    worst = max(blocked, key=lambda name: blocked[name])
    print(f"heavy bodies: {grown:.1f} MiB more, at most {blocked[worst] * 1000:.1f} ms ({worst})")  # noqa: T201  # the figure of the run
    assert set() == {name for name, body in BODIES.items() if not KIB_64 - 2000 <= len(body) <= KIB_64}
    assert {} == {name: seconds for name, seconds in blocked.items() if seconds > LONGEST_SECONDS}
    assert grown < MOST_MIB
