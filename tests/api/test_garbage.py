"""Whether requests leave garbage that only a collection finds: workers collect rarely, so that nobody waits for it."""

import gc
import secrets
from collections.abc import Generator
from pathlib import Path
from types import FrameType

import httpx
import pytest

from service.api.protocol import BoundedProtocol
from service.app import create_app
from service.store.embedded import EmbeddedStore
from tests.support.config import default_toml, settings_of
from tests.support.raw import exchange
from tests.support.servers import Sandbox, serving

ORDER = {"items": [{"product": "pro-license"}]}
UNKNOWN_CHECKOUT = {**ORDER, "checkout": "none"}
TIMES = 3  # with the one before too few to open a breaker


def left_by(broker: httpx.Client, bodies: list[object], key: str, *raw: bytes) -> list[str]:
    """The kinds of our own objects that these requests leave in cycles."""
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.disable()
    try:
        for body in bodies:
            broker.post("/checkout", json=body, headers={"Buyer-Key": key} if key else {})
        for one in raw:
            exchange(str(broker.base_url), one)
        broker.get("/livez")  # the answer before may not be sent to its end until there is another
        gc.collect()
    finally:
        gc.enable()
        gc.set_debug(0)
    found = [_kind(one) for one in gc.garbage]
    gc.garbage.clear()
    return [kind for kind in found if kind.startswith("service.")]


def _kind(found: object) -> str:
    if isinstance(found, FrameType):
        return f"{found.f_globals.get('__name__')}: {found.f_code.co_qualname}"
    return f"{type(found).__module__}.{type(found).__qualname__}"


@pytest.fixture
def own_broker(store: EmbeddedStore, sandbox: Sandbox, tmp_path: Path) -> Generator[httpx.Client]:
    """A broker of one test, as its breaker may open, behind the protocol that it is served by."""
    settings = settings_of(default_toml(sandbox.url), tmp_path)
    with (
        serving(create_app(settings, embedded=store.directory), http=BoundedProtocol) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=20) as client,
    ):
        yield client


@pytest.mark.parametrize("body", [ORDER, {**ORDER, "fresh": True}, UNKNOWN_CHECKOUT, {"items": []}])
def test_requests_leave_none(own_broker: httpx.Client, body: object) -> None:
    """Sessions handed out again, new ones and refusals."""
    key = secrets.token_urlsafe(24)
    own_broker.post("/checkout", json=body, headers={"Buyer-Key": key})

    assert [] == left_by(own_broker, [body] * TIMES, key)


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_closing_connections_leave_none(own_broker: httpx.Client, version: bytes) -> None:
    """As proxies close them that speak HTTP/1.0, or ask for it."""
    ask = b"HEAD /livez HTTP/%b\r\nHost: broker\r\nConnection: close\r\n\r\n" % version

    assert [] == left_by(own_broker, [], "", *([ask] * TIMES))


@pytest.mark.parametrize("fault", ["error_500", "reset", "wrong_quantity", "bad_request"])
def test_failures_leave_none(own_broker: httpx.Client, sandbox: Sandbox, fault: str) -> None:
    """While the provider fails as well, when each error leads to the frames that it came through."""
    sandbox.put_fault(fault)
    answer = own_broker.post("/checkout", json=ORDER, headers={"Buyer-Key": secrets.token_urlsafe(24)})

    assert answer.status_code not in {200, 201}
    assert [] == left_by(own_broker, [ORDER], secrets.token_urlsafe(24))
    assert [] == left_by(own_broker, [ORDER], "")  # shared with nobody
