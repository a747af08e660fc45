"""The control of what every run is searched for: it finds what is private, and no more."""

from collections.abc import Generator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.config import CALLER_KEY
from tests.support.overheard import in_console, in_files

CLEAN = '{"event":"request","route":"/checkout","status":201,"reference":"cs_01kdwx4m000123456789abcdef"}'
PRIVATE = [
    *(CALLER_KEY, "Basic c2FuZGJveDpzYW5kYm94", "ada@example.org", "4111 1111 1111 1111", "OS260101000000042XYZ"),
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.AAAA",
]


@pytest.fixture
def folder() -> Generator[Path]:
    """Outside of what is searched after every run."""
    with TemporaryDirectory() as name:
        yield Path(name)


@pytest.mark.parametrize("private", PRIVATE)
def test_private_line_is_found(folder: Path, private: str) -> None:
    """In the console of a test's own process, coloured or not, and in the log of another one."""
    line = f"2026-11-21 10:00:00 [\x1b[32minfo     \x1b[0m] request   fields={private} status=400"
    (folder / "8000.log").write_text(f'{CLEAN}\n{{"event":"x","fields":"{private}"}}\n{CLEAN}\n')

    assert 1 == len(in_console(f"{line}\n{line.replace(private, '')}\nprinted by a test: {private}"))
    assert 1 == len(list(in_files(folder)))


def test_line_that_is_no_event_is_found(folder: Path) -> None:
    """Each line of JSON must parse; only the last one of a killed process may be cut short."""
    (folder / "output").write_text(f'{CLEAN}\n{{"event": \n{{"other":1}}\nreadable text\n{{"event"')

    assert 2 == len(list(in_files(folder)))
