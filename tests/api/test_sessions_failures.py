"""A provider that fails in the midst of a change: the documented problem, and a record of what is known and no more."""

from collections.abc import Generator
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from service.store.embedded import EmbeddedStore
from tests.conftest import MakeBroker
from tests.support.config import default_toml
from tests.support.patience import wait_until
from tests.support.servers import Sandbox
from tests.support.sessions import CHANGES, Found, MadeSession, problem_of, running_broker

TWO = [{"product": "pro-license", "quantity": 2}, {"product": "team-license"}]
SESSIONS = "/v2/checkouts/acme/popup-checkout/sessions/*"
TIMES = "read_timeout = 0.3\ntotal_timeout = 0.4\nconnect_timeout = 0.3\n"
MISMATCH = "upstream-mismatch"


@pytest.fixture(scope="module")
def hasty_broker(
    store: EmbeddedStore, _sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Generator[httpx.Client]:
    """One broker for all of these tests, which gives the provider little time; successes between keep it asking."""
    toml = default_toml(_sandbox_server.url).replace("[upstreams.acme]\n", f"[upstreams.acme]\n{TIMES}")
    with running_broker(toml, store, tmp_path_factory.mktemp("hasty")) as broker:
        yield broker


@pytest.fixture
def made(hasty_broker: httpx.Client, sandbox: Sandbox, caller_headers: dict[str, str]) -> MadeSession:
    """A session of two products."""
    made = MadeSession(hasty_broker, caller_headers, items=TWO)
    assert made.is_linked()
    return made


def faults_of(sandbox: Sandbox) -> list[Any]:
    """The fault that befell each request but the first, which made the session."""
    return [request["fault"] for request in sandbox.requests()[1:]]


# The kind of fault, what becomes of it, and whether the change was certainly not made.
FAULTS: list[tuple[str, Found, bool]] = [
    ("bad_request", (422, "upstream-rejected", []), True),
    ("unauthorized", (422, "upstream-rejected", []), True),
    ("forbidden", (502, "upstream-credentials", []), True),
    ("throttled_404", (503, "upstream-throttled", []), True),
    ("too_many", (503, "upstream-throttled", []), True),
    ("error_500", (503, "upstream-unavailable", []), False),
    ("unavailable_503", (503, "upstream-unavailable", []), False),
    ("silent", (504, "upstream-timeout", []), False),
    ("slow", (504, "upstream-timeout", []), False),
    ("trickle", (504, "upstream-timeout", []), False),
    ("reset", (503, "upstream-unavailable", []), False),
    ("truncated", (502, "upstream-invalid", []), False),
    ("redirect", (502, "upstream-invalid", []), False),
    ("too_large", (502, "upstream-invalid", []), False),
    ("cut_json", (502, "upstream-invalid", []), False),
    ("html", (502, "upstream-invalid", []), False),
    ("empty", (502, "upstream-invalid", []), False),
]


@pytest.mark.parametrize(("kind", "problem", "was_not_made"), FAULTS, ids=[kind for kind, _, _ in FAULTS])
def test_fault(made: MadeSession, sandbox: Sandbox, kind: str, problem: Found, *, was_not_made: bool) -> None:
    """Each kind of fault is the documented problem and an access line that says whose it was; the link is gone."""
    before = made.record()
    sandbox.put_fault(kind, match={"pathPattern": SESSIONS})
    with capture_logs() as lines:
        answer = made.ask("update")
        wait_until(lambda: any("problem" in line for line in lines), "the access line")

    assert problem == problem_of(answer)
    assert {kind} == set(faults_of(sandbox))
    [line] = [line for line in lines if line["event"] == "request"]
    assert (problem[1], "acme", made.reference) == (line["problem"], line["upstream"], line["reference"])
    assert made.record() == (before if was_not_made else before | {"total": None})

    sandbox.put_fault("slow", seconds=0, times=0)
    assert not made.is_linked()
    assert (200, "314.00") == ((again := made.ask("update")).status_code, again.json()["total"]["amount"])


@pytest.mark.parametrize(
    ("kind", "slug"),
    [
        ("bad_request", "upstream-invalid"),
        ("unauthorized", "upstream-invalid"),
        ("throttled_404", "upstream-throttled"),
        ("error_500", "upstream-unavailable"),
        ("silent", "upstream-timeout"),
        ("cut_json", "upstream-invalid"),
    ],
)
def test_change_that_cannot_be_read_again(made: MadeSession, sandbox: Sandbox, kind: str, slug: str) -> None:
    """A change that was made and not read again leaves the total unknown, and is not told as one that was refused."""
    before = made.record()
    sandbox.put_fault(kind, match={"method": "GET", "pathPattern": SESSIONS})
    answer = made.ask("update")

    assert (slug, []) == problem_of(answer)[1:]
    assert answer.is_server_error
    assert [None, kind] == faults_of(sandbox)
    assert before | {"total": None} == made.record()


@pytest.mark.parametrize(
    ("lie", "problem"),
    [
        ("wrong_live", (502, MISMATCH, ["live"])),
        ("wrong_quantity", (502, MISMATCH, ["items[1].quantity"])),
        ("wrong_product", (502, MISMATCH, ["items[1].product"])),
        ("missing_item", (502, MISMATCH, ["items", "items[0].product", "items[1].product"])),
        ("missing_tag", (502, MISMATCH, ["orderTags.channel"])),
        ("foreign_url", (502, MISMATCH, ["checkoutUrl"])),
        ("expired_status", (502, MISMATCH, ["state"])),
        ("expired", (502, MISMATCH, ["expiresAt"])),
        ("extra_warning", (502, MISMATCH, ["country"])),
        ("hostile_id", (502, "upstream-invalid", [])),
        ("wrong_types", (502, "upstream-invalid", [])),
    ],
)
def test_lie_is_seen_through(made: MadeSession, sandbox: Sandbox, lie: str, problem: Found) -> None:
    """What is read again is compared with what was asked for; a mismatch stands in the timeline."""
    sandbox.put_fault(lie, match={"method": "GET"})
    found = problem_of(made.ask("update"))

    assert problem == (*found[:2], sorted(found[2]))
    assert [None, lie] == faults_of(sandbox)
    events = [entry["event"] for entry in made.record()["timeline"]]
    assert (["minted", "reused", "mismatch"] if problem[1] == MISMATCH else ["minted", "reused"]) == events


@pytest.mark.parametrize("name", [*CHANGES, "methods"])
def test_session_that_the_provider_does_not_know(made: MadeSession, sandbox: Sandbox, name: str) -> None:
    """A session that is gone at the provider is over, and the record stays as it was."""
    before = made.record()
    sandbox.reset()

    assert (409, "session-ended", []) == problem_of(made.ask(name))
    assert 1 == len(sandbox.requests())
    assert before == made.record()


def test_nobody_answers(make_broker: MakeBroker, sandbox: Sandbox, caller_headers: dict[str, str]) -> None:
    """A call that never left changed nothing: the total is still known, and a payment method is not."""
    toml = default_toml(sandbox.url)
    with_key = toml + '\n[store]\nkey_prefix = "nobody"\n'
    made = MadeSession(make_broker(with_key), caller_headers, items=TWO)
    before = made.record()
    made.broker = make_broker(with_key.replace(sandbox.url, "http://127.0.0.1:1"))

    for name in ("update", "methods"):
        assert (503, "upstream-unavailable", []) == problem_of(made.ask(name))
    assert before == made.record()


def test_changes_are_no_sessions_handed_out(made: MadeSession, caller_headers: dict[str, str]) -> None:
    """Reading, changing and previewing move no counter of sessions that were created, re-used or refused."""

    def counted(broker: httpx.Client) -> list[str]:
        lines = broker.get("/metrics", headers=caller_headers).text.splitlines()
        return [line for line in lines if line.startswith("checkout_sessions_total")]

    before = counted(made.broker)
    assert before
    for name in (*CHANGES, "read", "methods", "add"):
        made.ask(name)
    made.broker.post("/internal/checkout/preview", json={"items": TWO}, headers=caller_headers)

    assert before == counted(made.broker)
