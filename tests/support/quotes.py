"""Signed quotes for tests: keys, tokens signed by hand as any back end would, and the core's ports."""

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from service.checkout.quotes.quotes import Quotes
from service.checkout.quotes.settings import QuoteKey, QuotesSettings
from service.config.secret import Secret
from tests.support.orders import NOW, SettableClock

SECRET = "a shared secret of the shop, 32 bytes at least"
ISSUED_AT = int(NOW.timestamp())
PAIR = Ed25519PrivateKey.from_private_bytes(b"p" * 32)
PRIVATE = PAIR.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PUBLIC = PAIR.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
ORDER: dict[str, Any] = {
    "items": [{"product": "pro-license", "quantity": 2, "pricing": {"price": {"EUR": "24.50"}}}],
    "orderTags": {"campaign": "spring"},
}
KEYS = {
    "own": QuoteKey(secret=Secret(SECRET)),
    "shop": QuoteKey(secret=Secret("the shop's " + SECRET), caller="shop"),
    "pair": QuoteKey(algorithm="EdDSA", private_key=Secret(PRIVATE)),
    "verifies": QuoteKey(algorithm="EdDSA", public_key=Secret(PUBLIC)),
}
SETTINGS = QuotesSettings(sign_with="own", max_age_seconds=3600, keys=KEYS)
RIGHTS = {("backoffice", "default"), ("shop", "default"), ("shop", "other")}


def quotes(settings: QuotesSettings | None = SETTINGS, clock: SettableClock | None = None) -> Quotes:
    """Quotes of two callers, one of whom holds a key; any address is a buyer's."""
    return Quotes(settings, lambda *asked: asked in RIGHTS, lambda address: address, clock or SettableClock())


def claims(**changes: object) -> dict[str, Any]:
    """Claims of a good quote of the service's own; None leaves one out."""
    good = {
        "iss": "backoffice",
        "aud": "checkout-broker",
        "checkout": "default",
        "live": False,
        "order": ORDER,
        "iat": ISSUED_AT,
        "exp": ISSUED_AT + 900,
        "jti": "q-1",
        "once": True,
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def token(
    payload: Mapping[str, object] | bytes | None = None,
    header: Mapping[str, object] | bytes | None = None,
    secret: str = SECRET,
) -> str:
    """A token signed by HMAC; its header and payload are JSON, or any bytes."""
    head = {"alg": "HS256", "kid": "own"} if header is None else header
    signed = f"{_part(head)}.{_part(claims() if payload is None else payload)}"
    return f"{signed}.{_part(hmac.digest(secret.encode(), signed.encode(), sha256))}"


def pair_token(payload: Mapping[str, object] | None = None, kid: str = "pair", pair: Ed25519PrivateKey = PAIR) -> str:
    """A token signed by a key pair."""
    signed = f"{_part({'alg': 'EdDSA', 'kid': kid})}.{_part(claims() if payload is None else payload)}"
    return f"{signed}.{_part(pair.sign(signed.encode()))}"


def _part(content: Mapping[str, object] | bytes) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def payload_of(signed: str) -> dict[str, Any]:
    """What stands in a token."""
    part = signed.split(".")[1]
    payload: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return payload


class MemoryQuotes:
    """The port of used quotes in memory; with `failure` nobody can tell."""

    def __init__(self) -> None:
        self.burned: dict[str, str] = {}
        self.lasting: list[timedelta] = []
        self.failure: Exception | None = None

    async def burn(self, key: str, reference: str, *, lasting: timedelta) -> bool:
        if self.failure:
            raise self.failure
        self.lasting.append(lasting)
        return self.burned.setdefault(key, reference) == reference

    async def give_back(self, key: str, reference: str) -> None:
        if self.burned.get(key) == reference:
            del self.burned[key]
