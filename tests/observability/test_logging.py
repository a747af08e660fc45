"""Log lines: one JSON object each, of chosen fields."""

import io
import json
import logging
from collections.abc import Generator

import pytest
import structlog

from service.config.secret import Secret
from service.observability.logging import configure_logging, reporting


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restored_logging() -> Generator[None]:
    """Leaves the logging of the test run as it was."""
    root, configuration = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.configure(**configuration)


def logged(style: str = "json") -> io.StringIO:
    stream = io.StringIO()
    configure_logging({"CHECKOUT_LOG": style}, stream)
    return stream


def test_line_is_one_json_object() -> None:
    """Whatever a value holds, an event is one line that parses."""
    stream = logged()
    structlog.get_logger().info("thing.done", text="a\r\nb\u2028\x1b[31m\x00", number=2)
    [line] = stream.getvalue().split("\n")[:-1]
    event = json.loads(line)

    assert event.pop("timestamp").endswith("Z")
    assert {"event": "thing.done", "level": "info", "text": "a\r\nb\u2028\x1b[31m\x00", "number": 2} == event


def test_secrets_cannot_pass() -> None:
    """A secret is `***` wherever it stands, a field with a private name too, and an unknown object is only its type."""
    stream = logged()
    structlog.get_logger().warning(
        "thing.failed", cause=Secret("canary"), password="canary", email="canary", session_id="canary", thing=object()
    )
    event = json.loads(stream.getvalue())

    assert "canary" not in stream.getvalue()
    assert ["***", "***", "***", "***", "object"] == [
        event[name] for name in ("cause", "password", "email", "session_id", "thing")
    ]


def test_console_for_people() -> None:
    """`console` prints words and colours instead of JSON."""
    stream = logged("console")
    structlog.get_logger().info("thing.done", number=2)

    assert "thing.done" in stream.getvalue()
    assert "\x1b[" in stream.getvalue()


@pytest.mark.parametrize(("stream", "is_json"), [(io.StringIO(), True), (Terminal(), False)])
def test_terminal_gets_the_console(stream: io.StringIO, is_json: bool) -> None:  # noqa: FBT001  # a case
    """Without `CHECKOUT_LOG` a terminal is for people and everything else for machines."""
    configure_logging({}, stream)
    structlog.get_logger().info("thing.done")

    assert is_json == stream.getvalue().startswith("{")


def test_failure_of_a_block_is_reported() -> None:
    """A failure is logged by kind and place, never by its message; only with `go_on` does it end there."""
    stream = logged()
    with reporting("thing.failed", go_on=True):
        int("canary")
    with pytest.raises(ValueError, match="canary"), reporting("other.failed"):
        int("canary")
    with pytest.raises(KeyboardInterrupt), reporting("not.reported", go_on=True):
        raise KeyboardInterrupt
    events = [json.loads(line) for line in stream.getvalue().splitlines()]

    assert "canary" not in stream.getvalue()
    assert [("thing.failed", "ValueError"), ("other.failed", "ValueError")] == [
        (event["event"], event["error"]) for event in events
    ]
    assert all(".test_logging:" in f".{event['place']}" for event in events)


def test_libraries_speak_through_the_same_lines() -> None:
    """What a library warns of is a line of ours: its first line, without arguments and without a traceback."""
    stream = logged()
    library = logging.getLogger("some.library")
    library.warning("cannot reach %s\nsecond line", "canary")
    library.info("not worth a line")
    try:
        int("canary")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
    logging.getLogger("uvicorn.access").info("canary")
    library.error("")
    events = [json.loads(line) for line in stream.getvalue().splitlines()]

    assert "canary" not in stream.getvalue()
    assert [
        ("some.library", "cannot reach %s", "warning"),
        ("uvicorn.error", "Exception in ASGI application", "error"),
        ("some.library", "", "error"),
    ] == [(event["logger"], event["text"], event["level"]) for event in events]
