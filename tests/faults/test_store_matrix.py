"""Every fault of the store against every kind of request, over a service of two processes: each cell as documented."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from pathlib import Path

import httpx

from service.store import session_key
from tests.faults.load import Answered, offer
from tests.faults.matrix import hold, page
from tests.faults.recovery import left_alone, recovered
from tests.faults.store_faults import Stage, fault
from tests.faults.store_matrix import CALM, COLUMNS, FAULTS, KIND, LEFT_ALONE, StoreFault
from tests.support.config import CALLER_KEY
from tests.support.proxy import proxy
from tests.support.servers import Sandbox
from tests.support.services import ORDER, Service
from tests.support.stores import store_server

PAGE = Path(__file__).parent / "STORE_MATRIX.md"
CALLER = {"Authorization": f"Bearer {CALLER_KEY}"}
TRIES = 3  # as the store may be left alone for the machine's sake
WORKERS = 2
StartService = Callable[..., Service]


class World:
    """A service, and two sessions that were made while everything was in order: one with an idempotency key."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.keyed = {"Buyer-Key": secrets.token_urlsafe(24), "Idempotency-Key": secrets.token_hex(8)}
        self.plain = {"Buyer-Key": secrets.token_urlsafe(24)}
        self.answered, self.made = self.create(self.keyed), self.create(self.plain)
        assert [201, 201] == [self.answered.status_code, self.made.status_code]

    def create(self, headers: dict[str, str], path: str = "/checkout") -> httpx.Response:
        """A create over a connection of its own."""
        return self.ask("POST", path, json=ORDER | {"checkout": "acme"}, headers=headers)

    def ask(self, method: str, path: str, **options: object) -> httpx.Response:
        """A request over a connection of its own."""
        return httpx.request(method, self.service.url + path, trust_env=False, timeout=20, **options)  # type: ignore[arg-type]  # of as many types as httpx has options

    def row(self) -> dict[str, str]:
        """What is answered now in each column."""
        record = self.ask("GET", f"/internal/sessions/{self.made.json()['reference']}", headers=CALLER)
        again = (self.create(self.keyed), self.create(self.plain))
        new = {"Buyer-Key": secrets.token_urlsafe(24)}
        by_caller = self.create(new | CALLER, "/internal/checkout")
        cells = (
            described(self.create({"Buyer-Key": secrets.token_urlsafe(24)})),
            f"{repeated(again[0], self.answered)} · {repeated(again[1], self.made)}",
            f"{described(by_caller)} · {described(record)}",
            described(self.ask("POST", "/webhooks/acme", content=b"{}")).partition(" ")[0],
            described(self.ask("GET", "/readyz")),
        )
        return dict(zip(COLUMNS, cells, strict=True))


def described(answer: httpx.Response) -> str:
    """The status, and the problem where it is one."""
    if answer.status_code < HTTPStatus.BAD_REQUEST:
        return str(answer.status_code)
    slug = answer.json()["type"].rpartition("/")[2]
    return f"{answer.status_code} {slug}" if answer.status_code != HTTPStatus.NOT_FOUND else "404"


def repeated(answer: httpx.Response, first: httpx.Response) -> str:
    """How the answer to a repeated create compares to the first one."""
    if answer.headers.get("Idempotent-Replayed") and answer.json() == first.json():
        return f"{answer.status_code}, replayed"
    same = answer.json().get("sessionId") == first.json()["sessionId"] and answer.json()["reused"]
    return f"{answer.status_code}, {'the same session' if same else 'another session'}"


async def test_every_cell_is_as_documented(start_service: StartService, sandbox: Sandbox, tmp_path: Path) -> None:
    """Each fault, proved by a direct script to be in force, leads in every column to what is documented, costs the
    first requests no more than the store's share of their time and is over within 5 s; the committed page says so.
    """
    seen: dict[str, dict[str, str]] = {}
    with store_server(tmp_path, appendonly="yes") as server:
        async with proxy(server.port) as before:
            stage = Stage(server, before, tmp_path)
            service = start_service(
                {"acme": sandbox.url}, workers=WORKERS, store=stage.url, rate_limit_per_minute=100_000
            )
            await offer(service.url, "acme", per_second=40, seconds=0.5)  # connections and imports
            usual = max(one.seconds for one in await offer(service.url, "acme", per_second=40, seconds=0.5))
            for name, row in FAULTS.items():
                for _ in range(TRIES):
                    seen[name] = await cells(service, stage, name, row, usual)
                    took = await recovered(service)
                    assert took <= 5.0, name
                    if seen[name] == row.documented():
                        break

    assert {name: row.documented() for name, row in FAULTS.items()} == seen
    header = ("store", *COLUMNS, KIND, LEFT_ALONE)
    rows = [[name, *row.values()] for name, row in seen.items()]
    notes = (
        "A request waits 0.3 s at most, as far as its process gets time; a store that is left alone costs nothing.\n"
        "Replay: the same `Idempotency-Key`; re-use: the same buyer and cart without one."
    )
    hold(page("What a fault of the store leads to", "test_store_matrix.py", notes, header, rows), PAGE)


async def cells(service: Service, stage: Stage, name: str, row: StoreFault, usual: float) -> dict[str, str]:
    """A row, and what holds in each of them."""
    world, counted = await asyncio.to_thread(World, service), await asyncio.to_thread(failures, service)
    lines = len(service.running.named("store.unavailable"))
    with fault(stage, row.make, session_key("checkout", world.made.json()["reference"])) as met:
        assert row.met == met, name
        first = await met_by_every_worker(service, row)
        assert {201} == {one.status for one in first}, name
        assert max(one.seconds for one in first) <= usual + 0.3 + 1.0, name
        answers = await asyncio.to_thread(world.row)
        after = await asyncio.to_thread(failures, service)
        is_left_alone = left_alone(service)
    failed = after - counted
    rare_enough(service.running.named("store.unavailable")[lines:], failed.total())
    return answers | {KIND: named(row, set(failed)), LEFT_ALONE: is_left_alone_as(row, is_left_alone)}


async def met_by_every_worker(service: Service, row: StoreFault) -> list[Answered]:
    """The first requests after a fault, until each worker that will leave the store alone does."""
    first = await offer(service.url, "acme", per_second=200, seconds=0.1)
    async with asyncio.timeout(10):
        while row.left_alone and left_alone(service) < WORKERS:
            first += await offer(service.url, "acme", per_second=200, seconds=0.05)
    return first


def failures(service: Service) -> Counter[str]:
    """The failures of the store so far, by kind."""
    name = 'checkout_store_failures_total{kind="'
    samples = service.metrics().items()
    return Counter(
        {key.removeprefix(name).removesuffix('"}'): int(value) for key, value in samples if key.startswith(name)}
    )


def named(row: StoreFault, kinds: set[str]) -> str:
    """The kind of a fault. Beside it there may be others: of what waited, came later, or met the end of the fault."""
    return row.kind if row.kind in kinds or row.kind == CALM else ", ".join(sorted(kinds))


def is_left_alone_as(row: StoreFault, workers: int) -> str:
    """Whether the store is left alone. Where it need not be it may be all the same, as some faults make it slow too."""
    return "yes" if workers and row.left_alone else "no"


def rare_enough(lines: list[dict[str, object]], failed: int) -> None:
    """One line a second and process: the next one after one of each is a second later."""
    times = [datetime.fromisoformat(str(line["timestamp"])) for line in lines]
    gaps = [(later - earlier).total_seconds() for earlier, later in zip(times, times[WORKERS:], strict=False)]
    assert [] == [gap for gap in gaps if gap < 0.99]
    assert failed > len(lines) or not failed
