"""Is the process alive, may it be sent requests, and what it counts. Neither probe asks the store or a provider:
one dependency must not take every replica out at once.
"""

import os

from litestar import Router, get
from litestar.response.base import ASGIResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from service.api import asker, spec
from service.api.runtime import AppRequest, runtime_of

_OK = b'{"status":"ok"}'


@get("/livez", **spec.LIVE)
async def livez() -> ASGIResponse:
    """Whether the process is alive."""
    return ASGIResponse(body=_OK, media_type="application/json")


@get("/readyz", **spec.READY)
async def readyz() -> ASGIResponse:
    """Whether requests may be sent here."""
    return ASGIResponse(body=_OK, media_type="application/json")


@get("/metrics", **spec.METRICS)
async def read_metrics(request: AppRequest) -> ASGIResponse:
    """The metrics of all worker processes, for a caller of scope `metrics:read`.

    Where `internal_port` is set they are on that listener, open to all who reach it.
    """
    asker.authenticate(request, runtime_of(request)).require("metrics:read")
    return _metrics()


@get("/metrics")
async def read_open_metrics() -> ASGIResponse:
    """The same on a listener that strangers cannot reach."""
    return _metrics()


def _metrics() -> ASGIResponse:
    return ASGIResponse(body=generate_latest(_registry()), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _registry() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # untyped in prometheus_client
    return registry


probes = Router("/", route_handlers=[livez, readyz], tags=["Operations"])
metrics_for_callers = Router("/", route_handlers=[read_metrics], tags=["Operations"])
open_metrics = Router("/", route_handlers=[read_open_metrics])
