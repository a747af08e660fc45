"""A stack that runs: when it first answered, what it uses, and whether it does the job."""

import http.client
import secrets
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path

from msgspec import Struct

from tests.benchmarks.machine import memory_mib, on_cores, processor_seconds
from tests.benchmarks.stacks import COMMANDS, NGINX, Start
from tests.benchmarks.world import process, wait_for_answer

_ANSWER_SECONDS = 20.0


class Running(Struct, frozen=True, kw_only=True):
    """`start_seconds` is how long the first answer took, `start_cpu_seconds` how much work; `idle_mib` the memory."""

    name: str
    start: Start
    pid: int
    start_seconds: float
    start_cpu_seconds: float
    idle_mib: float


@contextmanager
def running(name: str, start: Start, *cores: int) -> Generator[Running]:
    """A stack on these cores that answers, and was seen to do what it is measured for."""
    command, environ = COMMANDS[name](start)
    with ExitStack() as resources:
        began = time.monotonic()
        with on_cores(*cores):
            child = resources.enter_context(process(command, environ))
        wait_for_answer(child, start.port)
        took = time.monotonic() - began
        worked, idle = processor_seconds(child.pid), memory_mib(child.pid)
        check(name, start)
        yield Running(
            name=name, start=start, pid=child.pid, start_seconds=took, start_cpu_seconds=worked, idle_mib=idle
        )


def check(name: str, start: Start) -> None:
    """See that a stack makes a session, hands it out again and refuses what it should.

    Raises:
        RuntimeError: it does not, so that its figures would mean nothing.
    """
    key, other = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    good, refused = start.world.body(), start.world.body(good=False)
    seen = [post(start.port, *request) for request in ((good, key), (good, key), (good, other), (refused, key))]
    expected = [HTTPStatus.CREATED, HTTPStatus.OK, HTTPStatus.CREATED]
    statuses = [status for status, _ in seen]
    if name == NGINX:
        expected[1] = HTTPStatus.CREATED
    elif statuses[3] not in {HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.BAD_REQUEST}:
        expected.append(HTTPStatus.UNPROCESSABLE_ENTITY)
    if expected != statuses[: len(expected)]:
        raise RuntimeError(f"{name} answers {seen}")


def post(port: int, body: Path, key: str) -> tuple[int, bytes]:
    """Status and body of one `POST /checkout`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_SECONDS)
    try:
        headers = {"Content-Type": "application/json", "Buyer-Key": key}
        connection.request("POST", "/checkout", body.read_bytes(), headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
