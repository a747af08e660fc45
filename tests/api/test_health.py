"""The probes, and what the service counts."""

import re
import secrets
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest
from prometheus_client import CONTENT_TYPE_LATEST

from service.app import create_app
from tests.conftest import MakeBroker
from tests.support.config import CALLER_KEY, default_toml, settings_of
from tests.support.process import served
from tests.support.raw import exchange, request_bytes
from tests.support.servers import Sandbox, serving

CART = {"items": [{"product": "pro-license"}]}
CALLER = {"Authorization": f"Bearer {CALLER_KEY}"}


@pytest.fixture
def storeless_broker(sandbox: Sandbox, tmp_path: Path) -> Generator[httpx.Client]:
    """A broker whose store is not there."""
    key = tmp_path / "key"
    key.write_text("a" * 43 + "=")
    keys = f'seal_keys = [{{ file = "{key}" }}]\nhash_key = {{ file = "{key}" }}\n'
    toml = default_toml(sandbox.url) + f'\n[store]\nurl = "unix://{tmp_path}/none.sock"\n{keys}'
    with (
        serving(create_app(settings_of(toml, tmp_path))) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        yield client


def samples(broker: httpx.Client) -> dict[str, float]:
    """Every sample by its name and labels as written."""
    text = broker.get("/metrics", headers=CALLER).raise_for_status().text
    return {name: float(value) for name, value in re.findall(r"^(checkout_\S+) (\S+)$", text, re.MULTILINE)}


def moved(before: dict[str, float], after: dict[str, float]) -> set[str]:
    return {name for name, value in after.items() if value != before.get(name, 0.0) and "_created" not in name}


def test_probes_ask_nobody(storeless_broker: httpx.Client, sandbox: Sandbox) -> None:
    """With store and provider gone the process is alive and ready; only what stands in the store alone is 503."""
    sandbox.put_fault("error_500")
    answers = [storeless_broker.get(path) for path in ("/livez", "/readyz")]
    record = storeless_broker.get("/internal/sessions/cs_01kb2w8z4e6m3q9r7t5v1x0y2a", headers=CALLER)

    assert [(200, {"status": "ok"})] * 2 == [(answer.status_code, answer.json()) for answer in answers]
    assert (503, "/problems/store-required") == (record.status_code, record.json()["type"])
    assert [] == sandbox.requests()


def test_store_failures_are_counted(storeless_broker: httpx.Client) -> None:
    """Without the store a checkout is still created, and each failed operation moves a counter."""
    before = samples(storeless_broker)
    answer = storeless_broker.post("/checkout", json=CART, headers={"Buyer-Key": secrets.token_urlsafe(24)})
    changed = moved(before, samples(storeless_broker))

    assert 201 == answer.status_code
    assert [name for name in changed if name.startswith("checkout_store_failures_total")]


def test_create_and_reuse_are_counted(make_broker: MakeBroker) -> None:
    """One create and one re-use: sessions by outcome, requests by route and status, one upstream call, latencies."""
    broker = make_broker()
    headers = {"Buyer-Key": secrets.token_urlsafe(24)}
    before = samples(broker)
    for _ in range(2):
        broker.post("/checkout", json=CART, headers=headers)
    after = samples(broker)

    assert {
        'checkout_requests_total{method="POST",route="/checkout",status="201"}': 1,
        'checkout_requests_total{method="POST",route="/checkout",status="200"}': 1,
        'checkout_sessions_total{checkout="default",outcome="created"}': 1,
        'checkout_sessions_total{checkout="default",outcome="reused"}': 1,
        'checkout_upstream_calls_total{outcome="201",upstream="acme"}': 1,
        'checkout_upstream_seconds_count{upstream="acme"}': 1,
        'checkout_request_seconds_count{route="/checkout"}': 2,
        "checkout_limits_without_address_total": 1,
    } == {
        name: after[name] - before.get(name, 0)
        for name in moved(before, after)
        if not re.search(r'_bucket|_sum|"/metrics"', name)
    }


def test_failures_are_counted_by_kind(make_broker: MakeBroker, sandbox: Sandbox) -> None:
    """What the provider did and what became of the checkout can be told apart."""
    broker = make_broker()
    before = samples(broker)
    for fault in ("unavailable_503", "reset"):
        sandbox.put_fault(fault)
        broker.post("/checkout", json=CART)
    changed = moved(before, samples(broker))

    assert {
        'checkout_upstream_calls_total{outcome="503",upstream="acme"}',
        'checkout_upstream_calls_total{outcome="upstream-unavailable",upstream="acme"}',
        'checkout_sessions_total{checkout="default",outcome="upstream-unavailable"}',
    } <= changed


def test_version_is_shown(broker: httpx.Client) -> None:
    """Which version runs is a metric; the text is of the type that Prometheus reads."""
    content_type = broker.get("/metrics", headers=CALLER).headers["content-type"]

    assert CONTENT_TYPE_LATEST == content_type
    assert [1.0] == [value for name, value in samples(broker).items() if name.startswith("checkout_build_info")]


def test_metrics_of_all_workers(sandbox: Sandbox, tmp_path: Path) -> None:
    """With several processes one answer counts what all of them did."""
    toml = default_toml(sandbox.url).replace("[server]", "[server]\nworkers = 2", 1)
    with served(toml, tmp_path) as broker, httpx.Client(base_url=broker.url, trust_env=False) as client:
        for _ in range(20):
            exchange(broker.url, request_bytes("GET", "/readyz"))
        counted = samples(client)['checkout_requests_total{method="GET",route="/readyz",status="200"}']

    assert 20 == counted
