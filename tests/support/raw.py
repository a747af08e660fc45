"""One HTTP exchange over a bare socket: every byte is the test's own, and the answer comes as it was sent."""

import socket
from urllib.parse import urlsplit

_PATIENCE_SECONDS = 10.0


class RawAnswer:
    """An answer, taken apart: `headers` in order with names in lower case."""

    def __init__(self, data: bytes) -> None:
        head, _, self.body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split(" ")[1])
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def connect(url: str) -> socket.socket:
    """A connection to a server."""
    address = urlsplit(url)
    return socket.create_connection((address.hostname or "", address.port or 0), timeout=_PATIENCE_SECONDS)


def exchange(url: str, data: bytes) -> RawAnswer:
    """Send bytes that end in `Connection: close`, and read until the server closes."""
    with connect(url) as connection:
        connection.sendall(data)
        return RawAnswer(read_to_end(connection))


def read_to_end(connection: socket.socket) -> bytes:
    """Everything until the other side closes."""
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received


def request_bytes(method: str, target: str, headers: tuple[str, ...] = (), body: bytes = b"") -> bytes:
    """A request that closes its connection, with a right length."""
    lines = [f"{method} {target} HTTP/1.1", "Host: broker", "Connection: close", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
