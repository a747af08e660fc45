"""Who a credential speaks for, and that the way to the answer tells nothing of the keys."""

import hmac
from hashlib import sha256

import pytest

from service.api.callers import Callers
from service.api.settings import CallerSettings
from service.checkout.errors import UnauthenticatedError
from tests.support.tokens import SUBJECT, claims, jwks, signed, verifier

NAMES = [f"caller-{number}" for number in range(20)]


def digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()


@pytest.fixture
def callers() -> Callers:
    """Twenty callers of two keys each, and one of tokens, whose subject's text is also the first one's second key."""
    by_key = {name: CallerSettings(key_sha256=(digest(f"{name}-new"), digest(f"{name}-old"))) for name in NAMES}
    by_key[NAMES[0]] = CallerSettings(key_sha256=(digest(f"{NAMES[0]}-new"), digest(SUBJECT)))
    return Callers(by_key | {"robot": CallerSettings(jwt_subject=SUBJECT)}, verifier(jwks("ec-1")))


def name_of(callers: Callers, credential: str) -> str | None:
    try:
        return callers.authenticate(f"Bearer {credential}").name
    except UnauthenticatedError:
        return None


def test_each_key(callers: Callers) -> None:
    """During a rotation both keys of a caller are its own."""
    expected = [(NAMES[0], None), *((name, name) for name in NAMES[1:])]
    assert expected == [(name_of(callers, f"{name}-new"), name_of(callers, f"{name}-old")) for name in NAMES]


def test_token(callers: Callers) -> None:
    """A token speaks for the caller of its subject; a subject that no caller has is nobody."""
    assert "robot" == name_of(callers, signed(claims(), "ec-1"))
    assert name_of(callers, signed(claims(sub=NAMES[3]), "ec-1")) is None
    assert name_of(callers, signed(claims(sub="robot"), "ec-1")) is None


def test_a_key_that_looks_like_a_token() -> None:
    """A key may have any form: it is looked up first, and whoever has no [jwt] table takes no token."""
    key = signed(claims(), "ec-1")
    callers = Callers({"a": CallerSettings(key_sha256=(digest(key),)), "b": CallerSettings(jwt_subject=SUBJECT)})

    assert "a" == name_of(callers, key)
    assert name_of(callers, signed(claims(jti="other"), "ec-1")) is None


@pytest.mark.parametrize(
    "credential",
    [
        "caller-0-new",
        "caller-19-old",
        "caller-7-new",
        "Xaller-0-new",
        "caller-0-neX",
        "never",
        "",
        digest("caller-0-new"),
        "x" * 8000,
        signed(claims(), "ec-1"),
    ],
    ids=lambda credential: credential[:20],
)
def test_every_key_is_compared(callers: Callers, monkeypatch: pytest.MonkeyPatch, credential: str) -> None:
    """Close or far, first or last or of nobody: as many comparisons, each of digests, in time that does not depend on
    what they hold.
    """
    compared: list[tuple[str, str]] = []
    compare = hmac.compare_digest

    def counting(known: str, asked: str) -> bool:
        compared.append((known, asked))
        return compare(known, asked)

    monkeypatch.setattr(hmac, "compare_digest", counting)
    name_of(callers, credential)
    # The check of a token's signature compares in its own way; only our digests are counted.
    assert [(64, digest(credential))] * 40 == [(len(known), asked) for known, asked in compared]
