"""Sealed values open with our keys, at their place, unchanged, and in no other way."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.checkout.models import Money
from service.store.sealing import SealedStructs, Sealer, UnreadableValueError

OLD, NEW = b"o" * 32, b"n" * 32
PLACE = "checkout:v1:session:cs_1"


def test_opens_what_it_sealed() -> None:
    """And the value does not stand in what is stored."""
    sealer = Sealer((NEW,))
    sealed = sealer.seal(b"OS260101", PLACE)

    assert b"OS260101" == sealer.open(sealed, PLACE)
    assert b"OS260101" not in sealed


def test_never_the_same_twice() -> None:
    """Equal values cannot be told to be equal."""
    sealer = Sealer((NEW,))

    assert 100 == len({sealer.seal(b"x", PLACE) for _ in range(100)})


def test_a_value_moved_elsewhere_is_no_value() -> None:
    """Who can write to the store cannot hand one buyer's session to another."""
    sealer = Sealer((NEW,))
    with pytest.raises(UnreadableValueError):
        sealer.open(sealer.seal(b"x", PLACE), PLACE + "x")


def test_rotation() -> None:
    """The newest key seals, every key opens; a key that was taken out opens nothing."""
    before, during, after = Sealer((OLD,)), Sealer((NEW, OLD)), Sealer((NEW,))

    assert b"x" == during.open(before.seal(b"x", PLACE), PLACE)
    assert b"x" == after.open(during.seal(b"x", PLACE), PLACE)
    with pytest.raises(UnreadableValueError):
        after.open(before.seal(b"x", PLACE), PLACE)


def test_every_changed_bit_is_noticed() -> None:
    """A flipped bit anywhere, a missing byte or one too many: no value, and no other error."""
    sealer = Sealer((NEW, OLD))
    sealed = sealer.seal(b"value", PLACE)
    changed = [
        sealed[:at] + bytes([sealed[at] ^ (1 << bit)]) + sealed[at + 1 :]
        for at in range(len(sealed))
        for bit in range(8)
    ]
    for one in [*changed, *(sealed[:length] for length in range(len(sealed))), sealed + b"\0"]:
        with pytest.raises(UnreadableValueError):
            sealer.open(one, PLACE)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda rest: Sealer((NEW,)).seal(b"", PLACE)[:17] + rest))
def test_what_we_did_not_seal_is_unreadable(stored: bytes) -> None:
    """Bytes of another format, or of ours with another content, are no value."""
    with pytest.raises(UnreadableValueError):
        Sealer((NEW,)).open(stored, PLACE)


def test_copies_are_as_good_as_values_sealed_one_by_one() -> None:
    """Each of a struct's copies opens at its own place, and at no other."""
    sealed = SealedStructs(Sealer((NEW,)), Money)
    total = Money(amount="49.00", currency="EUR", display="49,00 €")
    places = ("record", "link")

    copies = sealed.seal_copies(total, *places)

    assert [total, total] == [sealed.open(copy, place) for copy, place in zip(copies, places, strict=True)]
    assert [None, None] == [sealed.open(copy, place) for copy, place in zip(copies, reversed(places), strict=True)]
