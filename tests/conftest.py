"""What most tests need: a real store, a real sandbox, and brokers over real HTTP."""

import secrets
from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from prometheus_client import generate_latest

from service.app import create_app
from service.resources import Seams
from service.sandbox.app import create_sandbox
from service.store.embedded import EmbeddedStore
from tests.support import overheard
from tests.support.config import CALLER_KEY, default_toml, settings_of
from tests.support.servers import Sandbox, serving

MakeBroker = Callable[..., httpx.Client]


_UNMEASURED = tuple(Path(__file__).parent / name for name in ("benchmarks", "faults", "fuzz"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Coverage is of tests about a module: beside load and fuzzing it would take longer than both, and add nothing."""
    for item in items:
        if any(item.path.is_relative_to(folder) for folder in _UNMEASURED):
            item.add_marker("no_cover")


@pytest.fixture(scope="module", autouse=True)
def _processes_are_unmeasured(request: pytest.FixtureRequest) -> Generator[None]:
    """So it is in the processes that they start."""
    with pytest.MonkeyPatch.context() as patch:
        if any(request.path.is_relative_to(folder) for folder in _UNMEASURED):
            patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test in which the service logged something private fails, whatever it is about."""
    report = yield
    if report.passed and (lines := overheard.in_console(report.capstdout + report.capstderr)):
        report.outcome, report.longrepr = "failed", "\n".join(["logged something private:", *lines])
    return report


@pytest.fixture(scope="session", autouse=True)
def _logs_are_clean(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """So does the run where a process did."""
    yield
    assert [] == list(overheard.in_files(tmp_path_factory.getbasetemp()))
    assert None is overheard.PRIVATE.search(generate_latest().decode())


@pytest.fixture(scope="session")
def store() -> Generator[EmbeddedStore]:
    """A bundled Valkey server for the whole run."""
    with EmbeddedStore() as running:
        yield running
        assert [] == list(overheard.in_store(running.directory))


@pytest.fixture(scope="session")
def _sandbox_server() -> Generator[Sandbox]:
    with serving(create_sandbox()) as url:
        sandbox = Sandbox(url)
        yield sandbox
        sandbox.close()


@pytest.fixture
def sandbox(_sandbox_server: Sandbox) -> Sandbox:
    """The sandbox upstreams, with nothing left from other tests."""
    _sandbox_server.reset()
    return _sandbox_server


@pytest.fixture
def make_broker(store: EmbeddedStore, sandbox: Sandbox, tmp_path: Path) -> Generator[MakeBroker]:
    """Starts a broker: `make_broker(toml, seams)`, both optional; the client trusts no environment."""
    with ExitStack() as running:

        def make(toml: str | None = None, seams: Seams | None = None) -> httpx.Client:
            text = default_toml(sandbox.url) if toml is None else toml
            if "[store]" not in text:
                text += f'\n[store]\nkey_prefix = "t-{secrets.token_hex(4)}"\n'
            app = create_app(settings_of(text, tmp_path), embedded=store.directory, seams=seams)
            url = running.enter_context(serving(app))
            return running.enter_context(httpx.Client(base_url=url, trust_env=False))

        yield make


@pytest.fixture
def broker(make_broker: MakeBroker) -> httpx.Client:
    """A broker with the usual configuration."""
    return make_broker()


@pytest.fixture
def buyer_key() -> str:
    """A buyer of this test alone."""
    return secrets.token_urlsafe(24)


@pytest.fixture
def caller_headers() -> dict[str, str]:
    """The credentials of the caller `backoffice`."""
    return {"Authorization": f"Bearer {CALLER_KEY}"}


@pytest.fixture(autouse=True)
def _patient_with_the_store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers share the machine's cores with the tests, and may be slow for that; what is slow has tests of its own."""
    if request.path.name not in {"test_commands.py", "test_lag.py"}:
        monkeypatch.setattr("service.store.commands._SLOW_TICKS", 15)
        monkeypatch.setattr("service.store.commands._LONGEST_TICKS", 20)
