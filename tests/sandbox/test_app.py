"""Putting the sandbox together."""

from collections.abc import Callable

import httpx
from litestar import Litestar, get

from service.sandbox.app import create_sandbox, discover


def test_finds_the_providers_by_itself() -> None:
    """Every module that ends in SANDBOX is played, without a list of them."""
    assert {"fastspring_v1", "fastspring_v2", "fastspring_events"} <= {sandbox.name for sandbox in discover()}


async def test_takes_further_handlers(client_of: Callable[[Litestar], httpx.AsyncClient]) -> None:
    """Whoever runs it may serve pages of its own from the same address."""

    @get("/")
    async def home() -> str:
        return "shop"

    async with client_of(create_sandbox(extra_handlers=[home])) as http:
        assert "shop" == (await http.get("/")).text


async def test_unknown_path(buyer: httpx.AsyncClient) -> None:
    """A path that belongs to no provider is not found."""
    answer = await buyer.get("/nope")

    assert (404, {"message": "Not Found"}) == (answer.status_code, answer.json())
