"""The connections of this process, so that idle ones cannot take every descriptor that it may have.

Some have to be left for the store, providers, files that are read again, and whoever comes next.
"""

import asyncio
import resource

_SHARE_OF_DESCRIPTORS = 0.8


class Connections:
    """Those on which a request is under way, and the idle ones, the longest idle first."""

    def __init__(self) -> None:
        self._busy: set[asyncio.Transport] = set()
        self._idle: dict[asyncio.Transport, None] = {}

    def note_open(self, connection: asyncio.Transport) -> None:
        """One more; where that is too many, the longest idle ones are closed, or this one if all others are busy."""
        self._idle[connection] = None
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0] * _SHARE_OF_DESCRIPTORS
        while self._idle and 0 < most < len(self._idle) + len(self._busy):  # negative: without a limit
            longest_idle = next(iter(self._idle))
            del self._idle[longest_idle]
            longest_idle.abort()

    def note_busy(self, connection: asyncio.Transport) -> None:
        """A whole head came: it stays open until its answer was sent."""
        if connection in self._idle:
            del self._idle[connection]
            self._busy.add(connection)

    def note_idle(self, connection: asyncio.Transport) -> None:
        """Its answer was sent."""
        if connection in self._busy:
            self._busy.remove(connection)
            self._idle[connection] = None

    def note_closed(self, connection: asyncio.Transport) -> None:
        """Nothing of it is left."""
        self._idle.pop(connection, None)
        self._busy.discard(connection)


CONNECTIONS = Connections()


def raise_limit() -> None:
    """Take all the descriptors that the system allows; the usual soft limit is meant for programs of another kind."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except ValueError:
        return  # some systems say that there is no limit, and have one
