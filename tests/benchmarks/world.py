"""What every stack shares: a fast provider, a store and the body of the requests, in a folder of their own."""

import http.client
import os
import shutil
import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec import Struct
from redis import Redis

from tests.benchmarks.machine import OTHER_CORE, on_cores
from tests.support.ports import free_port
from tests.support.stores import store_server

HERE = Path(__file__).parent
TOOLS = HERE.parent.parent / ".tools" / "bench"
_START_SECONDS = 60.0
_PAUSE_SECONDS = 0.005
_RECORD_BYTES = 900
_MODULES = "/usr/lib/nginx/modules"
_BODY = (
    '{"items":[{"product":"PRODUCT","quantity":2}],"country":"DE","language":"de","customer":{"email":"ada@example.org",'
    '"firstName":"Ada","lastName":"Lovelace","company":"Analytical Engines GmbH","phone":"+49 30 1234567","address":'
    '{"line1":"Invalidenstrasse 117","city":"Berlin","region":"BE","postalCode":"10115"}}}'
)


class World(Struct, frozen=True, kw_only=True):
    """Ports of the provider and the store; `folder` holds the bodies and whatever stacks write."""

    folder: Path
    upstream_port: int
    store_port: int

    @property
    def store_url(self) -> str:
        """As every stack is told it."""
        return f"redis://127.0.0.1:{self.store_port}/0"

    def upstream_url(self, *, slow: bool) -> str:
        """The provider that answers at once, or after 200 ms."""
        return f"http://127.0.0.1:{self.upstream_port}" + ("/slow" if slow else "")

    def body(self, *, good: bool = True) -> Path:
        """The file of a request that every stack serves, or of one that every stack refuses."""
        return self.folder / ("good.json" if good else "refused.json")

    def empty_store(self) -> None:
        """Forget every session."""
        with Redis(port=self.store_port) as store:
            store.flushall()

    def fill_store(self, records: int) -> None:
        """Forget every session, and keep so many records of other buyers."""
        self.empty_store()
        with Redis(port=self.store_port, socket_timeout=_START_SECONDS) as store:
            store.execute_command("DEBUG", "POPULATE", records, "checkout:v1:{00}:session", _RECORD_BYTES)

    def count_keys(self, pattern: str) -> int:
        """How many keys of a pattern the store has."""
        with Redis(port=self.store_port) as store:
            return sum(1 for _ in store.scan_iter(pattern, count=1_000))


@contextmanager
def world(folder: Path) -> Generator[World]:
    """The provider and the store run, both away from the server's core."""
    with ExitStack() as resources, on_cores(OTHER_CORE):
        store = resources.enter_context(store_server(folder, save="", appendonly="no", enable_debug_command="yes"))
        made = World(folder=folder, upstream_port=free_port(), store_port=store.port)
        made.body().write_text(_BODY.replace("PRODUCT", "pro-license"))
        made.body(good=False).write_text(_BODY.replace("PRODUCT", "no-such-product"))
        command = nginx(
            HERE / "nginx" / "upstream.conf",
            folder / "upstream",
            {"PORT": str(made.upstream_port), "MODULES": _MODULES, "FOLDER": str(HERE / "nginx")},
        )
        wait_for_answer(resources.enter_context(process(command, {})), made.upstream_port)
        yield made


def nginx(template: Path, folder: Path, values: Mapping[str, str]) -> list[str]:
    """The command that runs an nginx of its own, with a configuration that is written into `folder`."""
    folder.mkdir()
    folder.chmod(0o755)
    fill(template, folder / "nginx.conf", values)
    binary = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx"
    return [binary, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def fill(template: Path, file: Path, values: Mapping[str, str]) -> None:
    """Write a template with its `@NAMES@` replaced."""
    text = template.read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    file.write_text(text)


def wait_for_answer(child: subprocess.Popen[bytes], port: int) -> None:
    """Wait until a process gives an answer of any kind.

    Raises:
        RuntimeError: it ended, or gives none.
    """
    deadline = time.monotonic() + _START_SECONDS
    while child.poll() is None and time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_START_SECONDS)
        try:
            connection.request("GET", "/livez")
            connection.getresponse().read()
        except OSError:
            time.sleep(_PAUSE_SECONDS)
        else:
            return
        finally:
            connection.close()
    raise RuntimeError(f"does not start: {child.args!r}")


@contextmanager
def process(command: list[str], environ: Mapping[str, str]) -> Generator[subprocess.Popen[bytes]]:
    """A child process that ends with the context. Its standard output is thrown away."""
    with subprocess.Popen(command, env={**os.environ, **environ}, stdout=subprocess.DEVNULL) as child:
        try:
            yield child
        finally:
            child.terminate()
            try:
                child.wait(timeout=30)
            except subprocess.TimeoutExpired:
                child.kill()
