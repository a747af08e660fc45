"""How many connections a process keeps, in real processes with few descriptors."""

import resource
import tempfile
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.config import default_toml
from tests.support.patience import wait_until
from tests.support.raw import connect
from tests.support.servers import Sandbox
from tests.support.services import Service, service

_FEW = 300


@pytest.fixture
def running(sandbox: Sandbox, tmp_path: Path) -> Generator[Service]:
    """A service of one process, started with a low soft limit."""
    config = tmp_path / "checkout.toml"
    config.write_text(default_toml(sandbox.url))
    with tempfile.TemporaryDirectory(prefix="t") as folder, ExitStack() as resources:
        with soft_limit(_FEW):
            started = resources.enter_context(service(config, Path(folder)))
        yield started


@contextmanager
def soft_limit(descriptors: int) -> Generator[None]:
    """What is started meanwhile may have this many descriptors, until it asks for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_takes_the_descriptors_that_the_system_allows(running: Service) -> None:
    """A soft limit, which shells set low, is raised to the hard one."""
    soft, hard = resource.prlimit(running.running.process.pid, resource.RLIMIT_NOFILE)

    assert hard == soft


def test_idle_connections_lock_nobody_out(running: Service) -> None:
    """One client that holds more idle connections than a process may have leaves room for every buyer."""
    resource.prlimit(running.running.process.pid, resource.RLIMIT_NOFILE, (_FEW, _FEW))
    with ExitStack() as held:
        for _ in range(500):
            connection = held.enter_context(connect(running.url))
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        statuses = [running.create(f"{number:030}").status_code for number in range(50)]
        descriptors = len(list(Path(f"/proc/{running.running.process.pid}/fd").iterdir()))

    assert [201] * 50 == statuses
    assert descriptors < _FEW
    assert "Too many open files" not in running.running.said


def test_unfinished_heads_lock_nobody_out(running: Service) -> None:
    """Nor do connections on which a head has begun and does not end."""
    resource.prlimit(running.running.process.pid, resource.RLIMIT_NOFILE, (_FEW, _FEW))
    with ExitStack() as held:
        for _ in range(500):
            held.enter_context(connect(running.url)).sendall(b"GET /livez HTTP/1.1\r\n")
        statuses = [running.create(f"{number:030}").status_code for number in range(10)]

    assert [201] * 10 == statuses


def test_what_is_under_way_is_not_closed(running: Service, sandbox: Sandbox) -> None:
    """A request that waits for its provider keeps its connection, however many others come."""
    resource.prlimit(running.running.process.pid, resource.RLIMIT_NOFILE, (_FEW, _FEW))
    sandbox.put_fault("slow", seconds=2)
    with ThreadPoolExecutor() as buyers, ExitStack() as held:
        waiting = buyers.submit(running.create, "b" * 30)
        wait_until(sandbox.requests, "the call to the provider")
        for _ in range(300):
            connection = held.enter_context(connect(running.url))
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")

        assert not waiting.done()
        assert 201 == waiting.result().status_code
