"""Keys whose features are to come are checked as strictly as the others."""

from pathlib import Path

import pytest

from tests.support.loading import MINIMAL, faults, load

SECRET = 'secret = { env = "QUOTE_SECRET" }'


@pytest.mark.parametrize(
    ("addition", "key"),
    [
        (f'[[outgoing]]\nurl = "http://erp.example"\n{SECRET}\nevents = ["session.completed"]', "outgoing[0].url"),
        (f'[[outgoing]]\nurl = "https://erp.example"\n{SECRET}\nevents = []', "outgoing[0].events"),
        (f'[[outgoing]]\nurl = "https://erp.example"\n{SECRET}\nevents = ["session.paid"]', "outgoing[0].events[0]"),
    ],
)
def test_faults(tmp_path: Path, addition: str, key: str) -> None:
    """One mistake is one fault, at its key."""
    assert [key] == [fault.split(":")[0] for fault in faults(tmp_path, f"{MINIMAL}\n{addition}")]


def test_each_is_said_to_have_no_effect_yet(tmp_path: Path) -> None:
    """Whoever configures a feature ahead of its time is told."""
    addition = f'[[outgoing]]\nurl = "https://erp.example"\n{SECRET}\nevents = ["session.completed"]'

    assert ("outgoing",) == load(tmp_path, f"{MINIMAL}\n{addition}").inert
