"""The service as its user runs it, in a process of its own, with upstreams of the test's choice."""

import json
import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.config import config_of
from tests.support.services import Service, service

StartService = Callable[..., Service]


@pytest.fixture
def start_service(tmp_path: Path) -> Generator[StartService]:
    """Starts a service: `start_service({"acme": url}, max_concurrency=16)`. What it runs with is printed.

    Its store is the bundled one, or at `store`, by the keys of SEAL_KEY and HASH_KEY.
    """
    with ExitStack() as running:

        def start(urls: dict[str, str], *, workers: int = 1, store: str | None = None, **limits: float) -> Service:
            config = tmp_path / "checkout.toml"
            config.write_text(config_of(urls, store=store, **limits))
            where = store.partition("://")[0] if store else "embedded"
            sys.stdout.write(f"{workers} worker(s), {where} store, upstreams {sorted(urls)}, {json.dumps(limits)}\n")
            temporary = tmp_path / "t"
            temporary.mkdir()
            return running.enter_context(service(config, temporary, workers=workers))

        yield start
