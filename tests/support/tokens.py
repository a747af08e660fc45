"""An identity provider of tests: its keys, its JWKS document, and tokens as it would sign them or as nobody should."""

import base64
import hmac
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from joserfc.jwk import ECKey, Key, KeyParameters, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from service.api.settings import JwtSettings
from service.api.tokens import Tokens
from service.checkout.ports import Clock
from service.config.file import TextFile

ISSUER = "https://idp.example"
AUDIENCE = "checkout-broker"
SUBJECT = "robot@idp.example"
KIDS = ("rsa-1", "ec-1", "ed-1")
ALGORITHMS = {"rsa": "RS256", "ec": "ES256", "ed": "EdDSA"}


@cache
def key(kid: str) -> Key:
    """The pair of keys of this name: RSA, P-256 or Ed25519 by how the name begins."""
    parameters: KeyParameters = {"kid": kid}
    if kid.startswith("rsa"):
        return RSAKey.generate_key(2048, parameters)
    return (
        ECKey.generate_key("P-256", parameters) if kid.startswith("ec") else OKPKey.generate_key("Ed25519", parameters)
    )


def public(kid: str, /, **members: object) -> dict[str, Any]:
    """The public half as a JWK; a member of None is left out."""
    jwk = key(kid).as_dict(private=False) | members
    return {name: value for name, value in jwk.items() if value is not None}


def jwks(*kids: str) -> str:
    """A JWKS document of these keys."""
    return json.dumps({"keys": [public(kid) for kid in kids]})


def verifier(document: str, clock: Clock = lambda: datetime.now(UTC)) -> Tokens:
    """What verifies by a document."""
    table = JwtSettings(jwks_file=TextFile("/jwks.json", document), issuer=ISSUER, audience=AUDIENCE)
    return Tokens(table, clock)


def claims(**changes: object) -> dict[str, object]:
    """What a good token says, with changes; a claim of None is left out."""
    now = int(time.time())
    usual = {"iss": ISSUER, "aud": AUDIENCE, "sub": SUBJECT, "iat": now, "nbf": now, "exp": now + 300}
    return {name: value for name, value in (usual | changes).items() if value is not None}


def signed(
    said: object, kid: str = "rsa-1", *, by: Key | None = None, header: Mapping[str, object] | None = None
) -> str:
    """A token of these claims; `header` changes its header (None leaves a member out), `by` is another signer."""
    members = {"alg": ALGORITHMS[kid.partition("-")[0]], "kid": kid, "typ": "JWT", **(header or {})}
    head = encoded({name: value for name, value in members.items() if value is not None})
    return sealed(f"{head}.{encoded(said)}", str(members["alg"]), by or key(kid))


def sealed(text: str, algorithm: str, by: Key) -> str:
    """A header and a payload with their signature; an algorithm that does not exist signs with nothing."""
    known = JWSRegistry.algorithms.get(algorithm)
    return f"{text}.{base64url(known.sign(text.encode(), by) if known else b'')}"


def keyed(text: str, algorithm: str, secret: bytes) -> str:
    """A header and a payload with their HMAC, whatever the secret is."""
    digest = hmac.digest(secret, text.encode(), f"sha{algorithm.removeprefix('HS')}")
    return f"{text}.{base64url(digest)}"


def encoded(value: object) -> str:
    """JSON in base64url; a text stands for JSON that is no JSON."""
    return base64url((value if isinstance(value, str) else json.dumps(value)).encode())


def base64url(data: bytes) -> str:
    """Without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
