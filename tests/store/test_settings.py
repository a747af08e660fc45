"""`[store]`: keys and files are proved usable before anything starts."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from service.config.secret import Secret
from service.store.settings import StoreSettings, decode_key
from tests.support.certificates import Authority

GOOD = Secret(base64.b64encode(b"k" * 32).decode())
KEYS = {"seal_keys": (GOOD,), "hash_key": GOOD}


def faults(**keys: object) -> list[str]:
    """The keys at fault."""
    return [key for key, _ in StoreSettings(**keys).faults()]  # type: ignore[arg-type]  # wrong values are the point


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """A certificate and its key, in one file."""
    folder = tmp_path / "pair"
    folder.mkdir()
    authority = Authority(folder, "ca")
    authority.server("localhost")
    (file,) = set(folder.glob("*.pem")) - {authority.file}
    return file


def test_plain_embedded_needs_nothing() -> None:
    """It makes its own keys at each start."""
    assert [] == faults()


@pytest.mark.parametrize(
    "url",
    ["embedded:///data", "redis://h", "rediss://h", "unix:///s", "redis+sentinel://h/m", "redis+cluster://h"],
)
def test_whatever_keeps_data_needs_both_keys(url: str) -> None:
    """Without them, values of the last run could not be opened."""
    assert ["seal_keys", "hash_key"] == faults(url=url)
    assert [] == faults(url=url, **KEYS)


def test_plain_embedded_with_one_key_needs_the_other() -> None:
    """Half a choice is no choice."""
    assert ["hash_key"] == faults(seal_keys=(GOOD,))
    assert ["seal_keys"] == faults(hash_key=GOOD)
    assert [] == faults(**KEYS)


@pytest.mark.parametrize(
    "text",
    ["short", "", base64.b64encode(b"k" * 31).decode(), base64.b64encode(b"k" * 33).decode(), "ö" * 44, "k" * 32],
)
def test_no_keys(text: str) -> None:
    """A key is 32 bytes in base64, nothing else; each wrong one is named, and how to make one is said."""
    found = list(StoreSettings(url="redis://h", seal_keys=(GOOD, Secret(text)), hash_key=Secret(text)).faults())

    assert decode_key(Secret(text)) is None
    assert ["hash_key", "seal_keys[1]"] == [key for key, _ in found]
    assert {"must be 32 bytes in base64: make one with `openssl rand -base64 32`"} == {mend for _, mend in found}


def test_a_wrong_url_is_the_only_fault() -> None:
    """What else is needed depends on what is meant."""
    assert ["url"] == faults(url="localhost:6379")


def test_useless_keys() -> None:
    """Credentials for a store without, and certificates for a connection without, are errors."""
    password, file = Secret("x"), "/nowhere.pem"

    assert ["username", "password"] == faults(username=password, password=password)
    assert [] == faults(url="redis://h", username=password, password=password, **KEYS)
    assert ["ca_file", "ca_file"] == faults(url="redis://h", ca_file=file, **KEYS)
    assert ["cert_file", "key_file", "cert_file"] == faults(url="unix:///s", cert_file=file, key_file=file, **KEYS)


@pytest.mark.parametrize("url", ["rediss://h", "redis+sentinel://h/m", "redis+cluster://h"])
def test_usable_files(url: str, pair: Path) -> None:
    """A root and a certificate with its key are taken wherever TLS can be."""
    assert [] == faults(url=url, ca_file=str(pair), cert_file=str(pair), key_file=str(pair), **KEYS)


def test_unusable_files(tmp_path: Path, pair: Path) -> None:
    """Files that are missing, no certificates, without their partner or of another key are found at the start."""
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    other = tmp_path / "other.pem"
    other.write_bytes(private_key(serialization.NoEncryption()))
    secured = tmp_path / "secured.pem"
    secured.write_bytes(private_key(serialization.BestAvailableEncryption(b"x")))
    common = {"url": "rediss://h", **KEYS}

    for file in (text, tmp_path / "missing.pem", tmp_path, "nul\0"):
        assert ["ca_file"] == faults(ca_file=str(file), **common)
        assert ["cert_file"] == faults(cert_file=str(file), key_file=str(file), **common)
    for key in (other, secured):
        assert ["cert_file"] == faults(cert_file=str(pair), key_file=str(key), **common)
    assert ["cert_file"] == faults(cert_file=str(pair), **common)
    assert ["cert_file"] == faults(key_file=str(pair), **common)


def private_key(encryption: serialization.KeySerializationEncryption) -> bytes:
    """A key without a certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
