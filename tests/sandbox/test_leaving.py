"""A client that leaves while an answer is streamed."""

from typing import Any

from service.sandbox.exchange import Exchange
from service.sandbox.faults import Fault
from service.sandbox.misbehaviour import MISBEHAVIOURS


async def test_an_endless_answer_hears_that_its_client_left() -> None:
    """Also where sending never waits, as on a lost connection, the streaming stops and lets others run."""
    sent = 0

    async def receive() -> Any:  # noqa: ANN401  # the framework's own union of messages
        return {"type": "http.disconnect"}

    async def send(_: object) -> None:
        nonlocal sent
        sent += 1

    scope: Any = {"method": "POST"}
    exchange = Exchange(lambda *_: send(None), scope, b"", receive, send)
    await MISBEHAVIOURS["too_large"](exchange, Fault(kind="too_large", mebibytes=1000))

    assert sent < 10
