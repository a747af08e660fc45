"""`serve` as an operator meets it: real processes, started, shared, stopped and killed."""

import os
import signal
import socket
import tempfile
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.commands import environment, finished
from tests.support.config import SECRETS, default_toml
from tests.support.example import SECRETS as EXAMPLE_SECRETS
from tests.support.patience import wait_until
from tests.support.ports import free_port
from tests.support.servers import Sandbox
from tests.support.services import Service, service

KEYS = '\n[store]\nseal_keys = [{ env = "SEAL_KEY" }]\nhash_key = { env = "HASH_KEY" }\n'


Start = Callable[..., Service]


@pytest.fixture
def short() -> Generator[Path]:
    """A temporary directory with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="t") as folder:
        yield Path(folder)


@pytest.fixture
def start(sandbox: Sandbox, tmp_path: Path, short: Path) -> Generator[Start]:
    """Starts services: `start(workers=2, url="embedded://")`; each is ended with the test."""
    with ExitStack() as running:

        def begin(workers: int = 1, url: str = "embedded://", extra: str = "") -> Service:
            config = tmp_path / "checkout.toml"
            config.write_text(default_toml(sandbox.url) + extra)
            return running.enter_context(service(config, short, workers=workers, CHECKOUT_STORE_URL=url))

        yield begin


def is_gone(pid: int) -> bool:
    """Whether a process has ended."""
    status = Path(f"/proc/{pid}/status")
    return not status.exists() or "State:\tZ" in status.read_text()


@contextmanager
def stopped(pid: int) -> Generator[None]:
    """A process that does nothing for a while."""
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)


def test_two_workers(start: Start, sandbox: Sandbox, tmp_path: Path) -> None:
    """Two workers are one service: a session that one made is re-used by the other, and their metrics are summed.

    A kept store remembers sessions and answers to idempotency keys over a restart. SIGTERM and Ctrl-C end everything
    with status 0.
    """
    data, buyer = tmp_path / "data", "b" * 30
    started = start(workers=2, url=f"embedded://{data}", extra=KEYS)
    one, other = started.workers()
    with stopped(one):
        first = started.create(buyer)
    with stopped(other):
        second = started.create(buyer)

    assert [201, 200] == [first.status_code, second.status_code]
    assert first.json() | {"reused": True} == second.json()
    assert 1 == len(sandbox.requests())
    # A request is counted after its answer was sent, so a worker may have been stopped before it counted.
    both = {f'checkout_sessions_total{{checkout="default",outcome="{outcome}"}}' for outcome in ("created", "reused")}
    wait_until(lambda: {1.0} == {started.metrics().get(name) for name in both}, "the counts of both workers")

    keyed = started.create("k" * 30, "one key")
    assert (201, None) == (keyed.status_code, keyed.headers.get("Idempotent-Replayed"))
    below = started.descendants()
    assert len(below) >= 4  # two workers, the guardian, the store
    assert 0 == started.running.end(signal.SIGINT)
    wait_until(lambda: all(is_gone(pid) for pid in below), "the end of every process")
    assert [] == list(started.temporary.iterdir())

    again = start(url=f"embedded://{data}", extra=KEYS)
    assert first.json() | {"reused": True} == again.create(buyer).json()
    replayed = again.create("k" * 30, "one key")
    assert (200, "true") == (replayed.status_code, replayed.headers.get("Idempotent-Replayed"))
    assert keyed.json() == replayed.json()
    assert 2 == len(sandbox.requests())
    below = again.descendants()
    assert 0 == again.running.end()
    wait_until(lambda: all(is_gone(pid) for pid in below), "the end of every process")
    assert "Traceback" not in started.running.said + again.running.said


def test_killed_parent(start: Start) -> None:
    """After kill -9 of the parent its workers, the store and the store's keys are gone, and the port is free.

    A plain bundled store forgets: the next start makes the buyer a new session.
    """
    started = start(workers=2)
    created = started.create("b" * 30)
    assert (201, 200) == (created.status_code, started.create("b" * 30).status_code)
    below = started.descendants()
    (store,) = started.temporary.glob("checkout-*")
    started.running.end(signal.SIGKILL)

    wait_until(lambda: all(is_gone(pid) for pid in below), "the end of every process")
    wait_until(lambda: not store.exists(), "the end of the store's directory")
    with socket.create_server(("127.0.0.1", int(started.url.rpartition(":")[2]))):
        pass
    assert 201 == start().create("b" * 30).status_code


def test_port_in_use(sandbox: Sandbox, tmp_path: Path) -> None:
    """A sentence names address, reason and where to change it; status 1."""
    config = tmp_path / "checkout.toml"
    config.write_text(default_toml(sandbox.url))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = finished("serve", environ=environment(CHECKOUT_CONFIG=str(config), CHECKOUT_PORT=str(port), **SECRETS))

    where = "change server.host, server.port, CHECKOUT_HOST or CHECKOUT_PORT"
    assert f"cannot listen on 127.0.0.1, port {port} (Address already in use): {where}\n" == done.stderr
    assert 1 == done.returncode


def test_store_that_does_not_start(sandbox: Sandbox, tmp_path: Path) -> None:
    """A sentence says why; status 1."""
    config = tmp_path / "checkout.toml"
    config.write_text(default_toml(sandbox.url) + KEYS)
    (tmp_path / "file").write_text("")
    environ = environment(
        CHECKOUT_CONFIG=str(config),
        CHECKOUT_PORT=str(free_port()),
        CHECKOUT_STORE_URL=f"embedded://{tmp_path}/file/data",
        **SECRETS,
        **EXAMPLE_SECRETS,
    )
    done = finished("serve", environ=environ)

    assert f"the bundled store did not start: [Errno 20] Not a directory: '{tmp_path}/file/data'\n" == done.stderr
    assert 1 == done.returncode
