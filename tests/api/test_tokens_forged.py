"""Forged tokens: other algorithms, other keys, and keys that a token brings along."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jws import JWSRegistry

from tests.support.tokens import (
    ISSUER,
    KIDS,
    SUBJECT,
    claims,
    encoded,
    jwks,
    key,
    keyed,
    public,
    sealed,
    signed,
    verifier,
)

STRANGER = {"rsa-1": "rsa-stranger", "ec-1": "ec-stranger", "ed-1": "ed-stranger"}
tokens = verifier(jwks(*KIDS))


@pytest.mark.parametrize(
    "alg", ["none", "None", "NONE", "nOnE", "", "HS256", "RS1", "RS384", "A128KW", None, 3, ["RS256"]]
)
@pytest.mark.parametrize("signature", ["", "AA", None])
def test_unsigned(alg: object, signature: str | None) -> None:
    """No spelling of no algorithm, and none that the key is not for, with no signature or a good one."""
    head = encoded({"alg": alg, "kid": "rsa-1"} if alg is not None else {"kid": "rsa-1"})
    text = f"{head}.{encoded(claims())}"
    token = sealed(text, "RS256", key("rsa-1")) if signature is None else f"{text}.{signature}"

    assert tokens.subject(token) is None


@pytest.mark.parametrize("kid", KIDS)
@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_public_key_as_shared_secret(kid: str, algorithm: str) -> None:
    """What everybody knows of a key signs nothing, in whichever form it is taken for a secret."""
    half: Any = key(kid).public_key
    forms = [
        half.public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo) for encoding in (Encoding.PEM, Encoding.DER)
    ]
    forms += [forms[0].strip(), json.dumps(public(kid)).encode(), jwks(kid).encode(), kid.encode(), b"secret"]

    text = f"{encoded({'alg': algorithm, 'kid': kid})}.{encoded(claims())}"
    assert [None] * 7 == [tokens.subject(keyed(text, algorithm, form)) for form in forms]


@pytest.mark.parametrize("kid", KIDS)
@pytest.mark.parametrize("algorithm", sorted(JWSRegistry.algorithms.keys() - {"none"}))
def test_swapped_algorithm(kid: str, algorithm: str) -> None:
    """A good signature under the name of another algorithm is none."""
    head = encoded({"alg": algorithm, "kid": kid})
    usual = {"rsa-1": "RS256", "ec-1": "ES256", "ed-1": "EdDSA"}[kid]
    token = sealed(f"{head}.{encoded(claims())}", usual, key(kid))
    same = {usual, "Ed25519"} if kid == "ed-1" else {usual}

    assert (SUBJECT if algorithm in same else None) == tokens.subject(token)


def test_algorithm_that_the_document_leaves_out() -> None:
    """A key that is published for one algorithm verifies no other one, though its type could."""
    document = json.dumps({"keys": [public("rsa-1", alg="PS256")]})

    assert verifier(document).subject(signed(claims())) is None
    assert SUBJECT == verifier(document).subject(signed(claims(), header={"alg": "PS256"}))


@pytest.mark.parametrize("kid", KIDS)
def test_stranger_with_our_key_id(kid: str) -> None:
    """A signature of another key is none, whatever key the token says that it is of."""
    assert tokens.subject(signed(claims(), kid, by=key(STRANGER[kid]))) is None


@pytest.mark.parametrize(
    "extra",
    [
        {"jku": "https://evil.test/jwks.json"},
        {"jku": ISSUER + "/jwks.json"},
        {"x5u": "https://evil.test/chain.pem"},
        {"jwk": public("rsa-stranger")},
        {"jwk": public("rsa-1")},
        {"x5c": ["MIIB"]},
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": 3},
        {"b64": False, "crit": ["b64"]},
        {"b64": True},
        {"jku": None, "jwk": ""},
        {"typ": "logout+jwt"},
        {"typ": "dpop+jwt"},
        {"typ": 3},
    ],
    ids=",".join,
)
@pytest.mark.parametrize("by", ["rsa-1", "rsa-stranger"])
def test_headers_that_bring_a_key_along(extra: dict[str, Any], by: str) -> None:
    """Nor extensions, nor tokens for other ends: refused even where the signature is the right one."""
    assert tokens.subject(signed(claims(), by=key(by), header=extra)) is None


@pytest.mark.parametrize("member", ["zip", "enc"])
def test_packed_or_encrypted(member: str) -> None:
    """A header that says that the claims are not what they look like is refused, whoever signed it."""
    assert tokens.subject(signed(claims(), header={member: "DEF"})) is None


@pytest.mark.parametrize("part", ["header", "claims"])
def test_member_twice(part: str) -> None:
    """What readers would understand differently is refused, whoever signed it."""
    said: dict[str, dict[str, object]] = {"header": {"alg": "RS256", "kid": "rsa-1"}, "claims": claims()}
    texts = {name: json.dumps(value) for name, value in said.items()}
    good = sealed(".".join(map(encoded, texts.values())), "RS256", key("rsa-1"))
    name, value = next(iter(said[part].items()))
    texts[part] = f"{{{json.dumps(name)}: {json.dumps(value)}, {texts[part][1:]}"

    assert SUBJECT == tokens.subject(good)
    assert tokens.subject(sealed(".".join(map(encoded, texts.values())), "RS256", key("rsa-1"))) is None
