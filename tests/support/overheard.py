"""Whatever the service says in any test, searched for what nobody may read there."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from redis import Redis

from service.store.embedded import socket_of
from tests.support.config import CALLER_KEY
from tests.support.quotes import SECRET

# What tests send all over: keys, credentials, people, cards; and the form of a provider's session id.
PRIVATE = re.compile(
    "|".join(
        [
            *map(re.escape, (CALLER_KEY, SECRET, "c2FuZGJveDpzYW5kYm94", "ada@example.org", "PRIVATE KEY-----")),
            *(
                r"4111[ -]?1111[ -]?1111[ -]?1111",
                r"\bOS[0-9]{15}[A-Z]{3}\b",
                r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+\.",
            ),
        ]
    )
)
_CONSOLE_LINE = re.compile(r"^\S+ \S+ \[(?:info|warning|error) .*$", re.MULTILINE)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def in_console(text: str) -> list[str]:
    """What is private in the log lines of a service that ran in the test's own process."""
    return [line for line in _CONSOLE_LINE.findall(_COLOURS.sub("", text)) if PRIVATE.search(line)]


def in_files(folder: Path) -> Iterator[str]:
    """What is private, or cannot be read, in the logs of services that ran in processes of their own."""
    for file in [*folder.rglob("*.log"), *folder.rglob("output")]:
        whole, _, _cut_short = file.read_bytes().rpartition(b"\n")  # a process that was killed may have ended in a line
        for line in whole.splitlines():
            if line.startswith(b'{"') and (not _is_event(line) or PRIVATE.search(line.decode())):
                yield f"{file}: {line!r}"


def in_store(directory: Path) -> Iterator[str]:
    """The keys of a bundled store in which, or in whose values, something private can be read."""
    with Redis(unix_socket_path=str(socket_of(directory))) as client:
        for key in client.scan_iter(count=1000):
            held = client.get(key) if client.type(key) == b"string" else b""
            if PRIVATE.search((key + b" " + (held or b"")).decode("latin-1")):
                yield repr(key)


def _is_event(line: bytes) -> bool:
    try:
        return "event" in json.loads(line)
    except ValueError:
        return False
