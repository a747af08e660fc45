"""Names that lead nowhere, and marks that two callers share, are faults."""

from pathlib import Path

import pytest

from tests.support.loading import MINIMAL, faults, load
from tests.support.tokens import jwks

EMPTY_DIGEST = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
MAKE_ONE = "is the digest of an empty key: make one with `openssl rand -hex 32`"


@pytest.mark.parametrize(
    ("addition", "fault"),
    [
        (
            f'[callers.a]\nkey_sha256 = ["{"a" * 64}"]\ncheckouts = ["default", "gone"]',
            "callers.a.checkouts: there is no [checkouts.gone]: add it, or remove the name",
        ),
        ('[callers.a]\njwt_subject = "x"', "callers.a.jwt_subject: needs a [jwt] table"),
        (
            '[quotes.keys.k]\ncaller = "gone"\nsecret = { env = "QUOTE_SECRET" }',
            "quotes.keys.k.caller: there is no [callers.gone]: add it, or name another",
        ),
        (
            '[checkouts.default.order_tags]\n"the tag" = "{header:X-A}"',
            (
                'checkouts.default.order_tags."the tag": {header:X-A} is not trusted: '
                'add "X-A" to server.trusted_headers once a trusted proxy sets it on every request'
            ),
        ),
        (f'[callers.a]\nkey_sha256 = ["{EMPTY_DIGEST}"]', f"callers.a.key_sha256: {MAKE_ONE}"),
        (
            f'[callers.a]\nkey_sha256 = ["{"a" * 64}"]\n[callers."b.c"]\nkey_sha256 = ["{"b" * 64}", "{"a" * 64}"]',
            'callers."b.c".key_sha256: is that of [callers.a] too: give each caller its own',
        ),
        (
            (
                '[jwt]\njwks_file = "FOLDER/j"\nissuer = "i"\n'
                '[callers.a]\njwt_subject = "x"\n[callers.b]\njwt_subject = "x"'
            ),
            "callers.b.jwt_subject: is that of [callers.a] too: give each caller its own",
        ),
    ],
)
def test_names_that_lead_nowhere(tmp_path: Path, addition: str, fault: str) -> None:
    """The fault says where, and how to mend it."""
    (tmp_path / "j").write_text(jwks("ec-1"))

    assert [fault] == faults(tmp_path, f"{MINIMAL}\n{addition.replace('FOLDER', str(tmp_path))}")


def test_names_that_are_known(tmp_path: Path) -> None:
    """The same names with what they lead to are no faults; header names are compared as HTTP does."""
    toml = f"""
    [server]
    trusted_headers = ["x-release"]
    {MINIMAL}
    order_tags = {{ release = "{{header:X-Release}}" }}
    [callers.a]
    key_sha256 = ["{"a" * 64}", "{"a" * 64}"]
    checkouts = ["default"]
    [quotes.keys.k]
    caller = "a"
    secret = {{ env = "QUOTE_SECRET" }}
    """

    assert ["a"] == list(load(tmp_path, toml).settings.callers)


@pytest.mark.parametrize(
    "toml",
    [
        "callers = 3\nquotes = 3\njwt = 3\nserver = 3",
        "callers = { a = 3 }\nquotes = { keys = 3 }",
        'callers.a = { checkouts = "default", key_sha256 = [3], jwt_subject = 3 }\nquotes.keys.k = { caller = 3 }',
        "server.trusted_headers = 3",
        "checkouts.other = { order_tags = 3 }",
        "checkouts.other = { order_tags = { a = 3 } }",
    ],
)
def test_shapes_that_hold_no_names(tmp_path: Path, toml: str) -> None:
    """A wrong shape is faulted by its reader; looking for names in it breaks nothing."""
    assert faults(tmp_path, f"{toml}\n{MINIMAL}")
