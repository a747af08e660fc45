"""What can be done to a connection."""

from collections.abc import Callable

import httpx
import pytest
from litestar import Litestar


async def test_reset_needs_a_connection(client_of: Callable[[Litestar], httpx.AsyncClient], app: Litestar) -> None:
    """Where there is no connection to reset, the fault says what it needs instead of passing unseen."""
    async with client_of(app) as http:
        await http.put("/_sandbox/faults", json=[{"kind": "reset"}])

        with pytest.raises(ConnectionResetError, match="uvicorn"):
            await http.get("/v2/anything")
