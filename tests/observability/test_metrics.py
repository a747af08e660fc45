"""The metrics that are promised: names stay, labels are of closed sets."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.multiprocess import MultiProcessCollector

from service.observability import metrics

PROMISED = {
    "checkout_requests": ("method", "route", "status"),
    "checkout_request_seconds": ("route",),
    "checkout_sessions": ("checkout", "outcome"),
    "checkout_upstream_calls": ("upstream", "outcome"),
    "checkout_upstream_seconds": ("upstream",),
    "checkout_upstream_retries": ("upstream",),
    "checkout_upstream_refused": ("upstream", "reason"),
    "checkout_upstream_in_flight": ("upstream",),
    "checkout_upstream_breakers_open": ("upstream",),
    "checkout_store_failures": ("kind",),
    "checkout_config_reloads": ("outcome",),
    "checkout_credentials_refused": ("upstream",),
    "checkout_build_info": ("version",),
    "checkout_client_address_refused": (),
    "checkout_limits_exceeded": ("kind", "verdict"),
    "checkout_limits_without_address": (),
    "checkout_challenges": ("outcome",),
}


def test_names_and_labels_stay() -> None:
    """Dashboards and alerts are written against these; none has a label that a stranger could fill."""
    found = [one for one in vars(metrics).values() if isinstance(one, MetricWrapperBase)]

    assert {next(iter(one.describe())).name: one._labelnames for one in found} == PROMISED  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # no reader of its own


def test_each_explains_itself() -> None:
    """Each has a help text that is a sentence."""
    found = [next(iter(one.describe())) for one in vars(metrics).values() if isinstance(one, MetricWrapperBase)]

    assert [] == [one.name for one in found if not one.documentation.endswith(".")]


_WORKER = """
import sys
from service.observability import metrics
metrics.UPSTREAM_IN_FLIGHT.labels("acme").inc()
metrics.BREAKERS_OPEN.labels("acme").inc()
print("counted", flush=True)
sys.stdin.read()
"""


def test_gauges_are_of_living_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What workers have under way is summed; what one that was killed had is dropped when another takes its place."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    workers = [started_worker() for _ in range(2)]
    both = in_all_workers()
    workers[0].kill()
    workers[0].communicate()
    still_both = in_all_workers()
    metrics.forget_ended_processes()
    one = in_all_workers()
    workers[1].communicate()

    assert [(2.0, 2.0), (2.0, 2.0), (1.0, 1.0)] == [both, still_both, one]


def test_one_process_has_nothing_to_forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without worker processes there are no files to look at."""
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    metrics.forget_ended_processes()


def started_worker() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", _WORKER]
    root = Path(__file__).parents[2]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root, env=dict(os.environ))
    assert worker.stdout is not None
    assert b"counted\n" == worker.stdout.readline()
    return worker


def in_all_workers() -> tuple[float | None, float | None]:
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # untyped in prometheus_client
    names = ("checkout_upstream_in_flight", "checkout_upstream_breakers_open")
    in_flight, breakers = (registry.get_sample_value(name, {"upstream": "acme"}) for name in names)
    return in_flight, breakers
