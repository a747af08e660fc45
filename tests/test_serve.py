"""`serve` as an operator meets it: real processes, started, shared, stopped and killed."""

import os
import signal
import socket
import tempfile
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.commands import environment, finished
from tests.support.config import CALLER_KEY, SECRETS, default_toml
from tests.support.example import SECRETS as EXAMPLE_SECRETS
from tests.support.patience import wait_until
from tests.support.ports import free_port
from tests.support.raw import connect
from tests.support.servers import Sandbox
from tests.support.services import ORDER, Service, service

KEYS = '\n[store]\nseal_keys = [{ env = "SEAL_KEY" }]\nhash_key = { env = "HASH_KEY" }\n'


CALLER = {"Authorization": f"Bearer {CALLER_KEY}"}
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

        def begin(workers: int = 1, url: str = "embedded://", extra: str = "", server: str = "") -> Service:
            config = tmp_path / "checkout.toml"
            config.write_text(default_toml(sandbox.url).replace("[server]", f"[server]\n{server}", 1) + extra)
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


@pytest.mark.parametrize("workers", [1, 2])
def test_sigterm_drains_both_listeners(start: Start, sandbox: Sandbox, workers: int) -> None:
    """What is under way on either listener is answered whole, then both are closed, with status 0.

    A single process refuses others at once; with several the parent holds both ports until the workers have ended.
    """
    port = free_port()
    started = start(workers=workers, server=f"internal_port = {port}")
    url = f"http://127.0.0.1:{port}/internal/checkout"
    sandbox.put_fault("slow", seconds=1.5)
    with ThreadPoolExecutor() as callers:
        browser = callers.submit(started.create, "b" * 30)
        caller = callers.submit(httpx.post, url, json=ORDER, headers=CALLER, trust_env=False)
        wait_until(lambda: 2 == len(sandbox.requests()), "both calls to the provider")
        started.running.process.send_signal(signal.SIGTERM)
        if workers == 1:
            wait_until(lambda: refuses(started.url) and refuses(url), "the closing of both listeners")

        assert [browser, caller] == [one for one in (browser, caller) if not one.done()]
        assert (201, 201) == (browser.result().status_code, caller.result().status_code)
    assert 0 == started.running.process.wait(20)
    assert refuses(started.url)
    assert refuses(url)
    assert "Traceback" not in started.running.said


def refuses(url: str) -> bool:
    """Whether nobody listens there."""
    try:
        connect(url).close()
    except ConnectionRefusedError:
        return True
    return False


def test_replaced_workers_keep_the_listeners(start: Start, tmp_path: Path) -> None:
    """`internal_port` needs a restart: a worker that is replaced after a change of the file serves what is open."""
    port = free_port()
    started = start(workers=2, server=f"internal_port = {port}")
    config = tmp_path / "checkout.toml"
    config.write_text(config.read_text().replace(f"internal_port = {port}", ""))
    for pid in started.workers():
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: 4 == len(started.running.named("serve.worker")), "the start of other workers")

    urls = (started.url, f"http://127.0.0.1:{port}")
    assert [404, 200] == [httpx.get(f"{url}/metrics", headers=CALLER, trust_env=False).status_code for url in urls]
    assert [401, 404] == [
        httpx.post(f"{urls[1]}{path}", json=ORDER, trust_env=False).status_code
        for path in ("/internal/checkout", "/checkout")
    ]


def test_killed_parent_frees_both_ports(start: Start) -> None:
    """After kill -9 of the parent the workers let go of both listeners."""
    port = free_port()
    started = start(workers=2, server=f"internal_port = {port}")
    (line,) = started.running.named("serve.started")
    urls = [started.url, f"http://127.0.0.1:{port}"]
    assert [200, 200] == [httpx.get(f"{url}/readyz", trust_env=False).status_code for url in urls]
    started.running.end(signal.SIGKILL)

    assert urls == [line["url"], line["internal_url"]]
    wait_until(lambda: all(refuses(url) for url in urls), "the closing of both listeners")


def test_internal_port_in_use(sandbox: Sandbox, tmp_path: Path) -> None:
    """The sentence names the key of that listener; status 1."""
    config = tmp_path / "checkout.toml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config.write_text(default_toml(sandbox.url).replace("[server]", f"[server]\ninternal_port = {port}", 1))
        public = str(free_port())
        done = finished("serve", environ=environment(CHECKOUT_CONFIG=str(config), CHECKOUT_PORT=public, **SECRETS))

    where = "change server.host, server.internal_port or CHECKOUT_HOST"
    assert done.stderr.endswith(f"cannot listen on 127.0.0.1, port {port} (Address already in use): {where}\n")
    assert 1 == done.returncode


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
