"""Which keys of a JWKS document verify, with which algorithms; what stops the start."""

import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, Key, OKPKey
from joserfc.jws import JWSRegistry

from service.api.keysets import UnusableKeySetError, read_key_set
from tests.support.loading import MINIMAL, faults, load
from tests.support.tokens import base64url, jwks, key, public

SHORT = base64url(((1 << 2046) + 1).to_bytes(256, "big"))  # 2,047 bits
OTHER_CURVES: list[Key] = [ECKey.generate_key("P-384"), OKPKey.generate_key("X25519"), OKPKey.generate_key("Ed448")]


def document(*keys: dict[str, Any]) -> str:
    return json.dumps({"keys": keys})


@pytest.mark.parametrize(
    ("kid", "members", "algorithms"),
    [
        ("rsa-1", {}, {"RS256", "PS256"}),
        ("rsa-1", {"alg": "PS256", "use": "sig"}, {"PS256"}),
        ("rsa-1", {"key_ops": ["verify"]}, {"RS256", "PS256"}),
        ("ec-1", {"x5t": "abc"}, {"ES256"}),
        ("ed-1", {}, {"EdDSA", "Ed25519"}),
        ("ed-1", {"alg": "EdDSA"}, {"EdDSA"}),
    ],
)
def test_algorithms_are_those_of_the_key(kid: str, members: dict[str, Any], algorithms: set[str]) -> None:
    """Nothing but a key's own type, and what its document narrows it to, says what it verifies."""
    [found] = read_key_set(document(public(kid, **members)))

    assert (kid, algorithms) == (found.kid, set(found.algorithms))
    assert found.key.as_dict(private=False)["kty"] == public(kid)["kty"]


def test_shared_keys_and_none_are_no_algorithms() -> None:
    """Of all that the library knows, only these are ever handed to it."""
    keys = read_key_set(jwks("rsa-1", "ec-1", "ed-1"))
    taken = {algorithm for key in keys for algorithm in key.algorithms}

    assert {"RS256", "PS256", "ES256", "EdDSA", "Ed25519"} == taken
    assert {"none", "HS256"} < JWSRegistry.algorithms.keys() - taken


@pytest.mark.parametrize(
    "other",
    [
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"},
        public("rsa-2", use="enc"),
        public("rsa-2", alg="RSA-OAEP"),
        public("rsa-2", alg="HS256"),
        public("rsa-2", alg="none"),
        public("rsa-2", key_ops=["encrypt"]),
        *(one.as_dict(private=False) for one in OTHER_CURVES),
    ],
    ids=lambda jwk: f"{jwk['kty']} {jwk.get('crv') or jwk.get('alg') or jwk.get('use') or jwk.get('key_ops')}",
)
def test_keys_for_other_ends(other: dict[str, Any]) -> None:
    """Providers publish keys of all kinds in one document; those that verify no token of ours are passed over."""
    assert ["ec-1"] == [one.kid for one in read_key_set(document(other, public("ec-1")))]
    with pytest.raises(UnusableKeySetError, match="has no usable key"):
        read_key_set(document(other))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no JWKS"),
        ("-----BEGIN PUBLIC KEY-----", "is no JWKS"),
        ("[]", "is no JWKS"),
        ("[" * 100_000, "is no JWKS"),
        ('{"keys": {}}', "is no JWKS"),
        ('{"keys": []}', "has no usable key"),
        ('{"keys": [3]}', r"has a key that cannot be read \(keys\[0\]\)"),
        (document({"kty": 3}), "has a key that cannot be read"),
        (document(public("rsa-1"), public("ec-1", x="AA")), r"has a key that cannot be read \(keys\[1\]\)"),
        (document(public("ec-1", y=None)), "has a key that cannot be read"),
        (document(public("rsa-1", e="")), "has a key that cannot be read"),
        (document(public("rsa-1", n="!")), "below 2,048 bits"),
        (document(public("rsa-1", n=SHORT)), "below 2,048 bits"),
        (document(key("rsa-1").as_dict(private=True)), r"holds a private or shared key \(keys\[0\]\)"),
        (document(public("rsa-1"), {"kty": "oct", "k": "c2VjcmV0"}), r"holds a private or shared key \(keys\[1\]\)"),
        (document(public("ec-1"), public("ec-1")), "has several keys: give each a `kid` of its own"),
        (document(public("ec-1"), public("ed-1", kid=None)), "has several keys: give each a `kid` of its own"),
    ],
    ids=count(),  # the keys are of this process
)
def test_unusable(text: str, why: str) -> None:
    """The fault says which key, and what to do."""
    with pytest.raises(UnusableKeySetError, match=why):
        read_key_set(text)


def jwt_table(folder: Path, document: str | None) -> str:
    file = folder / "jwks.json"
    if document is not None:
        file.write_text(document)
    return f'{MINIMAL}\n[jwt]\njwks_file = "{file}"\nissuer = "i"\n[callers.a]\njwt_subject = "x"'


def test_good_table(tmp_path: Path) -> None:
    """The audience has a default, and nothing of it is without effect."""
    loaded = load(tmp_path, jwt_table(tmp_path, jwks("ec-1")))

    assert loaded.settings.jwt
    assert "checkout-broker" == loaded.settings.jwt.audience
    assert () == loaded.inert


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (None, "cannot be read (No such file or directory): mend the path or its rights"),
        ("", "is empty: write into it what belongs there"),
        ("{}", 'is no JWKS: write { "keys": [ … ] } into the file'),
    ],
)
def test_faults_of_the_file(tmp_path: Path, document: str | None, text: str) -> None:
    """A file that cannot be used stops the start."""
    assert [f"jwt.jwks_file: {tmp_path}/jwks.json {text}"] == faults(tmp_path, jwt_table(tmp_path, document))


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        ('issuer = "i"', ["jwt.jwks_file"]),
        ('jwks_file = 3\nissuer = ""', ["jwt.issuer", "jwt.jwks_file"]),
        ('jwks_file = "/j\\u0000"', ["jwt.issuer", "jwt.jwks_file"]),
        ('jwks_file = { file = "/j" }\nissuer = "i"', ["jwt.jwks_file"]),
    ],
)
def test_faults_of_the_table(tmp_path: Path, table: str, keys: list[str]) -> None:
    """One mistake is one fault, at its key."""
    assert keys == [fault.split(":")[0] for fault in faults(tmp_path, f"{MINIMAL}\n[jwt]\n{table}")]
