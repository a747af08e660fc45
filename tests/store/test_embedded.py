"""The bundled store: private, gone with its owner however that ends, and clear about why it does not start."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from redis import Redis, RedisError

from service.store.embedded import EmbeddedStore, EmbeddedStoreError, keys_of, socket_of
from tests.support.patience import wait_until

_ROOT = Path(__file__).parents[2]
OWNER = """
import sys, time
from service.store.embedded import EmbeddedStore
with EmbeddedStore() as store:
    print(store.directory, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """A temporary directory of this test alone, with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="t") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


def server_of(directory: Path) -> tuple[int, int]:
    """The processes behind a running store: the server and its guardian."""
    with Redis(unix_socket_path=str(socket_of(directory))) as client:
        server = int(client.info("server")["process_id"])
    status = Path(f"/proc/{server}/status").read_text()
    return server, int(status.partition("PPid:")[2].split()[0])


def is_gone(pid: int) -> bool:
    """Whether a process has ended."""
    status = Path(f"/proc/{pid}/status")
    return not status.exists() or "State:\tZ" in status.read_text()


def test_private() -> None:
    """Only this user can reach it: a directory of its own, a socket in it, and no port."""
    with EmbeddedStore() as store:
        with Redis(unix_socket_path=str(socket_of(store.directory))) as client:
            assert (True, 0) == (client.ping(), client.info("server")["tcp_port"])
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (store.directory, socket_of(store.directory))]

    assert [0o700, 0o700] == modes


def test_gone_when_left(temporary: Path) -> None:
    """Server, guardian and directory are gone when the owner has closed it."""
    with EmbeddedStore() as store:
        pids = server_of(store.directory)
        assert [store.directory] == list(temporary.iterdir())

    assert [True, True] == [is_gone(pid) for pid in pids]
    assert [] == list(temporary.iterdir())


def test_gone_when_its_owner_is_killed(temporary: Path) -> None:
    """Server, guardian and directory, keys included, are gone soon after kill -9 of the owner."""
    owner = subprocess.Popen([sys.executable, "-c", OWNER], cwd=_ROOT, stdout=subprocess.PIPE)
    with owner:
        assert owner.stdout
        directory = Path(owner.stdout.readline().decode().strip())
        pids = server_of(directory)
        assert [False, False] == [is_gone(pid) for pid in pids]
        owner.kill()

    wait_until(lambda: all(is_gone(pid) for pid in pids), "the end of the server")
    wait_until(lambda: not list(temporary.iterdir()), "the end of its directory")


def test_gone_when_left_after_its_guardian_was_killed(tmp_path: Path, temporary: Path) -> None:
    """The server of a guardian that was killed goes on, ends with the owner all the same, and keeps what it has."""
    with EmbeddedStore(tmp_path / "data") as store:
        server, guardian = server_of(store.directory)
        os.kill(guardian, signal.SIGKILL)
        wait_until(lambda: is_gone(guardian), "the end of the guardian")
        with Redis(unix_socket_path=str(socket_of(store.directory))) as client:
            client.set("key", "1", ex=60)

    wait_until(lambda: is_gone(server), "the end of the server")
    assert [] == list(temporary.iterdir())
    with EmbeddedStore(tmp_path / "data") as store, Redis(unix_socket_path=str(socket_of(store.directory))) as client:
        assert b"1" == client.get("key")


def test_a_server_that_died_is_started_again() -> None:
    """What the system killed comes back at the same place, under the same guardian.

    A SIGTERM to the whole group reaches the guardian too: it goes on as long as its owner does.
    """
    with EmbeddedStore() as store:
        server, guardian = server_of(store.directory)
        os.kill(guardian, signal.SIGTERM)
        os.kill(server, signal.SIGKILL)
        wait_until(lambda: answers(store.directory), "the new server")
        again = server_of(store.directory)

    assert server != again[0]
    assert guardian == again[1]


def answers(directory: Path) -> bool:
    """Whether there is a server."""
    with Redis(unix_socket_path=str(socket_of(directory))) as client:
        try:
            return bool(client.ping())
        except RedisError:
            return False


def test_keys_of_its_own() -> None:
    """Each start makes new keys, and the two differ."""
    with EmbeddedStore() as one, EmbeddedStore() as other:
        keys = [*keys_of(one.directory), *keys_of(other.directory)]

    assert (4, {32}) == (len(set(keys)), {len(key) for key in keys})


def test_kept_data(tmp_path: Path) -> None:
    """With a directory it remembers; without it forgets."""
    for expected in (None, b"1"):
        with (
            EmbeddedStore(tmp_path / "data") as store,
            Redis(unix_socket_path=str(socket_of(store.directory))) as client,
        ):
            assert expected == client.get("key")
            client.set("key", "1", ex=60)
    with EmbeddedStore() as store, Redis(unix_socket_path=str(socket_of(store.directory))) as client:
        assert None is client.get("key")


def test_one_data_directory_for_one_service(tmp_path: Path, temporary: Path) -> None:
    """A second service on the same data is refused, and the first is not harmed."""
    data = tmp_path / "data"
    with EmbeddedStore(data) as store:
        with pytest.raises(EmbeddedStoreError) as caught, EmbeddedStore(data):
            pass
        assert [store.directory] == list(temporary.iterdir())
        with Redis(unix_socket_path=str(socket_of(store.directory))) as client:
            assert client.ping()

    assert f"the bundled store did not start: another service keeps its data in {data}" == str(caught.value)


def test_unusable_data_directory(tmp_path: Path, temporary: Path) -> None:
    """The reason is said, and nothing is left behind."""
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedStoreError, match=r"did not start: .*Not a directory") as caught:
        EmbeddedStore(tmp_path / "file" / "data").__enter__()

    assert 1 == len(str(caught.value).splitlines())
    assert [] == list(temporary.iterdir())


def test_broken_data(tmp_path: Path, temporary: Path) -> None:
    """The server's own last word is passed on."""
    with EmbeddedStore(tmp_path):
        pass
    (manifest,) = (tmp_path / "appendonlydir").glob("*.manifest")
    manifest.write_text("broken\n")
    with pytest.raises(EmbeddedStoreError, match=r"did not start: .*died during startup.* Invalid AOF manifest"):
        EmbeddedStore(tmp_path).__enter__()

    assert [] == list(temporary.iterdir())


def test_guardian_that_cannot_run(monkeypatch: pytest.MonkeyPatch, temporary: Path) -> None:
    """An installation that is not whole ends in a sentence too."""
    monkeypatch.setattr(sys, "executable", "/bin/true")
    with pytest.raises(EmbeddedStoreError, match="did not start: its guardian ended without a word"):
        EmbeddedStore().__enter__()

    assert [] == list(temporary.iterdir())


def test_files_are_private(tmp_path: Path) -> None:
    """No other user can read what the store keeps, nor its keys, whatever the operator's umask is."""
    data, before = tmp_path / "new" / "data", os.umask(0o000)
    try:
        with EmbeddedStore(data) as store, Redis(unix_socket_path=str(socket_of(store.directory))) as client:
            client.set("key", "1", ex=60)
            client.save()
            kept = [data, *data.rglob("*"), *store.directory.iterdir()]
            open_to_others = [str(path) for path in kept if stat.S_IMODE(path.stat().st_mode) & 0o077]
    finally:
        os.umask(before)

    assert {"hash_key", "seal_key", "in-use", "dump.rdb", "appendonlydir"} <= {path.name for path in kept}
    assert [] == open_to_others
