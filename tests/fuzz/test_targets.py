"""Every parser of what strangers send, against its corpus and what can be made of it; failures join the corpus."""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, seed, settings

from tests.fuzz.corpora import FOLDER, decoded, encoded, inputs, keep
from tests.fuzz.mutations import UNCHECKED, mutated
from tests.fuzz.targets.every import EXAMPLES, SECONDS, TARGETS
from tests.support.full import IN_FULL

CORPUS = [(name, title, data) for name in TARGETS for title, data in inputs(name).items()]
ROUND = 5_000


@pytest.mark.parametrize(
    ("name", "data"), [(name, data) for name, _, data in CORPUS], ids=[f"{a}-{b}" for a, b, _ in CORPUS]
)
def test_corpus(name: str, data: bytes) -> None:
    """What was thought of, and what was ever found."""
    TARGETS[name](data)


def test_every_corpus_is_of_a_target() -> None:
    """None is forgotten, and every target has one to start from; each file is ASCII that can be read back."""
    assert TARGETS.keys() == {folder.name for folder in FOLDER.iterdir()}
    assert dict.fromkeys(TARGETS, True) == {name: len(inputs(name)) >= 10 for name in TARGETS}
    for file in FOLDER.rglob("*"):
        assert file.is_dir() or encoded(decoded(file.read_text("ascii"))) == file.read_text("ascii"), file


def fuzzed(name: str, target: Callable[[bytes], None], *, examples: int, number: int | None) -> int:
    """How many inputs a target passed; the smallest that it does not pass is kept in its corpus."""
    last, tried = b"", 0

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=number is None,
        database=None,
        suppress_health_check=UNCHECKED,
    )
    @given(mutated(inputs(name).values()))
    def try_it(data: bytes) -> None:
        nonlocal last, tried
        last, tried = data, tried + 1
        target(data)

    try:
        (try_it if number is None else seed(number)(try_it))()
    finally:
        if isinstance(sys.exception(), Exception):
            print(f"kept as {keep(name, last)}")  # noqa: T201  # for whoever looks at the failed run
    return tried


@pytest.mark.parametrize("name", TARGETS)
def test_target(name: str) -> None:
    """Inputs like those of the corpus, spoiled, and some that are like nothing; `make fuzz` tries for minutes."""
    if not IN_FULL:
        assert EXAMPLES <= fuzzed(name, TARGETS[name], examples=EXAMPLES, number=None)
        return
    ends, number, tried = time.monotonic() + SECONDS[name], time.time_ns(), 0
    while time.monotonic() < ends:
        number += 1
        tried += fuzzed(name, TARGETS[name], examples=ROUND, number=number)
    print(f"fuzz: {name} passed {tried:,} inputs, the last {ROUND:,} from seed {number}")  # noqa: T201  # the figure of the run


def test_failure_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The smallest input that fails is written into the corpus, as it was."""

    def refuses_brackets(data: bytes) -> None:
        assert b"[" not in data

    monkeypatch.setattr("tests.fuzz.test_targets.keep", partial(keep, folder=tmp_path))
    with pytest.raises(AssertionError):
        fuzzed("bodies", refuses_brackets, examples=1000, number=None)

    [file] = (tmp_path / "bodies").iterdir()
    assert b"[" in decoded(file.read_text())
