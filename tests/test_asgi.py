"""What the processes of `serve` hold: no more than the configuration asks for, as it costs time and memory."""

import json
import subprocess
import sys
from pathlib import Path

from tests.support.commands import environment
from tests.support.config import SECRETS, default_toml

ROOT = Path(__file__).parent.parent
LOADED = "import json, sys; print(json.dumps([gc.isenabled(), *sys.modules]))"


def loaded(code: str, tmp_path: Path) -> list[object]:
    """Whether the collector runs after some code, and all modules that are loaded then."""
    config = tmp_path / "checkout.toml"
    config.write_text(default_toml("http://127.0.0.1:1"))
    environ = environment(**SECRETS, CHECKOUT_CONFIG=str(config))
    command = [sys.executable, "-c", f"import gc; {code}; {LOADED}"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=30, check=True)
    found: list[object] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_worker_loads_what_it_needs(tmp_path: Path) -> None:
    """Other providers, and the library of tokens and quotes, are left out where nothing of the file needs them."""
    made = loaded("from service.asgi import create; create()", tmp_path)

    assert {"litestar", "redis", "service.providers.fastspring_v2"} <= {*made}
    assert set() == {*made} & {
        "joserfc",
        "cryptography.x509",
        "cryptography.hazmat.primitives.serialization",
        "service.providers.fastspring_v1",
        "service.providers.paynow_gg",
        "service.sandbox",
    }


def test_the_parent_of_workers_stays_small(tmp_path: Path) -> None:
    """It checks the configuration and supervises: framework, store client and cryptography are the workers' own."""
    made = loaded("import service.serve", tmp_path)

    assert "service.settings" in made
    assert set() == {*made} & {"litestar", "redis", "cryptography", "joserfc", "service.app", "service.asgi"}


def test_the_collector_runs_again(tmp_path: Path) -> None:
    """It rests while a process starts, and no longer."""
    assert False is loaded("gc.disable()", tmp_path)[0]
    assert True is loaded("gc.disable(); from service.asgi import create; create()", tmp_path)[0]
