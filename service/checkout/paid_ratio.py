"""How many of the sessions made lately were paid: where hardly any are, somebody may be trying out stolen cards.

The steps, by the share of paid among the sessions that a checkout made within an hour:

| share | each address has | browsers are asked for a challenge |
|---|---|---|
| the floor or more | its whole limit | only over a limit |
| below the floor | a half of it | only over a limit |
| below a half of the floor | a half of it | always, where one is configured |
| below a quarter of the floor | a quarter of it | always, where one is configured |

An address always has at least one session a minute, so nobody is locked out. Nothing of this happens before a payment
of that checkout was seen, as none may ever be told of, nor before there are enough sessions to judge by.
"""

from typing import Literal, NamedTuple, Protocol

from service.checkout.fingerprint import Hasher

Happening = Literal["minted", "paid"]
_ENOUGH = 50


class Hour(NamedTuple):
    """What happened in a checkout within the last hour; `ever_paid` tells of a month."""

    minted: int
    paid: int
    ever_paid: bool


class PaidStore(Protocol):
    """Counts by the hour. While the store is down nothing is counted, and nothing known."""

    async def note(self, key: str, happening: Happening) -> None:
        """It happened once more."""
        ...

    async def last_hour(self, key: str) -> Hour:
        """What happened."""
        ...


class Step(NamedTuple):
    """How strict to be: by what the address limit is divided, and whether every browser is asked for a challenge."""

    divisor: int
    asks: bool


AS_USUAL = Step(1, asks=False)
SLOWER = Step(2, asks=False)
ASKING = Step(2, asks=True)
SLOWEST = Step(4, asks=True)


class PaidRatio:
    """The share of paid sessions of each checkout, and what follows from it; a floor of 0 turns it off."""

    def __init__(self, floor: float, store: PaidStore, hasher: Hasher) -> None:
        self._floor = floor
        self._store = store
        self._hasher = hasher

    async def note(self, checkout: str, happening: Happening) -> None:
        """Count a session that was made, or one whose payment is known."""
        if self._floor:
            await self._store.note(self._key(checkout), happening)

    async def step(self, checkout: str) -> Step:
        """How strict to be now."""
        if not self._floor:
            return AS_USUAL
        return step_at(self._floor, await self._store.last_hour(self._key(checkout)))

    def _key(self, checkout: str) -> str:
        return self._hasher.limit("paid", checkout)


def step_at(floor: float, hour: Hour) -> Step:
    """What follows from an hour."""
    if not hour.ever_paid or hour.minted < _ENOUGH or hour.paid >= floor * hour.minted:
        return AS_USUAL
    if hour.paid >= floor / 2 * hour.minted:
        return SLOWER
    return ASKING if hour.paid >= floor / 4 * hour.minted else SLOWEST
