"""The image: small, locked down, and made of nothing but the lock and the service."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

ROOT = Path(__file__).parents[1]


def _instructions() -> list[tuple[str, str]]:
    text = re.sub(r"(?m)^#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines if line)]


def _arguments(name: str) -> list[str]:
    return [rest for instruction, rest in _instructions() if instruction == name]


def _final_stage() -> list[tuple[str, str]]:
    instructions = _instructions()
    last = max(number for number, (name, _) in enumerate(instructions) if name == "FROM")
    return instructions[last:]


def _copied_from_the_context() -> set[str]:
    copies = [rest.split() for rest in _arguments("COPY") if not rest.startswith("--from=")]
    return {source for *sources, _ in copies for source in sources}


def test_hadolint() -> None:
    """Hadolint has nothing to say."""
    hadolint = Path(sys.executable).with_name("hadolint")
    linted = subprocess.run(
        [hadolint, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True, check=False, timeout=30
    )

    assert (0, "") == (linted.returncode, linted.stdout)


def test_base_image_is_an_argument() -> None:
    """Both stages start from one base image: Python 3.13 by default, another one where a build says so."""
    assert ["ARG", "FROM"] == [name for name, _ in _instructions()[:2]]
    assert ["BASE=python:3.13-slim-bookworm"] == _arguments("ARG")
    assert ["${BASE} AS builder", "${BASE}"] == _arguments("FROM")


def test_runs_without_privileges() -> None:
    """The container runs as a number that Kubernetes can tell from root, and owns none of its files."""
    names = [name for name, _ in _final_stage()]

    assert ["65532:65532"] == _arguments("USER")
    assert "USER" in names
    assert not {"RUN", "COPY", "ADD"} & set(names[names.index("USER") :])


def test_only_the_lock_and_the_service_are_copied() -> None:
    """No secret, test or tool can get into the image: the context is an allow-list and so are the copies."""
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in ignore if not line.startswith("#")]

    assert {"requirements/runtime.txt", "service"} == _copied_from_the_context()
    assert ["*", "!requirements/runtime.txt", "!service", "**/__pycache__", "**/*.pyc"] == rules
    assert [] == _arguments("ADD")


def test_copied_sources_exist() -> None:
    """Everything that is copied is there."""
    assert [] == [source for source in _copied_from_the_context() if not (ROOT / source).exists()]


def test_final_stage_builds_nothing() -> None:
    """The final stage takes the environment and the service from the builder and runs no command."""
    stage = _final_stage()

    assert "RUN" not in [name for name, _ in stage]
    assert ["/opt/venv /opt/venv", "/app/service service"] == [
        rest.removeprefix("--from=builder ") for name, rest in stage if name == "COPY"
    ]


def test_only_what_was_reviewed_is_installed() -> None:
    """Packages come as wheels, each with a hash of the lock."""
    (install,) = [command for command in _arguments("RUN") if "pip install" in command]

    assert "--require-hashes --only-binary :all: -r /tmp/runtime.txt" in install


def test_environment_and_command() -> None:
    """The container serves, on all addresses, with the configuration from /etc/checkout and JSON logs."""
    (environment,) = [rest for name, rest in _final_stage() if name == "ENV"]

    assert {
        "PATH=/opt/venv/bin:$PATH",
        "PYTHONDONTWRITEBYTECODE=1",
        "PYTHONUNBUFFERED=1",
        "CHECKOUT_CONFIG=/etc/checkout/checkout.toml",
        "CHECKOUT_HOST=0.0.0.0",
        "CHECKOUT_PORT=8000",
        "CHECKOUT_LOG=json",
    } == set(environment.split())
    assert ['["python", "-m", "service"]'] == _arguments("ENTRYPOINT")
    assert '["serve"]' == _arguments("CMD")[-1]


class _Answer(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/livez" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name of the base class)
        """Keep the test's output quiet."""


class _Failure(_Answer):
    status = 503


@pytest.fixture(params=[_Answer, _Failure])
def health(request: pytest.FixtureRequest) -> Iterator[tuple[int, bool]]:
    """Return the port of a server and whether it is alive."""
    answer: type[_Answer] = request.param
    with HTTPServer(("127.0.0.1", 0), answer) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port, answer is _Answer
        server.shutdown()
        thread.join()


def test_health_check_asks_the_service(health: tuple[int, bool]) -> None:
    """The health check, run as it stands, follows /livez on the configured port and never asks a proxy."""
    port, alive = health
    (check,) = _arguments("HEALTHCHECK")
    command: list[str] = json.loads(check.partition("CMD ")[2])
    dead_proxy = "http://127.0.0.1:1"

    checked = subprocess.run(
        [sys.executable, *command[1:]],
        env=os.environ | {"CHECKOUT_PORT": str(port), "http_proxy": dead_proxy, "no_proxy": ""},
        capture_output=True,
        check=False,
        timeout=30,
    )

    assert alive == (0 == checked.returncode)
