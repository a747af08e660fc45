"""References: their form, their order, and that none comes twice."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.checkout.reference import group_of, is_reference, new_reference
from tests.support.orders import NOW


def test_form() -> None:
    """A reference is `cs_` and 26 lower-case characters, and is recognised as one."""
    reference = new_reference(NOW)

    assert re.fullmatch(r"cs_[0-9a-z]{26}", reference)
    assert is_reference(reference)


@given(st.integers(min_value=0, max_value=10**10), st.integers(min_value=1, max_value=10**10))
def test_later_references_sort_after_earlier_ones(milliseconds: int, later_by: int) -> None:
    """References of different milliseconds sort as text in the order they were made."""
    earlier = NOW + timedelta(milliseconds=milliseconds)

    assert new_reference(earlier) < new_reference(earlier + timedelta(milliseconds=later_by))


def test_references_of_one_moment_differ() -> None:
    """Ten thousand references of one millisecond are ten thousand, and their random parts share no beginning."""
    references = {new_reference(NOW) for _ in range(10_000)}

    assert 10_000 == len(references)
    assert 32 == len({reference[13] for reference in references})


@pytest.mark.parametrize(
    "text", ["", "cs_", "cs_" + "0" * 25, "cs_" + "0" * 27, "cs_" + "0" * 25 + "\n", "cs_" + "I" * 26, "xx_" + "0" * 26]
)
def test_anything_else_is_no_reference(text: str) -> None:
    """Text of another length, alphabet or prefix is not looked up."""
    assert not is_reference(text)


def test_reference_of_a_group() -> None:
    """A reference ends with the group that is given, and has its time and 70 random bits before that all the same."""
    references = [new_reference(NOW, "ef") for _ in range(2_000)]

    assert {"ef"} == {group_of(reference) for reference in references}
    assert [32] * 14 == [len({reference[place] for reference in references}) for place in range(13, 27)]
    assert {new_reference(NOW)[:13]} == {reference[:13] for reference in references}
    assert all(is_reference(reference) for reference in references)
