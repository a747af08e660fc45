"""Credentials of callers: a key or a token is one that was given out, or nobody's."""

import json
import math
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256

from service.api.callers import Callers
from service.api.settings import CallerSettings
from service.api.tokens import Tokens
from service.checkout.errors import UnauthenticatedError
from tests.support.tokens import AUDIENCE, ISSUER, SUBJECT, claims, encoded, jwks, key, sealed, signed, verifier

NOW = 1_800_000_000
KEY = "a key of a caller"
_KID = "ed-1"


@cache
def _tokens() -> Tokens:
    return verifier(jwks(_KID), lambda: datetime.fromtimestamp(NOW, UTC))


@cache
def _callers() -> Callers:
    table = CallerSettings(key_sha256=(sha256(KEY.encode()).hexdigest(),), jwt_subject=SUBJECT)
    return Callers({"robot": table}, _tokens())


@cache
def good_token() -> str:
    """The token that holds, to be spoiled."""
    return signed(claims(iat=NOW, nbf=NOW, exp=NOW + 300), _KID)


def target(data: bytes) -> None:
    """`TOKEN` in an input stands for the token that holds: nothing else gets in but that and the key."""
    credential = data.decode("latin-1").replace("TOKEN", good_token())
    try:
        _callers().authenticate(credential)
    except UnauthenticatedError:
        return
    scheme, credential = credential[:7], credential[7:]
    assert "bearer " == scheme.lower()
    assert credential in {KEY, good_token()}, credential


def target_claims(data: bytes) -> None:
    """Whatever the right key signed: no failure, and whom it lets in was meant, for us, for now."""
    text = data.decode("utf-8", "replace")
    token = sealed(f"{encoded({'alg': 'EdDSA', 'kid': _KID})}.{encoded(text)}", "EdDSA", key(_KID))
    subject = _tokens().subject(token)
    if subject is None:
        return
    said = json.loads(text)
    audiences = said["aud"] if isinstance(said["aud"], list) else [said["aud"]]
    assert (ISSUER, str(said["sub"])) == (said["iss"], subject)
    assert AUDIENCE in audiences
    assert NOW - 60 <= said["exp"] < math.inf
    assert said.get("nbf", 0) <= NOW + 60
