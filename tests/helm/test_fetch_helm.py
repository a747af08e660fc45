"""Fetching Helm: once, and with a sentence that helps where it cannot be done."""

import os
import platform
import sys
from pathlib import Path

import pytest

from tests.tools import fetch_helm


@pytest.fixture
def other_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Pretend to be an ARM machine whose PATH holds this directory alone."""
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    return tmp_path


def test_installed_helm_elsewhere(other_machine: Path) -> None:
    """On another machine the Helm of the PATH serves."""
    helm = other_machine / "helm"
    helm.touch(mode=0o755)

    assert helm == fetch_helm.helm_binary(4)


def test_no_helm_elsewhere(other_machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On another machine without one, the command fails and says how to get it."""
    assert 1 == fetch_helm.main()
    assert "Helm 3 is fetched on x86-64 Linux only" in capsys.readouterr().err


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="Helm is fetched on x86-64 Linux only"
)
def test_fetched_once(tmp_path: Path) -> None:
    """What the lock names and is there already is not fetched again."""
    (tmp_path / "helm.lock").write_bytes(fetch_helm.LOCK.read_bytes())

    assert tmp_path / "helm3" == fetch_helm.helm_binary(3, tools=tmp_path)
    assert ["helm.lock"] == [path.name for path in tmp_path.iterdir()]
