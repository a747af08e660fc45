"""Our own lag is not the provider's slowness: a burst of requests must not look like a provider that is gone."""

import asyncio

import httpx
import pytest

from service.providers.transport import create_transport
from tests.support.threaded import answering_in_threads, lag_until_done

TURN_SECONDS = 0.1
SECONDS = {"connect": 0.08, "read": 0.08, "pool": 9.0}


async def body_from(transport: httpx.AsyncBaseTransport, url: str) -> bytes:
    """What is answered there."""
    request = httpx.Request("POST", url, content=b"{}", extensions={"timeout": SECONDS})
    response = await transport.handle_async_request(request)
    try:
        return await response.aread()
    finally:
        await response.aclose()


@pytest.mark.parametrize("is_kept", [True, False], ids=["kept-connection", "new-connection"])
async def test_own_lag_is_not_the_provider_s(is_kept: bool) -> None:  # noqa: FBT001  # a table's column
    """An answer that came in time is taken, and a connection made, also where we look too late."""
    transport = create_transport(1)
    with answering_in_threads(b"whole") as url:
        if is_kept:
            assert b"whole" == await body_from(transport, url)
        exchange = asyncio.create_task(body_from(transport, url))
        await lag_until_done(exchange, TURN_SECONDS)
        await transport.aclose()

    assert b"whole" == await exchange
