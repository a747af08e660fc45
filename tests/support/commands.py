"""Commands of the service run as a user runs them, in processes of their own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.support.patience import wait_until

_ROOT = Path(__file__).parents[2]
_SECONDS = 20.0
# Of the machine's own environment only what a process needs to run, and what measures coverage in it.
_KEPT = ("PATH", "HOME", "LANG", "COVERAGE_")


class Command:
    """A running command and what it has said so far."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self.process = process
        self._output = output
        self._lines: list[str] = []
        self._read_bytes = 0

    @property
    def said(self) -> str:
        """Standard output and error, in order."""
        return self._output.read_text()

    def events(self) -> list[dict[str, object]]:
        """The log lines."""
        return [json.loads(line) for line in self._log()]

    def named(self, event: str) -> list[dict[str, object]]:
        """The log lines of one event."""
        lines = [json.loads(line) for line in self._log() if event in line]
        return [line for line in lines if line["event"] == event]

    def wait_for(self, text: str) -> None:
        """Wait until it has said something."""
        wait_until(lambda: text in self.said or self.process.poll() is not None, text)
        if text not in self.said:
            raise RuntimeError(f"it ended without saying {text!r}: {self.said}")

    def _log(self) -> list[str]:
        """Its whole lines; each is read once, as a test that asks often would keep its own load waiting."""
        with self._output.open("rb") as output:
            output.seek(self._read_bytes)
            added, newline, _ = output.read().rpartition(b"\n")
        self._read_bytes += len(added) + len(newline)
        self._lines += [line for line in added.decode().splitlines() if line.startswith("{")]
        return self._lines

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait; returns the status. Ctrl-C is sent to the whole group, as a terminal does."""
        if how == signal.SIGINT:
            os.killpg(self.process.pid, how)
        else:
            self.process.send_signal(how)
        return self.process.wait(_SECONDS)


def environment(**variables: str) -> dict[str, str]:
    """The environment of a command: none of the service's own variables but the given ones."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(_KEPT)}
    return {**kept, "CHECKOUT_LOG": "json", **variables}


@contextmanager
def command(*arguments: str, output: Path, environ: dict[str, str]) -> Generator[Command]:
    """A running command, ended when the context is left."""
    with output.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "service", *arguments],
            cwd=_ROOT,
            env=environ,
            stdout=stream,
            stderr=stream,
            process_group=0,
        )
    running = Command(process, output)
    try:
        yield running
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(_SECONDS)


def finished(*arguments: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        cwd=_ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
