"""Tokens: only what one of our keys signed, written in the one way, is believed."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from service.checkout.errors import InvalidQuoteError
from service.checkout.quotes.claims import LONGEST_TOKEN
from service.checkout.quotes.keys import keys_of, verified
from service.checkout.quotes.settings import QuoteKey
from tests.support.quotes import KEYS, PRIVATE, PUBLIC, SECRET, claims, pair_token, token

KNOWN = keys_of(KEYS)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
GOOD = {
    "HS256": token(),
    "EdDSA": pair_token(),
    "EdDSA, public key alone": pair_token(kid="verifies"),
    "a type": token(header={"alg": "HS256", "kid": "own", "typ": "JWT"}),
}


def is_refused(text: str) -> bool:
    """Whether a token is refused, in the one way."""
    try:
        verified(text, KNOWN)
    except InvalidQuoteError as error:
        return ("This quote cannot be accepted.", ()) == (error.detail, error.errors)
    return False


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_signed_by_a_key(text: str) -> None:
    """What was signed by another implementation is verified, and its payload is what was signed."""
    _, payload = verified(text, KNOWN)

    assert claims() == json.loads(payload)


@pytest.mark.parametrize("kid", ["own", "shop", "pair"])
def test_what_signs_verifies(kid: str) -> None:
    """A key verifies what it signed, and names itself."""
    assert (KNOWN[kid], b'{"a":1}') == verified(KNOWN[kid].sign(b'{"a":1}'), KNOWN)


def test_public_key_signs_nothing() -> None:
    """A key without its private half cannot sign."""
    with pytest.raises(ValueError, match="verifies"):
        KNOWN["verifies"].sign(b"{}")


def test_settings_that_hold_no_key() -> None:
    """What cannot verify is no key."""
    assert {} == keys_of({"hs": QuoteKey(), "ed": QuoteKey(algorithm="EdDSA")})


SHORT = {"HS256": token({}), "EdDSA": pair_token({})}


@pytest.mark.parametrize("text", SHORT.values(), ids=SHORT)
def test_every_other_character_is_a_forgery(text: str) -> None:
    """Each place of a token holds one character: any other one there, and one more or less, is refused."""
    for place, character in enumerate(text):
        others = (one for one in f"{ALPHABET}.= \n" if one != character)
        changed = [f"{text[:place]}{other}{text[place + 1 :]}" for other in others]
        changed += [text[:place] + text[place + 1 :], f"{text[:place]}{character}{text[place:]}"]
        believed = [one for one in changed if one != text and not is_refused(one)]
        assert [] == believed


@given(place=st.integers(0, 10_000), mask=st.integers(1, 255), which=st.sampled_from(sorted(GOOD)))
def test_every_byte_flipped(place: int, mask: int, which: str) -> None:
    """Any byte of a token with any of its bits turned is refused, also where it is no ASCII any more."""
    raw = bytearray(GOOD[which], "latin-1")
    raw[place % len(raw)] ^= mask

    assert is_refused(raw.decode("latin-1"))


HEADERS: dict[str, object] = {
    "no algorithm": {"kid": "own"},
    "alg none": {"alg": "none", "kid": "own"},
    "alg None": {"alg": "None", "kid": "own"},
    "alg of another key": {"alg": "EdDSA", "kid": "own"},
    "alg HS512": {"alg": "HS512", "kid": "own"},
    "alg null": {"alg": None, "kid": "own"},
    "alg in a list": {"alg": ["HS256"], "kid": "own"},
    "no kid": {"alg": "HS256"},
    "kid null": {"alg": "HS256", "kid": None},
    "kid a number": {"alg": "HS256", "kid": 0},
    "kid a path": {"alg": "HS256", "kid": "../own"},
    "kid /dev/null": {"alg": "HS256", "kid": "../../../../dev/null"},
    "kid with an end": {"alg": "HS256", "kid": "own\n"},
    "kid unknown": {"alg": "HS256", "kid": "other"},
    "kid empty": {"alg": "HS256", "kid": ""},
    "kid of another key": {"alg": "HS256", "kid": "shop"},
    "kid __class__": {"alg": "HS256", "kid": "__class__"},
    "jku": {"alg": "HS256", "kid": "own", "jku": "https://evil.example/jwks"},
    "x5u": {"alg": "HS256", "kid": "own", "x5u": "https://evil.example/x"},
    "jwk": {"alg": "HS256", "kid": "own", "jwk": {"kty": "oct", "k": "AAAA"}},
    "crit": {"alg": "HS256", "kid": "own", "crit": ["b64"], "b64": False},
    "another type": {"alg": "HS256", "kid": "own", "typ": "at+jwt"},
    "kid twice": b'{"alg":"HS256","kid":"shop","kid":"own"}',
    "alg twice": b'{"alg":"none","alg":"HS256","kid":"own"}',
    "no object": b'["HS256"]',
    "no JSON": b"{",
    "no UTF-8": b'{"alg":"HS256","kid":"\xff"}',
    "nested": b'{"alg":"HS256","kid":"own","x":' + b"[" * 3000 + b"]" * 3000 + b"}",
    "empty": b"",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_header_tricks(header: dict[str, object] | bytes) -> None:
    """A header that is anything but a known key's and its algorithm is refused, although the signature is good."""
    assert is_refused(token(header=header))


