"""Every fault of a provider against every kind of request, over a real service: each cell is what is documented."""

import secrets
from collections.abc import Generator
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.providers.http import MAX_ANSWER_BYTES
from service.sandbox.app import create_sandbox
from tests.faults.config import config_of
from tests.faults.matrix import COLUMNS, FAULTS, PROBLEM_COLUMNS, Fault, hold, page
from tests.support.config import CALLER_KEY
from tests.support.patience import wait_until
from tests.support.servers import Sandbox, serving
from tests.support.services import Service, service

PAGE = Path(__file__).parent / "MATRIX.md"
CALLER = {"Authorization": f"Bearer {CALLER_KEY}"}
SESSIONS = "/v2/checkouts/acme/popup-checkout/sessions"
DIRECT = {"cart": {"lineItems": [{"productPath": "pro-license"}]}, "orderTags": {"channel": "web"}, "live": False}
ORDER: dict[str, Any] = {"items": [{"product": "pro-license"}], "country": "DE"}
NAMES = {fault: f"u{number}" for number, fault in enumerate(FAULTS)}


class World:
    """The service, a sandbox for all upstreams, and one that ends for the row where nobody listens."""

    def __init__(self, running: Service, sandbox: Sandbox, dying_url: str, dying: ExitStack) -> None:
        self.service = running
        self.sandbox = sandbox
        self.dying_url = dying_url
        self.dying = dying
        self.http = httpx.Client(base_url=running.url, trust_env=False, timeout=20)

    def create(self, upstream: str, buyer: str, *, caller: bool = False) -> httpx.Response:
        """A create over one of the two ways."""
        path, headers = ("/internal/checkout", CALLER) if caller else ("/checkout", {})
        return self.http.post(path, json=ORDER | {"checkout": upstream}, headers={"Buyer-Key": buyer, **headers})

    def access_line(self, answer: httpx.Response) -> dict[str, object]:
        """What the log says of a request."""

        def lines() -> list[dict[str, object]]:
            wanted = answer.headers["Request-Id"]
            return [line for line in self.service.running.named("request") if line["request_id"] == wanted]

        wait_until(lines, "the access line")
        return lines()[0]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """Everything in order; each row has an upstream of its own, so that no breaker tells another row's story."""
    folder = tmp_path_factory.mktemp("matrix")
    with ExitStack() as running, ExitStack() as dying:
        sandbox = Sandbox(running.enter_context(serving(create_sandbox())))
        running.callback(sandbox.close)
        dying_url = dying.enter_context(serving(create_sandbox()))
        urls = {name: sandbox.url if FAULTS[fault].kind else dying_url for fault, name in NAMES.items()}
        config = folder / "checkout.toml"
        config.write_text(config_of(urls, rate_limit_per_minute=0, read_timeout=0.5, total_timeout=3.0))
        (folder / "t").mkdir()
        started = running.enter_context(service(config, folder / "t"))
        world = World(started, sandbox, dying_url, dying)
        running.callback(world.http.close)
        yield world


def test_every_cell_is_as_documented(world: World) -> None:
    """Each fault, proved by a direct call to be in force, leads in every column to what is documented; the committed
    page says so.
    """
    seen = {name: row(world, name, fault) for name, fault in FAULTS.items()}

    for name, fault in FAULTS.items():
        documented = fault.documented()
        assert documented == {column: seen[name][column] for column in COLUMNS}, name
    header = ("provider", *COLUMNS, "access line")
    rows = [[name, *(cells[column] for column in header[1:])] for name, cells in seen.items()]
    notes = "`…` in an access line stands for the name of the upstream."
    hold(page("What a fault of the provider leads to", "test_matrix.py", notes, header, rows), PAGE)


def row(world: World, name: str, fault: Fault) -> dict[str, str]:
    """What the service does while a fault is in force, and after a session was made before it, where one was."""
    upstream, buyer = NAMES[name], secrets.token_urlsafe(24)
    world.sandbox.reset()
    made = world.create(upstream, buyer) if fault.known else None
    assert made is None or 201 == made.status_code, name
    break_it(world, fault)
    assert fault.seen == met(world, fault), name

    calls = len(world.sandbox.requests())
    others = {"re-use of a session": "-", "record of a session": "-"}
    if made is not None:
        others = {
            "re-use of a session": reused(world.create(upstream, buyer), made),
            "record of a session": str(record(world, made).status_code),
        }
    others["readiness"] = str(world.http.get("/readyz").status_code)
    assert calls == len(world.sandbox.requests()), f"{name}: nothing of this may ask the provider"

    creates = [world.create(upstream, secrets.token_urlsafe(24), caller=caller) for caller in (False, True)]
    lines = {access_line(world, answer, upstream) for answer in creates}
    assert 1 == len(lines), name
    [line] = lines
    assert line.endswith(fault.cause), name
    return dict(zip(PROBLEM_COLUMNS, map(described, creates), strict=True)) | others | {"access line": line}


def break_it(world: World, fault: Fault) -> None:
    """Put the fault in force."""
    if fault.kind is None:
        world.dying.close()
    else:
        world.sandbox.put_fault(fault.kind, **fault.options)


def met(world: World, fault: Fault) -> str:
    """What a direct call to the provider meets."""
    url = world.sandbox.url if fault.kind else world.dying_url
    credentials = httpx.BasicAuth("sandbox", "sandbox")
    try:
        answer = httpx.post(url + SESSIONS, json=DIRECT, auth=credentials, trust_env=False, timeout=0.5)
    except httpx.TransportError as error:
        return type(error).__name__
    return f"{answer.status_code} {spoiled(answer)}".rstrip()


def spoiled(answer: httpx.Response) -> str:
    """How a success differs from what was asked for; a page, a cut or an endless document by its form."""
    if answer.status_code != HTTPStatus.CREATED:
        return ""
    if not answer.headers["content-type"].startswith("application/json"):
        return "no JSON by its type"
    if len(answer.content) > MAX_ANSWER_BYTES:
        return "too large"
    try:
        session = answer.json()
    except ValueError:
        return "no JSON"
    host = httpx.URL(session["checkoutUrls"]["webcheckoutUrl"]).host
    facts = {
        "live": session["live"] is False,
        "quantity": [1] == [line["quantity"] for line in session["cart"]["lineItems"]],
        "tags": DIRECT["orderTags"] == session["orderTags"],
        "address": host == "127.0.0.1",
    }
    return "but " + " ".join(name for name, holds in facts.items() if not holds)


def described(answer: httpx.Response) -> str:
    """A problem in short."""
    problem = answer.json()
    extras = "".join(f" + {member}" for member in ("retryAfter", "fallbackUrl") if member in problem)
    assert ("retryAfter" in problem) == ("Retry-After" in answer.headers)
    return f"{answer.status_code} {problem['type'].rpartition('/')[2]}{extras}"


def reused(answer: httpx.Response, made: httpx.Response) -> str:
    same = answer.json().get("sessionId") == made.json()["sessionId"] and answer.json()["reused"]
    return f"{answer.status_code}, {'the same session' if same else 'another session'}"


def record(world: World, made: httpx.Response) -> httpx.Response:
    return world.http.get(f"/internal/sessions/{made.json()['reference']}", headers=CALLER)


def access_line(world: World, answer: httpx.Response, upstream: str) -> str:
    """Which problem, which upstream and why."""
    line = world.access_line(answer)
    assert upstream == line["upstream"]
    cause = f" cause={line['cause']}" if "cause" in line else ""
    return f"problem={line['problem']} upstream=…{cause}"
