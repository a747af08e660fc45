"""Keys whose features are to come are checked as strictly as the others."""

from pathlib import Path

import pytest

from tests.support.loading import MINIMAL, faults, load

SECRET = 'secret = { env = "QUOTE_SECRET" }'
PRIVATE = 'private_key = { env = "QUOTE_PRIVATE" }'
PUBLIC = 'public_key = { env = "QUOTE_PUBLIC" }'


@pytest.mark.parametrize(
    ("addition", "key"),
    [
        ("[quotes.keys.k]", "quotes.keys.k.secret"),
        (f"[quotes.keys.k]\n{SECRET}\n{PRIVATE}", "quotes.keys.k.algorithm"),
        (f'[quotes.keys.k]\nalgorithm = "EdDSA"\n{SECRET}\n{PUBLIC}', "quotes.keys.k.secret"),
        ('[quotes.keys.k]\nalgorithm = "EdDSA"', "quotes.keys.k.public_key"),
        (f'[quotes.keys.k]\nalgorithm = "none"\n{SECRET}', "quotes.keys.k.algorithm"),
        (f'[quotes]\nsign_with = "x"\n[quotes.keys.k]\n{SECRET}', "quotes.sign_with"),
        (f'[quotes]\nsign_with = "k"\n[quotes.keys.k]\nalgorithm = "EdDSA"\n{PUBLIC}', "quotes.sign_with"),
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


@pytest.mark.parametrize(
    "addition",
    [
        f'[quotes]\nsign_with = "k"\n[quotes.keys.k]\n{SECRET}',
        f'[quotes]\nsign_with = "k"\n[quotes.keys.k]\nalgorithm = "EdDSA"\n{PRIVATE}',
        f'[quotes.keys.k]\nalgorithm = "EdDSA"\n{PUBLIC}',
    ],
)
def test_quote_keys(tmp_path: Path, addition: str) -> None:
    """A key that signs has its secret or private key; one that only verifies needs the public one alone."""
    quotes = load(tmp_path, f"{MINIMAL}\n{addition}").settings.quotes

    assert quotes
    assert ["k"] == list(quotes.keys)


def test_each_is_said_to_have_no_effect_yet(tmp_path: Path) -> None:
    """Whoever configures a feature ahead of its time is told."""
    addition = f"[limits]\n[quotes.keys.k]\n{SECRET}"

    assert ("limits", "quotes") == load(tmp_path, f"{MINIMAL}\n{addition}").inert
