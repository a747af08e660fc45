"""The bundled store: a Valkey server on a private socket, owned by the process that started it, never outliving it."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from service.store.settings import KEY_BYTES

READY = b"ready\n"
_STOP_SECONDS = 10.0


class EmbeddedStoreError(Exception):
    """The bundled server did not start; the text says why."""


class EmbeddedStore:
    """A running bundled server, to be used as a context manager.

    `directory` is private to this user and holds the socket and, when nothing is kept, the keys; other processes of the
    same service attach by it. With `data` the server keeps its data there over restarts.
    """

    def __init__(self, data: Path | None = None) -> None:
        self._data = data
        self._resources = ExitStack()
        self.directory = Path()

    def __enter__(self) -> Self:
        with ExitStack() as resources:
            # Directly in the system's temporary directory: a socket's path must be short.
            self.directory = Path(tempfile.mkdtemp(prefix="checkout-"))
            resources.callback(shutil.rmtree, self.directory, ignore_errors=True)
            for name in ("seal_key", "hash_key"):
                _write_private(self.directory / name, secrets.token_bytes(KEY_BYTES))
            self._start_guardian(resources)
            self._resources = resources.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._resources.close()

    def _start_guardian(self, resources: ExitStack) -> None:
        command = [sys.executable, "-m", "service.store.guardian", str(self.directory), str(self._data or "")]
        # A session of its own: Ctrl-C in the terminal must reach the service, not the store under it.
        guardian = subprocess.Popen(  # noqa: S603  # our own module
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        resources.callback(self._end, guardian)
        said = guardian.stdout.readline() if guardian.stdout else b""
        if said != READY:
            reason = said.decode(errors="replace").strip() or "its guardian ended without a word"
            raise EmbeddedStoreError(f"the bundled store did not start: {reason}")

    def _end(self, guardian: subprocess.Popen[bytes]) -> None:
        """The end of the pipe ends the guardian, which ends the server; after a guardian that was killed, we do."""
        guardian.communicate(timeout=_STOP_SECONDS)
        if guardian.returncode < 0:
            _shut_down(socket_of(self.directory))


def _write_private(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _shut_down(path: Path) -> None:
    """Tell a server to end, and wait until it has. What it is to keep is in its log of commands already."""
    with suppress(OSError), socket.socket(socket.AF_UNIX) as server:
        server.settimeout(_STOP_SECONDS)
        server.connect(str(path))
        server.sendall(b"SHUTDOWN NOSAVE\r\n")
        server.recv(1)  # nothing but its end


def socket_of(directory: Path) -> Path:
    """The socket of an embedded store."""
    return directory / "store.sock"


def keys_of(directory: Path) -> tuple[bytes, bytes]:
    """The seal key and the hash key that an embedded store made at its start."""
    return (directory / "seal_key").read_bytes(), (directory / "hash_key").read_bytes()
