"""Quotes: the token that a browser carries, and what a shop's own back end may have signed."""

import base64
import hmac
import json
import re
from datetime import UTC, datetime
from hashlib import sha256

from service.checkout.buyer import Buyer
from service.checkout.errors import CartNotAllowedError, InvalidQuoteError
from service.checkout.models import OrderRequest
from tests.support.orders import CHECKOUT, NOW
from tests.support.quotes import PAIR, RIGHTS, SECRET, quotes, token

_QUOTES = quotes()
_BUYER = Buyer(key="a-buyer-key-of-the-fuzzer")
_SECRETS = {"own": SECRET, "shop": "the shop's " + SECRET}


def target(data: bytes) -> None:
    """A token is taken only where its parts are written in the one way that there is, and its key's HMAC is right."""
    text = data.decode("utf-8", "replace")
    try:
        _, quote = _QUOTES.applied(OrderRequest(quote=text), "default", CHECKOUT, _BUYER)
    except (InvalidQuoteError, CartNotAllowedError):
        return
    assert quote is not None
    assert _is_signed(text), text


def _is_signed(text: str) -> bool:
    signed, _, signature = text.rpartition(".")
    header = json.loads(base64.urlsafe_b64decode(signed.partition(".")[0] + "=="))
    if header["kid"] in _SECRETS:
        right = hmac.digest(_SECRETS[header["kid"]].encode(), signed.encode(), sha256)
    else:
        right = PAIR.sign(signed.encode())  # a signature of Ed25519 is always the same
    return signature == base64.urlsafe_b64encode(right).rstrip(b"=").decode()


def target_claims(data: bytes) -> None:
    """What a key signed is refused alike, or it is for this checkout, mode, time and buyer."""
    try:
        _, quote = _QUOTES.applied(OrderRequest(quote=token(data)), "default", CHECKOUT, _BUYER)
    except InvalidQuoteError:
        return
    claims, now = json.loads(data), NOW.timestamp()
    assert quote is not None
    assert ("checkout-broker", "default", False) == (claims["aud"], claims["checkout"], claims["live"])
    assert (claims["iss"], "default") in RIGHTS
    assert claims["iat"] - 60 <= now < claims["exp"] <= claims["iat"] + 3600
    assert claims.get("buyerKeySha256") in (None, sha256((_BUYER.key or "").encode()).hexdigest())
    assert re.fullmatch("[A-Za-z0-9_.:-]{1,64}", quote.id)
    assert datetime.fromtimestamp(claims["exp"], UTC) == quote.expires_at
