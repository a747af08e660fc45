"""What goes over a connection is proved on both loops: asyncio's, and uvloop, which the service runs on."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop

_BOTH = ("test_connection", "test_transport", "test_http_cancellation", "test_http_failures", "test_http_tls")


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Asked by pytest-asyncio for each test."""
    loops: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    return loops | {"uvloop": uvloop.new_event_loop} if item.path.stem.startswith(_BOTH) else loops
