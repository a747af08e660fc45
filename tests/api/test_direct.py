"""The short way of the one hot route: what it answers is what the framework's way answers."""

import httpx
import pytest
from prometheus_client import REGISTRY

from tests.api.conftest import Send
from tests.support.raw import exchange
from tests.support.servers import Sandbox

ORDER = b'{"items":[{"product":"pro-license"}]}'
BODIES = {
    "good": ORDER,
    "no JSON": b"{",
    "unknown checkout": b'{"items":[{"product":"a"}],"checkout":"none"}',
    "refused by a rule": b'{"items":[{"product":"a"},{"product":"a"}]}',
    "too large": b" " * 70_000,
}
USUAL_HOST, UNUSUAL_HOST = "broker", "[::1]"  # the second goes the framework's way


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_both_ways_answer_alike(send: Send, body: bytes) -> None:
    """Status, headers and the members of the body are the same on either way."""
    answers = [
        send("POST", "/checkout", content=body, headers={"Content-Type": "application/json", "Host": host})
        for host in (USUAL_HOST, UNUSUAL_HOST)
    ]
    [direct, framework] = [
        (answer.status_code, {name.lower() for name in answer.headers}, [*answer.json()]) for answer in answers
    ]

    assert framework == direct


@pytest.mark.parametrize("host", [b"bro ker", b"broker/x", b"br\xc3\xb6ker", b'broker"'])
def test_malformed_host_is_refused(broker: httpx.Client, sandbox: Sandbox, host: bytes) -> None:
    """What no host can be is 400, as on every other route."""
    length = b"Content-Type: application/json\r\nConnection: close\r\nContent-Length: %d" % len(ORDER)
    answer = exchange(
        str(broker.base_url), b"POST /checkout HTTP/1.1\r\nHost: %b\r\n%b\r\n\r\n%b" % (host, length, ORDER)
    )

    assert 400 == answer.status
    assert [] == sandbox.requests()


def test_route_is_counted(send: Send) -> None:
    """The metrics know it by its route on either way."""
    labels = {"method": "POST", "route": "/checkout", "status": "400"}
    before = REGISTRY.get_sample_value("checkout_requests_total", labels) or 0
    for host in (USUAL_HOST, UNUSUAL_HOST):
        send("POST", "/checkout", content=b"{", headers={"Content-Type": "application/json", "Host": host})

    assert before + 2 == REGISTRY.get_sample_value("checkout_requests_total", labels)
