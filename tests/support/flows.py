"""One connection through the fault proxy: two flows of bytes, each with the toxics that were cast on it."""

import asyncio
import random
import socket
import struct
import time
from contextlib import suppress
from typing import TypeVar

from tests.support.toxics import Bandwidth, Latency, LimitData, ResetPeer, Slicer, SlowClose, Stream, Timeout, Toxic

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Kind = TypeVar("Kind", bound=Toxic)

_DICE = random.Random()  # noqa: S311  # dice, not secrets
_CHUNK = 65536
_CHUNKS_UNDER_WAY = 1024
_BANDWIDTH_STEP_SECONDS = 0.05
_CLOSE_SECONDS = 1.0
_RESET_WHEN_CLOSED = struct.pack("ii", 1, 0)


class Connection:
    """A client, the target, and what goes between them."""

    def __init__(self, client: Streams, target: Streams) -> None:
        self._writers = (client[1], target[1])
        self._flows: dict[Stream, _Flow] = {
            "upstream": _Flow(client[0], target[1]),
            "downstream": _Flow(target[0], client[1]),
        }
        self._timers: list[asyncio.TimerHandle] = []
        self._task = asyncio.current_task()

    async def run(self) -> None:
        """Carry bytes until both sides have ended or one is broken; in the task that made the connection."""
        try:
            async with asyncio.TaskGroup() as group:
                for flow in self._flows.values():
                    group.create_task(flow.read())
                    group.create_task(flow.write())
        except* OSError:
            pass  # what happened to one side happens to the other
        finally:
            self.clear()
            for writer in self._writers:
                await _close(writer)

    def take(self, toxic: Toxic) -> None:
        """Be under a toxic from now on, if its dice say so."""
        if _DICE.random() >= toxic.toxicity:
            return
        self._flows[toxic.stream].take(toxic)
        later = asyncio.get_running_loop().call_later
        match toxic:
            case Timeout(timeout_ms=milliseconds) if milliseconds:
                self._timers.append(later(milliseconds / 1000, self.abort))
            case ResetPeer(timeout_ms=milliseconds):
                self._timers.append(later(milliseconds / 1000, self.reset))
            case _:
                pass

    def clear(self) -> None:
        """Be under no toxic any more."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        for flow in self._flows.values():
            flow.clear()

    def reset(self) -> None:
        """Tell both sides that the connection is broken."""
        for writer in self._writers:
            if connection := writer.get_extra_info("socket"):  # not closed meanwhile
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_WHEN_CLOSED)
        self.abort()

    def abort(self) -> None:
        """Drop both sides, with what was on its way."""
        for writer in self._writers:
            writer.transport.abort()
        if self._task:
            self._task.cancel()


class _Flow:
    """What goes one way: chunks, each with the time it came."""

    def __init__(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        self._source = source
        self._sink = sink
        self._chunks: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_CHUNKS_UNDER_WAY)
        self._toxics: list[Toxic] = []
        self._cleared = asyncio.get_running_loop().create_future()
        self._left: int | None = None

    def take(self, toxic: Toxic) -> None:
        self._toxics.append(toxic)
        if isinstance(toxic, LimitData):
            self._left = toxic.bytes

    def clear(self) -> None:
        self._toxics.clear()
        self._left = None
        self._cleared.set_result(None)
        self._cleared = asyncio.get_running_loop().create_future()

    async def read(self) -> None:
        data = b"-"
        while data:
            data = await self._source.read(_CHUNK)
            await self._chunks.put((time.monotonic(), data))

    async def write(self) -> None:
        while True:
            came_at, data = await self._chunks.get()
            for latency in self._of(Latency):
                late = _DICE.uniform(-latency.jitter_ms, latency.jitter_ms) + latency.latency_ms
                await self._pause_until(came_at + late / 1000)
            if not data:
                for slow in self._of(SlowClose):
                    await self._pause(slow.delay_ms / 1000)
                self._sink.write_eof()
                return
            await self._send(data)

    async def _send(self, data: bytes) -> None:
        while data and not self._of(Timeout):
            size, seconds = self._next_slice(len(data))
            await self._pause(seconds)
            piece = data[:size]
            self._sink.write(piece)
            await self._sink.drain()
            data = data[len(piece) :]
            self._count(len(piece))

    def _next_slice(self, size: int) -> tuple[int, float]:
        """How much goes next, and after which pause."""
        seconds = 0.0
        if self._left is not None:
            size = min(size, self._left)
        for slicer in self._of(Slicer):
            varied = slicer.average_size + _DICE.randint(-slicer.size_variation, slicer.size_variation)
            size = min(size, max(1, varied))
            seconds += slicer.delay_ms / 1000
        for bandwidth in self._of(Bandwidth):
            size = min(size, max(1, int(bandwidth.rate_kb * 1000 * _BANDWIDTH_STEP_SECONDS)))
            seconds += size / (bandwidth.rate_kb * 1000)
        return size, seconds

    def _count(self, size: int) -> None:
        if self._left is not None:
            self._left -= size
            if self._left <= 0:
                raise ConnectionAbortedError("the limit of LimitData")

    def _of(self, kind: type[Kind]) -> list[Kind]:
        return [toxic for toxic in self._toxics if isinstance(toxic, kind)]

    async def _pause(self, seconds: float) -> None:
        await self._pause_until(time.monotonic() + seconds)

    async def _pause_until(self, moment: float) -> None:
        """Sleep, at most until the toxics are cleared."""
        cleared = self._cleared
        # Again and again, because the timers of uvloop may be a millisecond early.
        while (seconds := moment - time.monotonic()) > 0 and not cleared.done():
            await asyncio.wait((cleared,), timeout=seconds)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(_CLOSE_SECONDS):
            await writer.wait_closed()
    writer.transport.abort()  # who does not read does not hold it up
