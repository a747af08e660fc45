"""Tokens of callers: a good one of each kind is taken; whatever else a stranger or a mistake makes is not."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.tokens import (
    AUDIENCE,
    ISSUER,
    KIDS,
    SUBJECT,
    base64url,
    claims,
    encoded,
    jwks,
    public,
    signed,
    verifier,
)

NOW = datetime.now(UTC)
tokens = verifier(jwks(*KIDS))


@pytest.mark.parametrize("kid", KIDS)
def test_good_token(kid: str) -> None:
    """One of each type of key speaks for its subject."""
    assert SUBJECT == tokens.subject(signed(claims(), kid))


@pytest.mark.parametrize(("kid", "algorithm"), [("rsa-1", "PS256"), ("ed-1", "Ed25519")])
def test_other_algorithm_of_the_same_key(kid: str, algorithm: str) -> None:
    """RSA signs in two ways, and Edwards curves under two names."""
    assert SUBJECT == tokens.subject(signed(claims(), kid, header={"alg": algorithm}))


@pytest.mark.parametrize("typ", [None, "JWT", "jwt", "at+jwt", "application/at+jwt"])
def test_types_of_tokens(typ: str | None) -> None:
    """The types of access tokens, and none, as most providers write them."""
    assert SUBJECT == tokens.subject(signed(claims(), header={"typ": typ, "x5t": "abc", "extra": 1}))


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["other", AUDIENCE]},
        {"nbf": None, "iat": None},
        {"scope": "anything", "roles": [], "jti": "x"},
        {"iat": int(NOW.timestamp()) + 30, "nbf": int(NOW.timestamp()) + 30},
        {"exp": NOW.timestamp() + 300.5},
        {"exp": 10**300},
    ],
)
def test_claims_that_pass(changes: dict[str, object]) -> None:
    """Several audiences, no start, a clock that is half a minute off."""
    assert SUBJECT == tokens.subject(signed(claims(**changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"exp": int(NOW.timestamp()) - 1},
        {"exp": 0},
        {"exp": -1},
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": [9999999999]},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"nbf": int(NOW.timestamp()) + 3600},
        {"nbf": "0"},
        {"iat": int(NOW.timestamp()) + 3600},
        {"iat": {}},
        {"aud": None},
        {"aud": ""},
        {"aud": []},
        {"aud": "other"},
        {"aud": ["other"]},
        {"aud": AUDIENCE + "/"},
        {"aud": AUDIENCE.upper()},
        {"aud": {AUDIENCE: True}},
        {"aud": [AUDIENCE, 3]},
        {"iss": None},
        {"iss": ISSUER + "/"},
        {"iss": "https://idp.example.evil.test"},
        {"iss": [ISSUER]},
        {"sub": None},
        {"sub": ""},
        {"sub": [SUBJECT]},
        {"sub": 3},
    ],
    ids=",".join,
)
def test_claims_that_do_not(changes: dict[str, object]) -> None:
    """Outlived, early, of the future, for somebody else, by somebody else, of nobody, or of another type."""
    assert tokens.subject(signed(claims(**changes))) is None


@pytest.mark.parametrize("said", ["[]", '"x"', "3", "null", "{", "", "[" * 4000, '{"exp": ' + "9" * 5000 + "}"])
def test_payloads_that_are_no_claims(said: str) -> None:
    """Signed or not, it must be an object."""
    assert tokens.subject(signed(said)) is None


def test_times_are_compared_with_our_clock() -> None:
    """A token of an hour is good from a minute before it was made until its end, and not a second longer."""
    good = claims(iat=1000, nbf=1000, exp=4600)
    token = signed(good, "ec-1")

    def at(second: int) -> str | None:
        return verifier(jwks("ec-1"), lambda: datetime.fromtimestamp(0, UTC) + timedelta(seconds=second)).subject(token)

    assert [None, SUBJECT, SUBJECT, None] == [at(939), at(940), at(4599), at(4600)]


@pytest.mark.parametrize(
    "kid",
    [
        None,
        "",
        "rsa-2",
        "RSA-1",
        "rsa-1 ",
        "rsa-1\0",
        "ec-1",
        "../../../../dev/null",
        "/proc/sys/kernel/randomize_va_space",
        "' OR 1=1 --",
        "https://evil.test/jwks.json",
        "rsa-1\r\nX: 1",
        3,
        ["rsa-1"],
        {"rsa-1": 1},
    ],
    ids=str,
)
def test_key_ids(kid: object) -> None:
    """Among several keys a token must name the one that it was signed with, letter for letter."""
    assert tokens.subject(signed(claims(), header={"kid": kid})) is None


def test_key_id_of_an_only_key() -> None:
    """Where there is one key, none need be named; a wrong name is wrong all the same."""
    named, nameless = verifier(jwks("ec-1")), verifier(json.dumps({"keys": [public("ec-1", kid=None)]}))
    without, usual, other = (signed(claims(), "ec-1", header={"kid": kid}) for kid in (None, "ec-1", "ec-2"))

    assert [SUBJECT, SUBJECT, None] == [named.subject(token) for token in (without, usual, other)]
    assert [SUBJECT, SUBJECT, SUBJECT] == [nameless.subject(token) for token in (without, usual, other)]


def test_changed_letters() -> None:
    """No letter of a token can be another one: each is changed in turn, by one bit of what it stands for."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    good = signed(claims(), "ec-1")

    for index, letter in enumerate(good):
        other = letters[letters.index(letter) ^ 1] if letter != "." else "A"
        assert tokens.subject(good[:index] + other + good[index + 1 :]) is None, index


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token[:-1],
        lambda token: token + "A",
        lambda token: token + "=",
        lambda token: token + "\n",
        lambda token: " " + token,
        lambda token: token + ".",
        lambda token: token + ".A.A",
        lambda token: token.replace(".", "..", 1),
        lambda token: token.rpartition(".")[0] + ".",
        lambda token: token.rpartition(".")[0],
        lambda token: token.replace("-", "+").replace("_", "/") + "A==",
        lambda token: token.translate({ord("."): "\u3002"}),
        lambda token: json.dumps(dict(zip(("protected", "payload", "signature"), token.split("."), strict=True))),
        lambda _: "..",
        lambda _: "a.b.c",
        lambda _: "",
        lambda token: base64url(b"\xff") + token[token.index(".") :],
        lambda token: encoded(["alg"]) + token[token.index(".") :],
        lambda token: encoded(["RS256"]) + token[token.index(".") :],
        lambda token: base64url(b'{"alg":"RS256","kid":"rsa-1","a":' + b"[" * 3000) + token[token.index(".") :],
    ],
)
def test_shapes_that_are_no_token(spoil: Callable[[str], str]) -> None:
    """Neither another serialisation, nor another alphabet, nor a part too few or too many."""
    assert tokens.subject(spoil(signed(claims()))) is None


def test_size() -> None:
    """A token above 8 KiB is not even looked at, though its signature is right."""
    padded = [signed(claims(pad="a" * size)) for size in (5000, 6000)]

    assert [True, False] == [len(token) < 8192 for token in padded]
    assert [SUBJECT, None] == [tokens.subject(token) for token in padded]


@settings(max_examples=500, deadline=None, derandomize=True)
@given(
    st.dictionaries(
        st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "zip", "enc", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.sampled_from(KIDS),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
            max_leaves=6,
        ),
    ),
    st.binary(max_size=80),
    st.binary(max_size=80),
)
def test_anything_else(header: dict[str, object], payload: bytes, signature: bytes) -> None:
    """Whatever stands in its parts, a token that our keys did not sign is refused, and nothing is raised."""
    usual = {"alg": "ES256", "kid": "ec-1"}
    for one in (header, usual | header, usual):
        assert tokens.subject(f"{encoded(one)}.{base64url(payload)}.{base64url(signature)}") is None
