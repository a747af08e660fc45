"""Who calls are made for."""

import asyncio

from service.checkout.payer import current_payer, paying


async def test_payer_of_whatever_begins_inside() -> None:
    """A task pays for as long as it runs, also after the request that began it was answered; nobody else does."""
    left = asyncio.Event()

    async def made_in_the_background() -> str | None:
        await left.wait()
        return current_payer()

    with paying("ada"):
        task = asyncio.create_task(made_in_the_background())
        with paying(None):
            inner = current_payer()
        outer = current_payer()
    left.set()

    assert (None, "ada", None, "ada") == (inner, outer, current_payer(), await task)
