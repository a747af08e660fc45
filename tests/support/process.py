"""The service as its user runs it: `python -m service` in a process of its own, with everything it says kept."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.support.config import SECRETS
from tests.support.ports import free_port
from tests.support.raw import exchange, request_bytes

_ROOT = Path(__file__).parents[2]
_START_SECONDS = 30.0
_STOP_SECONDS = 20.0


class Served:
    """A running service. What it wrote is whole once it has ended."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path, port: int) -> None:
        self._process = process
        self._output = output
        self.url = f"http://127.0.0.1:{port}"

    def output(self) -> bytes:
        """Everything written so far, to standard output and standard error."""
        return self._output.read_bytes()

    def stop(self) -> None:
        """End it as an operator would, and wait."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(_STOP_SECONDS)

    def await_ready(self) -> None:
        """Wait for its first answer."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                exchange(self.url, request_bytes("GET", "/livez"))
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"the service did not start: {self.output().decode()}")


@contextmanager
def served(toml: str, folder: Path, **environ: str) -> Generator[Served]:
    """The service by this configuration, on a free port."""
    config = folder / "served.toml"
    config.write_text(toml)
    with started("serve", folder, CHECKOUT_CONFIG=str(config), **environ) as running:
        yield running


@contextmanager
def started(name: str, folder: Path, **environ: str) -> Generator[Served]:
    """A command that serves, on a free port."""
    output, port = folder / "output", free_port()
    variables = os.environ | SECRETS | {"CHECKOUT_PORT": str(port)} | environ
    with output.open("wb") as stream:
        command = [sys.executable, "-m", "service", name]
        process = subprocess.Popen(command, cwd=_ROOT, env=variables, stdout=stream, stderr=subprocess.STDOUT)
        running = Served(process, output, port)
        try:
            running.await_ready()
            yield running
        finally:
            running.stop()
