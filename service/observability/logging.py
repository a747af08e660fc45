"""Log lines: one JSON object each (or colours on a terminal), of chosen fields, with secrets unable to pass."""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

import msgspec
import structlog

from service.config.secret import Secret

_encoder = msgspec.json.Encoder(enc_hook=lambda value: "***" if isinstance(value, Secret) else type(value).__name__)
_PRIVATE = frozenset(
    {"authorization", "key", "secret", "token", "password", "session_id", "email", "address", "ip", "body", "customer"}
)


def configure_logging(environ: Mapping[str, str], stream: TextIO | None = None) -> None:
    """Set up every logger of the process: `CHECKOUT_LOG` is `json` or `console`; unset, a terminal gets the console."""
    output = stream or sys.stdout
    style = environ.get("CHECKOUT_LOG") or ("console" if output.isatty() else "json")
    rendering: list[structlog.typing.Processor] = [_stamp, redact, _render_json]
    if style == "console":
        stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
        rendering = [stamp, redact, structlog.dev.ConsoleRenderer(colors=True)]
    structlog.configure(
        processors=[structlog.processors.add_log_level, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(output),
        cache_logger_on_first_use=True,
    )
    _adopt_standard_logging()


def redact(
    _logger: structlog.typing.WrappedLogger, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Blank the fields whose names say that they hold something private, whoever logs them."""
    if not _PRIVATE.isdisjoint(event):
        for name in event.keys() & _PRIVATE:
            event[name] = "***"
    return event


def _stamp(
    _logger: structlog.typing.WrappedLogger, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    event["timestamp"] = datetime.now(UTC)  # the encoder writes it, in less time than anything else here
    return event


def _render_json(_logger: structlog.typing.WrappedLogger, _method: str, event: MutableMapping[str, Any]) -> str:
    return _encoder.encode(event).decode()


class _ToStructlog(logging.Handler):
    """Sends what libraries log through the same lines, warnings and worse alone."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(record.levelno, "library.log", logger=record.name, text=_first_line(record))


def _first_line(record: logging.LogRecord) -> str:
    # The format string alone: arguments and tracebacks are where the private things are.
    return str(record.msg).splitlines()[0][:200] if record.msg else ""


def place_of(error: BaseException) -> str:
    """The module and line that an exception comes from: what a log may say of it, as its message may hold anything."""
    trace, place = error.__traceback__, "unknown"
    while trace is not None:
        place = f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


class reporting:  # noqa: N801  # reads as a verb: `with reporting("start.failed"):`
    """Logs a failure of its block by kind and place; with `go_on` the failure ends there."""

    def __init__(self, event: str, *, go_on: bool = False) -> None:
        self._event = event
        self._go_on = go_on

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        structlog.get_logger().error(self._event, error=type(error).__name__, place=place_of(error))
        return self._go_on


def _adopt_standard_logging() -> None:
    root = logging.getLogger()
    root.handlers = [_ToStructlog(level=logging.WARNING)]
    root.setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
