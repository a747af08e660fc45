"""What each worker process runs: the application of the configuration that the environment names."""

import gc
import multiprocessing
import os
import signal
import threading
from multiprocessing.process import BaseProcess
from pathlib import Path

import structlog

from service.api.edge import Edge
from service.app import create_app
from service.commands import load_or_exit
from service.observability import metrics
from service.observability.logging import configure_logging
from service.reload import Watcher
from service.startup import EMBEDDED_DIRECTORY, INTERNAL_PORT

_OBJECTS_BETWEEN_COLLECTIONS = 200_000  # tens of MiB, should all of them be garbage
log = structlog.get_logger()


def create() -> Edge:
    """The application; the parent has checked the configuration before."""
    configure_logging(os.environ)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    metrics.forget_ended_processes()
    loaded = load_or_exit(os.environ)
    directory = os.environ.get(EMBEDDED_DIRECTORY)
    watcher = Watcher(os.environ, loaded)
    port = os.environ.get(INTERNAL_PORT)
    app = create_app(
        loaded.settings,
        embedded=Path(directory) if directory else None,
        internal_port=int(port) if port else None,
        watcher=watcher,
    )
    _collect_rarely()
    log.info("serve.worker", pid=os.getpid())
    return app


def _collect_rarely() -> None:
    """What is there now stays for good, and nothing that a request makes lies in cycles.

    By default all that requests under way hold is looked through again and again, which took a fifth of the time with
    2,000 of them. While the application was made nothing was collected, and is not now: that would take longer than a
    few hundred KiB are worth.
    """
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    gc.enable()


def _end_with(parent: BaseProcess) -> None:
    """A worker whose parent was killed would hold the port for ever."""
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
