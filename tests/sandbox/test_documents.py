"""Dotted paths into JSON documents."""

from decimal import Decimal

from service.sandbox.documents import Document, drop, encoded, merged, put, read


def cart() -> Document:
    return {"cart": {"items": [{"quantity": 1}, {"quantity": 2}]}, "live": True}


def test_reads_members_and_elements() -> None:
    """A path goes through objects by name and through arrays by number."""
    assert 2 == read(cart(), "cart.items.1.quantity")


def test_reads_nothing_where_there_is_nothing() -> None:
    """A path that leads nowhere reads as None, whatever stands on the way."""
    assert [None] * 3 == [read(cart(), path) for path in ("cart.none", "cart.items.7", "live.more")]


def test_puts_and_drops() -> None:
    """A member is set or removed in place; a missing parent is left alone."""
    document = cart()
    put(document, "cart.items.0.quantity", 5)
    put(document, "cart.items.1", "gone")
    put(document, "nowhere.at.all", 1)
    drop(document, "live")
    drop(document, "nowhere.at.all")

    assert {"cart": {"items": [{"quantity": 5}, "gone"]}} == document


def test_merge_patch() -> None:
    """A merge patch changes nested members, adds new ones and drops those that are null."""
    patched = merged({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 9}, "d": None, "e": {"f": None, "g": 4}})

    assert {"a": {"b": 9, "c": 2}, "e": {"g": 4}} == patched


def test_decimals_are_written_as_numbers() -> None:
    """An amount goes out as a JSON number with its digits as they are."""
    assert b'{"total":44.10}' == encoded({"total": Decimal("44.10")})
