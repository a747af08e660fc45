"""A real HAProxy before a server of a test, which hears from the test on whose behalf it connects."""

import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.patience import wait_until
from tests.support.ports import free_port
from tests.support.raw import connect

_NO_HAPROXY = "These tests need HAProxy: `make install` as root, or `apt-get install haproxy`."
_STOP_SECONDS = 10
# One connection to the server for all clients, so that whatever one of them leaves on it meets the next one.
_CONFIG = """
defaults
  mode http
  timeout connect 10s
  timeout client 20s
  timeout server 20s
  http-reuse always
frontend clients
  bind 127.0.0.1:{port} accept-proxy
  {rules}
  default_backend servers
backend servers
  server one {address} maxconn 1 pool-max-conn 1
"""


@contextmanager
def haproxy(folder: Path, url: str, *rules: str) -> Generator[str]:
    """The URL of a HAProxy before the server at `url`; `rules` are lines of its frontend.

    Every connection to it begins with the line that `connected_from` makes.
    """
    port = free_port()
    config, output = folder / f"haproxy-{port}.cfg", folder / f"haproxy-{port}.log"
    config.write_text(_CONFIG.format(port=port, rules="\n  ".join(rules), address=urlsplit(url).netloc))
    with output.open("wb") as stream:
        process = subprocess.Popen([_executable(), "-db", "-f", str(config)], stdout=stream, stderr=stream)
    try:
        wait_until(lambda: process.poll() is not None or _listens(port), "the start of HAProxy")
        if process.poll() is not None:
            raise RuntimeError(f"HAProxy did not start: {output.read_text()}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)


def connected_from(address: str) -> bytes:
    """What a connection to HAProxy begins with that is one from this IPv4 address."""
    return f"PROXY TCP4 {address} 127.0.0.1 40000 80\r\n".encode()


def _executable() -> str:
    # Debian's place for it is on root's path alone.
    found = shutil.which("haproxy", path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin")))
    if found is None and sys.platform == "darwin":
        pytest.skip(_NO_HAPROXY)
    if found is None:
        pytest.fail(_NO_HAPROXY)
    return found


def _listens(port: int) -> bool:
    try:
        connect(f"http://127.0.0.1:{port}").close()
    except OSError:
        return False
    return True
