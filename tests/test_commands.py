"""`check` and `openapi`, by what they print and by their status."""

import json
import socket
from pathlib import Path

import pytest

from service import __version__
from service.__main__ import main
from service.commands import check, describe, load_or_exit, openapi
from service.settings import load_settings
from tests.support.commands import environment, finished
from tests.support.example import SECRETS, write_example
from tests.support.loading import MINIMAL


def test_check_prints_what_is_in_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every key with its value, defaults included; then warnings; then keys without an effect yet."""
    assert 0 == check(write_example(tmp_path))

    lines = capsys.readouterr().out.splitlines()
    assert "server.port = 8000" in lines
    assert "limits.per_ip_per_minute = 20" in lines
    assert 'checkouts.default.products = ["pro-license","team-*"]' in lines
    assert 'checkouts.default.payment_methods[0].when.country = ["DE","AT"]' in lines
    assert "upstreams.legacy.read_timeout = 5.0" in lines
    assert 'quotes.keys.2026-11.secret = "***"' in lines
    assert [line for line in lines if line.startswith("warning: checkouts.old.browser_contact: whoever knows")]
    assert "no effect yet: upstreams.acme.reconcile" in lines


def test_check_masks_every_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No secret of the example, and no hash key, is anywhere in the output; its mask is, once for each."""
    environ = write_example(tmp_path)
    check(environ)
    told = "".join(capsys.readouterr())

    assert [] == [secret for secret in (*SECRETS.values(), "hush") if secret in told]
    # Two seal keys and the hash key, two of the store, two pairs and one webhook secret, and so on.
    assert 18 == told.count("***")


def test_check_prints_no_key_twice(tmp_path: Path) -> None:
    """What is described can be read back by its path."""
    keys = [line.partition(" = ")[0] for line in describe(load_settings(write_example(tmp_path)).settings)]

    assert len(set(keys)) == len(keys)


def test_check_quotes_names(tmp_path: Path) -> None:
    """A dotted name stands in quotes, as in the file."""
    file = tmp_path / "checkout.toml"
    file.write_text(MINIMAL.replace("[checkouts.default]", '[checkouts."eu.shop"]'))
    lines = describe(load_settings({"CHECKOUT_CONFIG": str(file), **SECRETS}).settings)

    assert 'checkouts."eu.shop".live = true' in list(lines)


def test_check_prints_every_fault(tmp_path: Path) -> None:
    """On the standard error, each line with file, key path and mend; status 2."""
    file, missing = tmp_path / "checkout.toml", "the environment variable FS_PASSWORD is missing or empty: set it"
    file.write_text(MINIMAL + "xyzzy = 1\n[server]\nport = 0\n")
    done = finished("check", environ=environment(CHECKOUT_CONFIG=str(file), FS_USER="u"))

    assert [
        f"{file}: checkouts.default.xyzzy: unknown key: remove it",
        f"{file}: server.port: expected `int` >= 1, for example 8000",
        f"{file}: upstreams.acme.credentials[0].password: {missing}",
    ] == done.stderr.splitlines()
    assert (2, "") == (done.returncode, done.stdout)


def test_serve_refuses_before_it_listens(tmp_path: Path) -> None:
    """With a fault `serve` ends with status 2, although its port is taken: it never asked for it."""
    file = tmp_path / "checkout.toml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        file.write_text(f"[server]\nport = {taken.getsockname()[1]}\n{MINIMAL}xyzzy = 1\n")
        done = finished("serve", environ=environment(CHECKOUT_CONFIG=str(file), **SECRETS))

    assert (2, f"{file}: checkouts.default.xyzzy: unknown key: remove it\n") == (done.returncode, done.stderr)


def test_load_or_exit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Other commands end with status 2 as well."""
    with pytest.raises(SystemExit) as caught:
        load_or_exit({"CHECKOUT_CONFIG": str(tmp_path / "gone.toml")})

    assert 2 == caught.value.code
    assert "gone.toml: cannot be read" in capsys.readouterr().err
    assert "default" in load_or_exit(write_example(tmp_path)).settings.checkouts


def test_openapi_is_written_and_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was written compares as equal; what is missing, changed or no text does not, and the mend is said."""
    file = tmp_path / "new" / "openapi.json"

    assert 1 == openapi(file, compare=True)
    assert 0 == openapi(file, compare=False)
    assert 0 == openapi(file, compare=True)
    assert "3.1" == json.loads(file.read_text())["openapi"][:3]
    file.write_bytes(b"\xff")
    assert 1 == openapi(file, compare=True)
    assert 2 == capsys.readouterr().err.count("run `python -m service openapi` and commit it")


def test_commands_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The command line leads to the commands, and refuses what it does not know."""
    for name, value in write_example(tmp_path).items():
        monkeypatch.setenv(name, value)
    file = tmp_path / "openapi.json"

    assert 0 == main(["check"])
    assert 0 == main(["openapi", str(file)])
    assert 0 == main(["openapi", "--compare", str(file)])
    for wrong in ([], ["nonsense"], ["sandbox", "--port", "http"], ["sandbox", "--port", "99999"]):
        with pytest.raises(SystemExit, match="2"):
            main(wrong)
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out.endswith(f"{__version__}\n")
