"""`demo` and `sandbox` start with nothing to configure, and what they print can be followed as it stands."""

import argparse
import shlex
import signal
import socket
import tempfile
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from tests.support.commands import Command, command, environment, finished
from tests.support.ports import free_port


@pytest.fixture
def short() -> Generator[Path]:
    """A temporary directory with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="t") as folder:
        yield Path(folder)


def follow(printed: str) -> dict[str, object]:
    """Do what the printed curl line says, as curl would, and read the answer."""
    line = printed[printed.index("curl") :].partition("\n  Stop")[0]
    program, *words = shlex.split(line.replace("\\\n", " "))
    curl = argparse.ArgumentParser()
    curl.add_argument("-s", action="store_true")
    curl.add_argument("-u", default="")
    curl.add_argument("-H", action="append", default=[])
    curl.add_argument("-d")
    curl.add_argument("url")
    said = curl.parse_args(words)
    headers = dict(header.split(": ", 1) for header in said.H)
    user, _, password = said.u.partition(":")
    answer = httpx.post(said.url, content=said.d, headers=headers, auth=(user, password) if user else None)

    assert "curl" == program
    session: dict[str, object] = answer.raise_for_status().json()
    return session


def address(running: Command, label: str) -> str:
    """The address after a label."""
    return running.said.partition(label)[2].split()[0].rstrip(",")


def test_demo(short: Path, tmp_path: Path) -> None:
    """The shop opens, the curl line makes a session, its page opens; Ctrl-C ends everything with status 0."""
    ports = {"CHECKOUT_PORT": str(free_port()), "CHECKOUT_SANDBOX_PORT": str(free_port())}
    with command("demo", output=tmp_path / "log", environ=environment(**ports, TMPDIR=str(short))) as running:
        running.wait_for("Ctrl-C")
        shop, docs = address(running, "Open the shop:"), address(running, "The API:")
        session = follow(running.said)
        pages = [httpx.get(url, trust_env=False) for url in (shop, docs, str(session["checkoutUrl"]))]
        assets = [httpx.get(f"{shop}{name}", trust_env=False) for name in ("shop.css", "shop.js")]

        assert f"http://127.0.0.1:{ports['CHECKOUT_SANDBOX_PORT']}/" == shop
        assert f"http://127.0.0.1:{ports['CHECKOUT_PORT']}/docs" == docs
        assert [200] * 3 == [page.status_code for page in pages]
        assert ["text/css", "text/javascript"] == [one.headers["content-type"].partition(";")[0] for one in assets]
        assert ("fastspring_v2", "DE", False) == (session["provider"], session["country"], session["live"])
        assert 0 == running.end(signal.SIGINT)
    assert "Traceback" not in running.said
    assert [] == list(short.iterdir())


def test_sandbox(tmp_path: Path) -> None:
    """The sandbox alone answers the curl line with a session; SIGTERM ends it with status 0."""
    with command("sandbox", "--port", str(free_port()), output=tmp_path / "log", environ=environment()) as running:
        running.wait_for("Ctrl-C")
        url = address(running, "Sandbox upstreams on")
        session = follow(running.said)

        assert str(session["id"]).startswith("OS")
        assert 200 == httpx.get(f"{url}/_sandbox/requests", trust_env=False).status_code
        assert 0 == running.end()
    assert "Traceback" not in running.said


def test_busy_port() -> None:
    """A sentence names the port and the variable to change it; status 1."""
    variable = "CHECKOUT_SANDBOX_PORT"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = taken.getsockname()[1]
        ports = {"CHECKOUT_PORT": str(free_port()), variable: str(busy)}
        done = finished("demo", environ=environment(**ports))

    expected = f"cannot listen on 127.0.0.1, port {busy} (Address already in use): name another one in {variable}\n"
    assert (1, expected) == (done.returncode, done.stderr)


def test_busy_port_of_the_sandbox() -> None:
    """The sandbox says the same of its options."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = str(taken.getsockname()[1])
        done = finished("sandbox", "--port", busy, environ=environment())

    expected = f"cannot listen on 127.0.0.1, port {busy} (Address already in use): name others with --host and --port\n"
    assert (1, expected) == (done.returncode, done.stderr)


def test_no_port() -> None:
    """What is no port is said to be none."""
    done = finished("demo", environ=environment(CHECKOUT_PORT="http"))

    assert (1, "CHECKOUT_PORT must be a port, for example 8000\n") == (done.returncode, done.stderr)


def test_store_that_does_not_start(tmp_path: Path) -> None:
    """A machine on which the bundled store cannot run is told so, with status 1."""
    long = tmp_path / ("x" * 100)  # no socket has so long a path
    long.mkdir()
    ports = {"CHECKOUT_PORT": "0", "CHECKOUT_SANDBOX_PORT": "0"}
    done = finished("demo", environ=environment(**ports, TMPDIR=str(long)))

    assert 1 == done.returncode
    assert done.stderr.startswith("the bundled store did not start: ")
    assert 1 == len(done.stderr.splitlines())