def test_public_key_is_no_secret() -> None:
    """A public key, which everybody may know, signs nothing as a shared secret, in any of its spellings."""
    for secret in (PUBLIC, PUBLIC.strip(), PUBLIC.replace("\n", "")):
        for alg in ("HS256", "EdDSA"):
            assert is_refused(token(header={"alg": alg, "kid": "pair"}, secret=secret))
            assert is_refused(token(header={"alg": alg, "kid": "verifies"}, secret=secret))


def test_signed_by_others() -> None:
    """Another secret, another pair, a pair of which only the kid is ours: refused."""
    assert is_refused(token(secret=SECRET + "!"))
    assert is_refused(token(secret=PRIVATE))
    assert is_refused(pair_token(pair=Ed25519PrivateKey.generate()))
    assert is_refused(pair_token(kid="own"))


@pytest.mark.parametrize(
    "text", ["", ".", "..", "...", "a.b.c", "é.é.é", "\ud800", "a" * 100, f"{token()}.", f".{token()}"]
)
def test_what_is_no_token(text: str) -> None:
    """What has not three parts, or parts that are no base64url, is refused."""
    assert is_refused(text)


@pytest.mark.parametrize(
    "spoil", ["{0}.{1}.", "{0}.{1}.{2}=", "{0}=.{1}.{2}", "{0}. {1}.{2}", "{0}.{1}.{2}\n", "{0}.{1}"]
)
def test_other_ways_to_write_it(spoil: str) -> None:
    """Padding, white space, or a signature that is left out: refused."""
    assert is_refused(spoil.format(*token().split(".")))


# A header, payload and signature of lengths that leave spare bits in the last character of each.
SPARE = {
    "HS256": token({"a": 1}, {"alg": "HS256", "kid": "shop"}, "the shop's " + SECRET),
    "EdDSA": pair_token({"a": 1}),
}


@pytest.mark.parametrize("part", range(3))
@pytest.mark.parametrize("signed", SPARE.values(), ids=SPARE)
def test_spare_bits(signed: str, part: int) -> None:
    """The bits of a part's last character that say nothing are zero: the same bytes with others are refused."""
    parts = signed.split(".")
    content = decoded(parts[part])
    last = [
        f"{parts[part][:-1]}{character}" for character in ALPHABET if decoded(parts[part][:-1] + character) == content
    ]

    assert not is_refused(signed)
    assert len(last) in {4, 16}
    assert {parts[part]} == {one for one in last if not is_refused(".".join([*parts[:part], one, *parts[part + 1 :]]))}


def decoded(part: str) -> bytes:
    """What stands in a part, whatever its spare bits are."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_too_long() -> None:
    """What is longer than a quote can be is not even looked at."""
    signed = KNOWN["own"].sign(b" " * LONGEST_TOKEN)

    assert is_refused(signed)


@given(st.text() | st.lists(st.text(st.sampled_from(ALPHABET)), min_size=3, max_size=3).map(".".join))
def test_any_text_is_refused(text: str) -> None:
    """No text that nobody signed is believed, and none does anything else than be refused."""
    assert is_refused(text)


def test_key_shows_no_secret() -> None:
    """A key as text tells nothing of what it signs with."""
    assert "Key(kid='own')" == repr(KNOWN["own"])
