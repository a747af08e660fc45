"""`[quotes]`: keys that cannot do their work are refused before the start."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from service.checkout.quotes.settings import QuoteKey
from service.config.reader import Reader
from tests.support.loading import MINIMAL, faults, load
from tests.support.quotes import PUBLIC

SECRET = 'secret = { env = "QUOTE_SECRET" }'
PRIVATE = 'private_key = { env = "QUOTE_PRIVATE" }'
PUBLIC_KEY = 'public_key = { env = "QUOTE_PUBLIC" }'
PAIR = f'[quotes.keys.k]\nalgorithm = "EdDSA"\n{PRIVATE}'
PUBLIC_ONLY = f'[quotes.keys.k]\nalgorithm = "EdDSA"\n{PUBLIC_KEY}'
SHARED = f"[quotes.keys.k]\n{SECRET}"


@pytest.mark.parametrize(
    ("addition", "key"),
    [
        ("[quotes.keys.k]", "quotes.keys.k.secret"),
        (f"{SHARED}\n{PRIVATE}", "quotes.keys.k.algorithm"),
        (f"{PUBLIC_ONLY}\n{SECRET}", "quotes.keys.k.secret"),
        ('[quotes.keys.k]\nalgorithm = "EdDSA"', "quotes.keys.k.public_key"),
        (f'[quotes.keys.k]\nalgorithm = "none"\n{SECRET}', "quotes.keys.k.algorithm"),
        (f'[quotes]\nsign_with = "x"\n{SHARED}', "quotes.sign_with"),
        (f'[quotes]\nsign_with = "k"\n{PUBLIC_ONLY}', "quotes.sign_with"),
        (f"[quotes]\nmax_age_seconds = 0\n{SHARED}", "quotes.max_age_seconds"),
    ],
)
def test_faults(tmp_path: Path, addition: str, key: str) -> None:
    """One mistake is one fault, at its key."""
    assert [key] == [fault.split(":")[0] for fault in faults(tmp_path, f"{MINIMAL}\n{addition}")]


OTHER = X25519PrivateKey.generate()
LOCKED = Ed25519PrivateKey.generate().private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"locked")
)


@pytest.mark.parametrize(
    ("addition", "environ", "fault"),
    [
        (SHARED, {"QUOTE_SECRET": "s" * 31}, "quotes.keys.k.secret: has less than 32 bytes"),
        (SHARED, {"QUOTE_SECRET": PUBLIC}, "quotes.keys.k.secret: is a key pair's"),
        (PAIR, {"QUOTE_PRIVATE": PUBLIC}, "quotes.keys.k.private_key: is no Ed25519 private key"),
        (PAIR, {"QUOTE_PRIVATE": "no key"}, "quotes.keys.k.private_key: is no Ed25519 private key"),
        (PAIR, {"QUOTE_PRIVATE": LOCKED.decode()}, "quotes.keys.k.private_key: is no Ed25519 private key"),
        (
            PAIR,
            {"QUOTE_PRIVATE": OTHER.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()},
            "quotes.keys.k.private_key: is no Ed25519 private key",
        ),
        (PUBLIC_ONLY, {"QUOTE_PUBLIC": "no key"}, "quotes.keys.k.public_key: is no Ed25519 public key"),
        (
            PUBLIC_ONLY,
            {"QUOTE_PUBLIC": OTHER.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()},
            "quotes.keys.k.public_key: is no Ed25519 public key",
        ),
        (
            f"{PAIR}\n{PUBLIC_KEY}",
            {
                "QUOTE_PUBLIC": Ed25519PrivateKey.generate()
                .public_key()
                .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
                .decode()
            },
            "quotes.keys.k.public_key: is not that of `private_key`",
        ),
    ],
)
def test_unusable_keys(tmp_path: Path, addition: str, environ: dict[str, str], fault: str) -> None:
    """A key that is too short or of another kind is a fault that says so and shows nothing of it."""
    [found] = faults(tmp_path, f"{MINIMAL}\n{addition}", **environ)

    assert found.startswith(fault)
    assert not [one for one in environ.values() if one in found]


@pytest.mark.parametrize(
    "addition",
    [
        f'[quotes]\nsign_with = "k"\n{SHARED}',
        f'[quotes]\nsign_with = "k"\n{PAIR}',
        f'[quotes]\nsign_with = "k"\n{PAIR}\n{PUBLIC_KEY}',
        PUBLIC_ONLY,
    ],
)
def test_good_keys(tmp_path: Path, addition: str) -> None:
    """A key that signs has its secret or private key; one that only verifies needs the public one alone."""
    loaded = load(tmp_path, f"{MINIMAL}\n{addition}")

    assert loaded.settings.quotes
    assert (["k"], ()) == (list(loaded.settings.quotes.keys), loaded.inert)


def test_public_key_may_be_read_by_everybody(tmp_path: Path) -> None:
    """Of files that every user may read, a public key's is none to be warned about."""
    reader = Reader({})
    for name in ("private_key", "public_key"):
        (tmp_path / name).write_text("no matter what")
        (tmp_path / name).chmod(0o644)
        reader.struct(QuoteKey, {"algorithm": "EdDSA", name: {"file": str(tmp_path / name)}}, f"keys.{name}")

    assert ["keys.private_key.private_key"] == [note.path for note in reader.warnings]
