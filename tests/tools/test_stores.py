"""The two families of store servers are what they are called."""

from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.support.stores import FAMILIES, Family, store_server


@pytest.mark.parametrize("family", FAMILIES)
async def test_family(family: Family, tmp_path: Path) -> None:
    """Valkey says that it is one, Redis does not; options reach both."""
    with store_server(tmp_path, family, maxmemory="7mb") as server:
        async with Redis(port=server.port, decode_responses=True) as client:
            about = await client.info("server")
            limit = await client.config_get("maxmemory")

    assert (family == "valkey") == ("valkey_version" in about)
    assert {"maxmemory": str(7 * 1024 * 1024)} == limit
