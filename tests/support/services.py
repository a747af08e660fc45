"""The service in real processes, as `serve` starts it, with what a test asks of it."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.commands import Command, command, environment
from tests.support.config import CALLER_KEY, SECRETS
from tests.support.example import SECRETS as EXAMPLE_SECRETS
from tests.support.patience import wait_until
from tests.support.ports import free_port

ORDER = {"items": [{"product": "pro-license"}], "country": "DE"}


class Service:
    """A service in processes of its own, and where it answers."""

    def __init__(self, running: Command, port: int, temporary: Path) -> None:
        self.running = running
        self.url = f"http://127.0.0.1:{port}"
        self.temporary = temporary

    def create(self, buyer: str, idempotency_key: str | None = None) -> httpx.Response:
        """A session for a buyer, over a new connection, so that any worker may answer."""
        headers = {"Buyer-Key": buyer} | ({"Idempotency-Key": idempotency_key} if idempotency_key else {})
        return httpx.post(f"{self.url}/checkout", json=ORDER, headers=headers, trust_env=False, timeout=20)

    def metrics(self) -> dict[str, float]:
        """Every sample of /metrics."""
        headers = {"Authorization": f"Bearer {CALLER_KEY}"}
        text = httpx.get(f"{self.url}/metrics", headers=headers, trust_env=False).raise_for_status().text
        lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in lines}

    def descendants(self) -> list[int]:
        """Every process below it: workers, the store's guardian, the store."""
        found, left = [], [self.running.process.pid]
        while left:
            children = Path(f"/proc/{left[0]}/task/{left.pop(0)}/children").read_text().split()
            found += [int(child) for child in children]
            left += [int(child) for child in children]
        return found

    def workers(self) -> list[int]:
        """The worker processes."""
        return [pid for pid in self.descendants() if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


@contextmanager
def service(config: Path, temporary: Path, *, workers: int = 1, **variables: str) -> Generator[Service]:
    """A running service; `temporary` is where it makes what does not outlive it."""
    port = free_port()
    environ = environment(
        **SECRETS,
        **EXAMPLE_SECRETS,
        CHECKOUT_CONFIG=str(config),
        CHECKOUT_PORT=str(port),
        CHECKOUT_WORKERS=str(workers),
        TMPDIR=str(temporary),
        **variables,
    )
    with command("serve", output=config.with_name(f"{port}.log"), environ=environ) as running:
        # One line of each worker's own, once it has its application.
        wait_until(lambda: workers == len(running.named("serve.worker")), "the start of every worker")
        yield Service(running, port, temporary)
