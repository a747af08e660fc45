"""Expiry over a real store, by clocks that are wrong: as time goes by, nothing is handed out that is about to end."""

from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from msgspec.structs import replace

from service.checkout.buyer import Buyer
from service.checkout.errors import SessionEndedError
from tests.support.orders import CHECKOUT, NOW, REQUEST
from tests.support.replicas import Replica
from tests.support.stores import store_server
from tests.support.truth import Truth

SKEWS = [timedelta(seconds=seconds) for seconds in (-90, 0, 90)]
# Its provider is not asked, and so can say of no session that it has expired.
UNASKED = replace(CHECKOUT, verify_after_seconds=86400, order_tags={"channel": "web"})
STEP = timedelta(seconds=15)
SHARED = Buyer(key="s" * 24)
REPEATING = Buyer(key="r" * 24)


class Shop:
    """Replicas with wrong clocks, and how much life each session had left by true time when it was handed out."""

    def __init__(self, truth: Truth, replicas: list[Replica]) -> None:
        self.truth = truth
        self.replicas = replicas
        self.left: dict[str, list[timedelta]] = {}

    async def ask(self, replica: Replica, buyer: Buyer, key: str | None = None) -> None:
        try:
            session_id = (await replica.service.create(REQUEST, buyer, key)).session.session_id
        except SessionEndedError:
            assert key
            session_id = (await replica.service.create(replace(REQUEST, fresh=True), buyer, key)).session.session_id
        self.left.setdefault(session_id, []).append(self.truth.left_of(session_id))

    async def open_until(self, end: timedelta) -> timedelta:
        """Each replica is asked by its own buyer, by one of all, and by one with a key; the least life is given."""
        while self.truth.clock.now <= NOW + end:
            for index, replica in enumerate(self.replicas):
                await self.ask(replica, Buyer(key=str(index) * 24))
                await self.ask(replica, SHARED)
                await self.ask(replica, REPEATING, "k1")
            self.truth.clock.now += STEP
        return min(min(left) for left in self.left.values())


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Generator[int]:
    """Where a real server listens."""
    with store_server(tmp_path_factory.mktemp("store")) as server:
        yield server.port


@pytest.fixture
async def shop(port: int, request: pytest.FixtureRequest) -> AsyncGenerator[Shop]:
    """A shop with the margin that a test names; its sessions live for an hour."""
    margin: int = request.param
    truth, settings = Truth(), replace(UNASKED, expiry_margin_seconds=margin)
    replicas = [Replica(truth, port, f"margin-{margin}", skew=skew, settings=settings) for skew in SKEWS]
    async with AsyncExitStack() as opened:
        for replica in replicas:
            opened.push_async_callback(replica.close)
        yield Shop(truth, replicas)


@pytest.mark.parametrize("shop", [300], indirect=True)
async def test_margin_is_more_than_clocks_are_wrong(shop: Shop) -> None:
    """Across an expiry, with clocks 90 s behind and ahead: nothing with less than a minute left, and re-use before."""
    least = await shop.open_until(timedelta(minutes=75))

    assert 10 == len(shop.truth.made)  # two each of five buyers: re-use goes on for as long as it may
    assert timedelta(seconds=300 - 90) <= least <= timedelta(seconds=300 - 90) + STEP


@pytest.mark.parametrize("shop", [0], indirect=True)
async def test_without_a_margin_the_fault_shows(shop: Shop) -> None:
    """The control: with nothing to spare, a clock that is behind hands out what has expired."""
    assert timedelta() > await shop.open_until(timedelta(minutes=75))
