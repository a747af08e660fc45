"""The demo as a process of its own: `python -m service demo` on free ports, ended with the test run."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "service", "demo")
START_SECONDS = 30
STOP_SECONDS = 10


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [taken.getsockname()[1] for taken in sockets]
    for taken in sockets:
        taken.close()
    return ports


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=1).status_code == HTTPStatus.OK
    except httpx.HTTPError:
        return False


def wait_for(process: subprocess.Popen[bytes], urls: list[str], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not all(map(answers, urls)):
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"The demo did not start:\n{log.read_text()}")
        time.sleep(0.1)


@contextmanager
def running_demo(folder: Path) -> Generator[str]:
    """Gives the address of the shop."""
    broker_port, sandbox_port = free_ports(2)
    shop = f"http://127.0.0.1:{sandbox_port}/"
    log = folder / "demo.log"
    ports = {"CHECKOUT_PORT": str(broker_port), "CHECKOUT_SANDBOX_PORT": str(sandbox_port)}
    with log.open("wb") as output:
        process = subprocess.Popen(COMMAND, cwd=ROOT, env=os.environ | ports, stdout=output, stderr=output)
        try:
            wait_for(process, [f"http://127.0.0.1:{broker_port}/checkout.js", shop], log)
            yield shop
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
