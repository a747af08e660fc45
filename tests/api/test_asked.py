"""Header lines by name."""

import pytest

from service.api.asked import Headers, headers_of


@pytest.mark.parametrize(
    ("lines", "first", "every", "only"),
    [
        ([], None, [], None),
        ([(b"b", b"1")], None, [], None),
        ([(b"a", b"1"), (b"b", b"2")], "1", ["1"], "1"),
        ([(b"b", b"1"), (b"b", b"2"), (b"a", b"3")], "3", ["3"], "3"),
        ([(b"a", b"1"), (b"b", b"2"), (b"a", b"3")], "1", ["1", "3"], None),
        ([(b"a", b""), (b"a", b"")], "", ["", ""], None),
        ([(b"a", b"\xe9")], "é", ["é"], "é"),
    ],
)
def test_header_that_comes_twice_is_seen(
    lines: list[tuple[bytes, bytes]], first: str | None, every: list[str], only: str | None
) -> None:
    """The first value, all of them in order, and the only one, which there is not where there are two."""
    headers = Headers(lines)

    assert (first, every, only) == (headers.first(b"a"), headers.all(b"a"), headers.only(b"a"))


def test_headers_are_put_in_order_once() -> None:
    """Whoever asks again is given the same."""
    scope = {"headers": [(b"a", b"1")], "state": {}}

    assert headers_of(scope) is headers_of(scope)
