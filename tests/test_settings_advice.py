"""What is allowed but unwise is warned about."""

from pathlib import Path

import pytest

from service.settings import load_settings
from tests.support.example import write_example
from tests.support.loading import MINIMAL, load


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

    assert {path} == set(paths) - {"server.internal_port"}


def test_world_readable_secret_is_warned_about(tmp_path: Path) -> None:
    """The warning has the key path."""
    environ = write_example(tmp_path)
    (tmp_path / "password").chmod(0o644)
    (first, *_) = load_settings(environ).warnings

    assert "upstreams.acme.credentials[1].password" == first.path
