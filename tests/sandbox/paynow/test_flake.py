"""FlakeIds."""

from datetime import UTC, datetime

import pytest

from service.sandbox.paynow.flake import flake_id, is_flake_id


@pytest.mark.parametrize("text", ["0", "7", "411486491630370816", "9223372036854775807", "9223372036854775799"])
def test_flake_ids(text: str) -> None:
    """Up to 19 digits below 2 to the 63 are a flake id."""
    assert is_flake_id(text)


@pytest.mark.parametrize(
    "text", ["", "-1", "1.0", "1e3", "0x1", " 1", "1\n", "٣", "9223372036854775808", "9999999999999999999", "1" * 20]
)
def test_no_flake_ids(text: str) -> None:
    """Signs, other digits, line ends and whatever does not fit into 63 bits are none."""
    assert not is_flake_id(text)


def test_pattern_ends_exactly_at_the_largest() -> None:
    """Around the largest number, each one is taken or refused by its value alone."""
    limit = 2**63
    numbers = [limit + offset * 10**power for power in range(18) for offset in range(-9, 10)]

    assert [number < limit for number in numbers] == [is_flake_id(str(number)) for number in numbers]


def test_time_of_a_flake_id() -> None:
    """The upper bits are the milliseconds since PayNow's epoch; within one of them the number tells apart."""
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    first, second = (int(flake_id(noon, number)) for number in (5, 6))

    assert (1_767_268_800_000, 1) == ((first >> 22) + 1_645_568_542_000, second - first)
