"""The rate budget of one process."""

from service.resilience.rate import LocalRate
from tests.support.clock import MovedClock


async def test_so_many_in_any_minute() -> None:
    """Three are granted; the fourth is told when the first is a minute old, and is granted then, and no sooner."""
    clock = MovedClock()
    rate = LocalRate(3, clock)
    waits = []
    for _ in range(3):
        waits.append(await rate.take())
        clock.move(5.0)
    refused = await rate.take()
    clock.move(refused - 0.01)
    still_refused = await rate.take()
    clock.move(0.02)

    assert [0.0] * 3 == waits
    assert 44.9 < refused <= 45.0
    assert 0 < still_refused < 0.02
    assert 0.0 == await rate.take()
    assert 4.9 < await rate.take() <= 5.0
