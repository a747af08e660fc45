"""What is made of a corpus: its inputs with bytes replaced, cut out, doubled or swapped for words of other inputs."""

import re
from collections.abc import Iterable

from hypothesis import HealthCheck
from hypothesis import strategies as st

UNCHECKED = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)
"""What a busy machine brings about."""

_WORD = re.compile(rb"[A-Za-z0-9]+|[^A-Za-z0-9]")
_NASTY = (
    *(
        b"\x00",
        b"\r\n",
        b"\n",
        b"\xff\xfe",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b'"',
        b"\\",
        b"%00",
        b"..",
        b"//",
        b"{",
        b"}",
    ),
    *(b"null", b"NaN", b"1e400", b"-1", str(2**70).encode(), b"\xe2\x80\xa8", b"\x1b[31m", b"[" * 2000, b"a" * 5000),
)


def mutated(corpus: Iterable[bytes]) -> st.SearchStrategy[bytes]:
    """Inputs like those of the corpus, and some that are like nothing."""
    known = sorted(set(corpus))
    words = sorted({word for one in known for word in _WORD.findall(one)} | set(_NASTY))
    piece = st.sampled_from(words) | st.binary(max_size=3)
    edit = st.tuples(st.integers(0, 2**16), st.integers(0, 8), piece, st.booleans())
    changed = st.builds(_edited, st.sampled_from(known), st.lists(edit, max_size=4))
    return changed | st.lists(piece, max_size=12).map(b"".join) | st.text(max_size=60).map(_bytes_of)


def _edited(data: bytes, edits: list[tuple[int, int, bytes, bool]]) -> bytes:
    for at, length, piece, doubles in edits:
        place = at % (len(data) + 1)
        removed = data[place : place + length]
        data = data[:place] + (removed * 2 if doubles else piece) + data[place + length :]
    return data


def _bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
