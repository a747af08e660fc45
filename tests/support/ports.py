"""Ports for servers that a test starts."""

import random
import socket

# Below those that the system gives to outgoing connections: one of them may take a port while its server restarts.
_RANGE = range(15_000, 32_000)


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    while True:
        port = random.choice(_RANGE)  # noqa: S311  # no secret
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
