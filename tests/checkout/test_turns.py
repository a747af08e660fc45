"""What one of many makes is for all, and a turn that nobody gives up has an end."""

import asyncio

import pytest

from service.checkout.turns import in_turn
from tests.support.orders import MemoryTurns


def soon(seconds: float = 8.0) -> float:
    """When an answer is due."""
    return asyncio.get_running_loop().time() + seconds


async def fit(thing: str, is_new: bool) -> str | None:  # noqa: FBT001  # as it is called
    """Whatever is there fits, but for what is old."""
    return None if thing == "old" else thing


async def test_what_is_there_is_taken() -> None:
    """Nothing is made when there is something that fits."""
    turns: MemoryTurns[str] = MemoryTurns()
    turns.put("key", "there")

    async def make(_: bytes | None) -> str:
        pytest.fail("nobody needs another")

    assert "there" == await in_turn(turns, "key", make=make, fit=fit, answer_by=soon())


@pytest.mark.parametrize(("there", "wants_another"), [("old", False), ("there", True)])
async def test_what_does_not_fit_is_made_anew(there: str, *, wants_another: bool) -> None:
    """What does not fit, or is not wanted, makes way; the turn is given up in the end."""
    turns: MemoryTurns[str] = MemoryTurns()
    turns.put("key", there)
    claims: list[bytes | None] = []

    async def make(claim: bytes | None) -> str:
        claims.append(claim)
        return "new"

    assert "new" == await in_turn(turns, "key", make=make, fit=fit, answer_by=soon(), wants_another=wants_another)
    assert [True] == [bool(claim) for claim in claims]
    assert {} == turns.claims


async def test_what_comes_while_we_wait_is_new_enough() -> None:
    """Who wishes for another one takes what was being made when they came."""
    turns: MemoryTurns[str] = MemoryTurns()
    notes: list[bytes] = []
    ours = await turns.take("key", note=b"at work")

    async def make(_: bytes | None) -> str:
        pytest.fail("somebody made it")

    waiting = asyncio.create_task(
        in_turn(turns, "key", make=make, fit=fit, answer_by=soon(), meet=notes.append, wants_another=True)
    )
    await asyncio.sleep(0.15)
    turns.put("key", "made")
    async with turns.hold("key", ours.claim or b""):
        pass

    assert "made" == await waiting
    assert {b"at work"} == set(notes)


async def test_failure_gives_the_turn_up() -> None:
    """Whoever fails leaves the turn to the next one."""
    turns: MemoryTurns[str] = MemoryTurns()

    async def fail(_: bytes | None) -> str:
        raise LookupError

    with pytest.raises(LookupError):
        await in_turn(turns, "key", make=fail, fit=fit, answer_by=soon())
    assert {} == turns.claims


async def test_patience_ends() -> None:
    """Nobody waits for longer than a browser does."""
    turns: MemoryTurns[str] = MemoryTurns()
    await turns.take("key")

    async def make(_: bytes | None) -> str:
        pytest.fail("it is not our turn")

    with pytest.raises(TimeoutError):
        await in_turn(
            turns,
            "key",
            make=make,
            fit=fit,
            answer_by=soon(1.6),  # of which 1.5 s are for the making
        )
