"""What every command that serves does first: take a port, and end in order when a signal says so."""

import re
import signal
import socket
import sys
from typing import NoReturn

_FAILED = 1
_LAST_PORT = 65535

EMBEDDED_DIRECTORY = "CHECKOUT_EMBEDDED_DIRECTORY"
"""Set by the parent process for its workers: where the bundled store runs."""

INTERNAL_PORT = "CHECKOUT_INTERNAL_LISTENER"
"""Set likewise: the port of the internal listener that is open, whatever the file says when a worker is replaced."""


def listen(host: str, number: int, how_to_change: str) -> socket.socket:
    """A listening socket; ends the process with a sentence when the port cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, number), family=family)
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]  # without Python's repetition of the address
        fail(f"cannot listen on {host}, port {number} ({reason}): {how_to_change}")


def port(text: str) -> int:
    """A port number.

    Raises:
        ValueError: it is none.
    """
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > _LAST_PORT:
        raise ValueError("not a port")
    return int(text)


def url_of(listener: socket.socket) -> str:
    """Where a browser on this machine finds a listener."""
    host, port = listener.getsockname()[:2]
    return f"http://{_LOCAL.get(host, host)}:{port}"


_LOCAL = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}  # noqa: S104  # recognised, not bound


def fail(sentence: str) -> NoReturn:
    """End the process with status 1 and a sentence on the standard error."""
    sys.stderr.write(f"{sentence}\n")
    raise SystemExit(_FAILED)


def end_on_signals() -> None:
    """Make SIGTERM and Ctrl-C unwind the process, so that everything it opened is closed, with status 0."""
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)


def _end(_signal: int, _frame: object) -> None:
    raise SystemExit(0)
