"""What is kept of a session whose change failed: never more than is known."""

import asyncio

import pytest
from msgspec.structs import replace

from service.checkout.errors import (
    CheckoutError,
    OverloadedError,
    ProviderError,
    SessionEndedError,
    StoreRequiredError,
    UpstreamCredentialsError,
    UpstreamInvalidError,
    UpstreamMisconfiguredError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from service.checkout.session import Session
from tests.support.changing import HANDBOOK, ChangingWorld
from tests.support.orders import raising

CHANGED = [("pro-license", 2), ("handbook", 3)]


def cart(session: Session) -> list[tuple[str, int]]:
    return [(line.product, line.quantity) for line in session.items]


def unsent(error: ProviderError) -> ProviderError:
    error.sent = False
    return error


@pytest.mark.parametrize(
    "error",
    [
        UpstreamRejectedError("no"),
        UpstreamCredentialsError("no"),
        UpstreamMisconfiguredError("no"),
        UpstreamThrottledError("later"),
        SessionEndedError("unknown"),
        unsent(UpstreamUnavailableError("not reached")),
        unsent(UpstreamTimeoutError("no time left")),
        unsent(OverloadedError("full")),
    ],
)
async def test_change_that_was_not_made_leaves_the_record(error: CheckoutError) -> None:
    """After the provider's no, or a call that never left, the record is as before; the link is gone all the same."""
    world = ChangingWorld()
    session = await world.made()
    world.editor.meanwhile["add_item"] = raising(error)

    with pytest.raises(type(error)) as caught:
        await world.changes.add_item(session, HANDBOOK)

    assert session == world.record(session)
    assert not await world.is_linked(session)
    assert not isinstance(caught.value, ProviderError) or "acme" == caught.value.upstream


@pytest.mark.parametrize("where", ["add_item", "read"])
@pytest.mark.parametrize("kind", [UpstreamTimeoutError, UpstreamUnavailableError, UpstreamInvalidError])
async def test_total_is_null_where_nobody_knows_it(where: str, kind: type[ProviderError]) -> None:
    """When the change may have been made, or cannot be read again, no old total is told; the next change has it."""
    world = ChangingWorld()
    session = await world.made()
    world.editor.meanwhile[where] = raising(kind("broken"))

    with pytest.raises(kind):
        await world.changes.add_item(session, HANDBOOK)

    assert replace(session, total=None) == world.record(session)
    assert not await world.is_linked(session)
    world.editor.meanwhile.clear()
    changed = await world.changes.update_item(session, HANDBOOK)
    assert (CHANGED, "50.00") == (cart(changed), changed.total and changed.total.amount)


@pytest.mark.parametrize(
    ("error", "kind"),
    [(UpstreamRejectedError("no"), UpstreamInvalidError), (SessionEndedError("unknown"), SessionEndedError)],
)
async def test_reading_that_is_refused(error: CheckoutError, kind: type[CheckoutError]) -> None:
    """A no to the reading is no no to the change, which was made before: it is not told as one, the total is null."""
    world = ChangingWorld()
    session = await world.made()
    world.editor.meanwhile["read"] = raising(error)

    with pytest.raises(kind):
        await world.changes.add_item(session, HANDBOOK)
    assert None is world.record(session).total


async def test_unknown_total_stays_unknown_after_a_refusal() -> None:
    """A later no does not bring back a total that was unknown before it."""
    world = ChangingWorld()
    session = await world.made()
    for error in (UpstreamTimeoutError("late"), UpstreamRejectedError("no")):
        world.editor.meanwhile["add_item"] = raising(error)
        with pytest.raises(type(error)):
            await world.changes.add_item(session, HANDBOOK)

    assert None is world.record(session).total


@pytest.mark.parametrize("where", ["add_item", "read"])
async def test_cancelled_change_frees_the_session(where: str) -> None:
    """A change that is cancelled in its midst leaves an unknown total, and lets the next one in at once."""
    world = ChangingWorld()
    session = await world.made()
    reached = asyncio.Event()

    async def hang() -> None:
        reached.set()
        await asyncio.Event().wait()

    world.editor.meanwhile[where] = hang
    task = asyncio.create_task(world.changes.add_item(session, HANDBOOK))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert replace(session, total=None) == world.record(session)
    assert not await world.is_linked(session)
    world.editor.meanwhile.clear()
    assert CHANGED == cart(await world.changes.update_item(session, HANDBOOK))


async def test_provider_s_no_is_told_also_when_the_store_is_gone() -> None:
    """A store that fails after the provider's refusal does not hide it; the total stays unknown."""
    world = ChangingWorld()
    session = await world.made()

    async def lose_the_store() -> None:
        world.sessions.failure = StoreRequiredError("down")
        raise UpstreamRejectedError("no")

    world.editor.meanwhile["add_item"] = lose_the_store
    with pytest.raises(UpstreamRejectedError):
        await world.changes.add_item(session, HANDBOOK)
    assert None is world.record(session).total
