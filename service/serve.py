"""Runs the service: one process, or a parent with workers, with the bundled store under it when that is configured.

What only a worker needs is named, not imported, so that the parent stays small.
"""

import gc
import os
import socket
import tempfile
from contextlib import ExitStack
from pathlib import Path

import structlog
import uvicorn
from uvicorn.supervisors import Multiprocess

from service.api.connections import raise_limit
from service.api.settings import ServerSettings
from service.commands import load_or_exit
from service.observability.logging import configure_logging
from service.reload import log_advice
from service.settings import Settings
from service.startup import EMBEDDED_DIRECTORY, INTERNAL_PORT, end_on_signals, fail, listen, url_of
from service.store.address import parse_address
from service.store.embedded import EmbeddedStore, EmbeddedStoreError

_KEEP_ALIVE_SECONDS = 75  # above the 60 s of common load balancers, so that they close idle connections, not we
log = structlog.get_logger()


def serve() -> int:
    """Serve until a signal ends it. Status 2 when the configuration is invalid, before a port is opened."""
    loaded = load_or_exit(os.environ)
    settings = loaded.settings
    configure_logging(os.environ)
    log_advice(loaded)
    end_on_signals()
    raise_limit()
    with ExitStack() as resources:
        server = settings.server
        listeners = _listen(server, resources)
        _start_store(settings, resources)
        url, internal_url = url_of(listeners[0]), url_of(listeners[-1]) if server.internal_port else None
        log.info("serve.started", url=url, internal_url=internal_url, workers=server.workers)
        if server.workers > 1:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = resources.enter_context(tempfile.TemporaryDirectory())
        return _run(settings, listeners)


def _listen(server: ServerSettings, resources: ExitStack) -> list[socket.socket]:
    """The public listener and, when there is one, the internal one; every worker accepts from both."""
    mend = "change server.host, server.port, CHECKOUT_HOST or CHECKOUT_PORT"
    listeners = [resources.enter_context(listen(server.host, server.port, mend))]
    os.environ.pop(INTERNAL_PORT, None)
    if server.internal_port is not None:
        mend = "change server.host, server.internal_port or CHECKOUT_HOST"
        listeners.append(resources.enter_context(listen(server.host, server.internal_port, mend)))
        os.environ[INTERNAL_PORT] = str(server.internal_port)
    return listeners


def _start_store(settings: Settings, resources: ExitStack) -> None:
    address = parse_address(settings.store.url)
    if address.scheme != "embedded":
        return
    try:
        store = resources.enter_context(EmbeddedStore(Path(address.path) if address.path else None))
    except EmbeddedStoreError as error:
        fail(str(error))
    os.environ[EMBEDDED_DIRECTORY] = str(store.directory)


def _run(settings: Settings, listeners: list[socket.socket]) -> int:
    """The status: that of uvicorn's own start failure when the application did not start."""
    config = _uvicorn_config(settings)
    if settings.server.workers > 1:
        gc.enable()  # this process is complete; its workers see to theirs
        parent = Multiprocess(config, sockets=listeners)
        parent.run()
        return max(0, *(process.exitcode or 0 for process in parent.processes))
    server = uvicorn.Server(config)
    server.run(sockets=listeners)
    return 0


def _uvicorn_config(settings: Settings) -> uvicorn.Config:
    """It must not touch forwarding headers: the buyer's address is our own decision."""
    return uvicorn.Config(
        "service.asgi:create",
        factory=True,
        http="service.api.protocol:BoundedProtocol",
        lifespan="on",
        workers=settings.server.workers,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        ws="none",
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.server.drain_seconds,
    )
