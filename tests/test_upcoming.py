"""Keys whose features are to come are checked as strictly as the others."""

from pathlib import Path

import pytest

from tests.support.loading import MINIMAL, faults, load

SECRET = 'secret = { env = "QUOTE_SECRET" }'


@pytest.mark.parametrize(
    ("addition", "key"),
    [
        ("[limits]\npaid_ratio_floor = 1.5", "limits.paid_ratio_floor"),
        ('[limits]\nmode = "dry"', "limits.mode"),
        ("[limits]\nper_ip_per_minute = -1", "limits.per_ip_per_minute"),
        (f'[challenge]\nprovider = "recaptcha"\nsite_key = "k"\n{SECRET}', "challenge.provider"),
        (f'[challenge]\nprovider = "hcaptcha"\nsite_key = ""\n{SECRET}', "challenge.site_key"),
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
    addition = '[limits]\n[jwt]\njwks_file = "/j"\nissuer = "i"'

    assert ("jwt", "limits") == load(tmp_path, f"{MINIMAL}\n{addition}").inert
