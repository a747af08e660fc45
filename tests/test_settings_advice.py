"""What is allowed but unwise is warned about."""

import resource
from pathlib import Path

import pytest

from service.settings import load_settings
from tests.support.example import write_example
from tests.support.loading import MINIMAL, load

CALLS = "upstreams.acme.rate_limit_per_minute"
CHALLENGE = '[challenge]\nprovider = "turnstile"\nsite_key = "0x4"\nsecret = { env = "TURNSTILE_SECRET" }\n'
ORIGINS = 'allowed_origins = ["https://shop.example"]\n'


@pytest.mark.parametrize(
    ("addition", "path"),
    [
        ('server = { trusted_proxies = ["0.0.0.0/0"] }', "server.trusted_proxies[0]"),
        ('server = { trusted_proxies = ["10.0.0.0/8", "::/0"] }', "server.trusted_proxies[1]"),
        ('server = { country_header = "CF-IPCountry" }', "server.country_header"),
        ('server = { trusted_headers = ["X-A"] }', "server.trusted_headers"),
        ('checkouts.default.allowed_origins = ["https://a.example:443"]', "checkouts.default.allowed_origins[0]"),
        ('checkouts.default.storefront = "acme.test.onfastspring.com/p"', "checkouts.default.storefront"),
        (
            'callers.a.key_sha256 = ["'
            + "a" * 64
            + '"]\nquotes.keys.k = { caller = "a", secret = { env = "QUOTE_SECRET" } }',
            "quotes.keys.k.caller",
        ),
        (
            'upstreams.spare = { provider = "paynow_gg", credentials = [{ api_key = { env = "A" } }] }',
            "upstreams.spare",
        ),
    ],
)
def test_advice(tmp_path: Path, addition: str, path: str) -> None:
    """What is allowed but unwise is warned about, under its key."""
    table = MINIMAL.replace("[upstreams.acme]", "[upstreams.acme]").split("[checkouts.default]")
    dotted = addition.startswith("checkouts.default.")
    toml = (
        f"{MINIMAL}{addition.removeprefix('checkouts.default.')}"
        if dotted
        else f"{addition}{''.join(table[:1])}[checkouts.default]{table[1]}"
    )
    paths = [note.path for note in load(tmp_path, toml, A="a").warnings]

    assert {path} == set(paths) - {"server.internal_port", CALLS}


@pytest.mark.parametrize(
    ("calls", "origins", "challenge", "advice"),
    [
        (240, ORIGINS, "", ["add a [challenge]"]),
        (240, ORIGINS, CHALLENGE, []),
        (240, "", "", []),
        (0, ORIGINS, "", []),
        (40, "", "", []),
        (39, "", "", ["40 or more, or 0"]),
        (39, ORIGINS, "", ["add a [challenge]", "40 or more, or 0"]),
    ],
)
def test_advice_on_calls(tmp_path: Path, calls: int, origins: str, challenge: str, advice: list[str]) -> None:
    """Calls that strangers can use up are warned about, where pages ask and no challenge is there; so are few calls."""
    upstream, checkout = MINIMAL.split("[checkouts.default]")
    toml = f"{upstream}rate_limit_per_minute = {calls}\n[checkouts.default]{checkout}{origins}{challenge}"
    texts = [note.text for note in load(tmp_path, toml).warnings if note.path == CALLS]

    assert advice == [text.split(": ")[-1] for text in texts]


def test_world_readable_secret_is_warned_about(tmp_path: Path) -> None:
    """The warning has the key path."""
    environ = write_example(tmp_path)
    (tmp_path / "password").chmod(0o644)
    (first, *_) = load_settings(environ).warnings

    assert "upstreams.acme.credentials[1].password" == first.path


def test_few_open_files_are_warned_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that allows few open files allows few connections; more, or no limit, is fine."""
    found: list[bool] = []
    for hard in (4095, 4096, resource.RLIM_INFINITY):
        monkeypatch.setattr(resource, "getrlimit", lambda _kind, hard=hard: (256, hard))
        found.append("server" in {note.path for note in load(tmp_path, MINIMAL).warnings})

    assert [True, False, False] == found
