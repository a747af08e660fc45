"""Quotes are signed as they are wanted, and taken for the one use that they were signed for."""

from datetime import timedelta
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from service.checkout.buyer import Buyer
from service.checkout.errors import (
    CheckoutError,
    FieldError,
    InvalidQuoteError,
    InvalidRequestError,
    QuotesNotOfferedError,
    ScopeMissingError,
)
from service.checkout.models import OrderRequest
from service.checkout.quotes.claims import QuoteRequest
from service.checkout.quotes.quotes import Quotes
from service.checkout.quotes.settings import QuotesSettings
from tests.support.orders import CHECKOUT, NOW, SettableClock
from tests.support.quotes import (
    ISSUED_AT,
    KEYS,
    ORDER,
    RIGHTS,
    SETTINGS,
    claims,
    pair_token,
    payload_of,
    quotes,
    token,
)

BUYER_KEY = "b" * 24
BUYER = Buyer(key=BUYER_KEY)
CALLER = Buyer(key=BUYER_KEY, caller="robot")
DIGEST = sha256(BUYER_KEY.encode()).hexdigest()


def wanted(**members: object) -> QuoteRequest:
    """A body of `POST /internal/quotes`."""
    return msgspec.convert({"order": ORDER, "expiresIn": 900} | members, QuoteRequest)


def applied(
    signed: str, buyer: Buyer = BUYER, known: Quotes | None = None, **members: object
) -> tuple[OrderRequest, Any]:
    """What a request with a quote comes to."""
    return (known or quotes()).applied(OrderRequest(quote=signed, **members), "default", CHECKOUT, buyer)  # type: ignore[arg-type]  # members of a request


def is_refused(signed: str, buyer: Buyer = BUYER, known: Quotes | None = None) -> bool:
    """Whether a quote is refused, in the one way."""
    try:
        applied(signed, buyer, known)
    except InvalidQuoteError as error:
        return ("This quote cannot be accepted.", ()) == (error.detail, error.errors)
    return False


def test_claims() -> None:
    """What is signed is what was wanted, who signed it, for how long, and nothing else."""
    answer = quotes().sign(wanted(buyerKey=BUYER_KEY, currency="EUR", once=False), CHECKOUT, "backoffice")

    expected = claims(jti=answer.id, once=False, currency="EUR", buyerKeySha256=DIGEST)
    assert expected == payload_of(answer.quote)
    assert NOW + timedelta(seconds=900) == answer.expires_at
    assert 24 == len(answer.id)


def test_order_s_mode_is_the_quote_s() -> None:
    """A quote is bound to the mode of its checkout, or to the one that its order names."""
    signed = [
        quotes().sign(wanted(order=ORDER | mode), replace(CHECKOUT, live=live), "backoffice").quote
        for live in (True, False)
        for mode in ({}, {"live": True}, {"live": False})
    ]

    assert [True, True, False, False, True, False] == [payload_of(one)["live"] for one in signed]


def test_ids_differ() -> None:
    """No two quotes have one id."""
    known = quotes()

    assert 100 == len({known.sign(wanted(), CHECKOUT, "backoffice").id for _ in range(100)})


@pytest.mark.parametrize("sign_with", ["own", "pair"])
def test_signed_quote_is_taken(sign_with: str) -> None:
    """What this service signs it takes, for a browser and for a caller: the order arrives, and the quote is known."""
    known = quotes(replace(SETTINGS, sign_with=sign_with))
    answer = known.sign(wanted(currency="EUR"), CHECKOUT, "backoffice")

    for buyer in (BUYER, CALLER, Buyer()):
        request, quote = applied(answer.quote, buyer, known)
        assert (msgspec.convert(ORDER, OrderRequest), None) == (replace(request, quote=None), request.quote)
        assert (answer.id, "backoffice", True, "EUR") == (quote.id, quote.issuer, quote.once, quote.currency)
        assert (answer.expires_at, False) == (quote.expires_at, quote.live)


@pytest.mark.parametrize(
    ("settings", "body", "kind", "field"),
    [
        (None, {}, QuotesNotOfferedError, []),
        (QuotesSettings(keys=KEYS), {}, QuotesNotOfferedError, []),
        (replace(SETTINGS, sign_with="shop"), {}, ScopeMissingError, []),
        (SETTINGS, {"expiresIn": 3601}, InvalidRequestError, ["expiresIn"]),
        (
            SETTINGS,
            {"order": ORDER | {"metadata": {str(one): "m" * 1000 for one in range(30)}}},
            InvalidRequestError,
            ["order"],
        ),
    ],
)
def test_not_signed(
    settings: QuotesSettings | None, body: dict[str, object], kind: type[CheckoutError], field: list[str]
) -> None:
    """Without a key, with another caller's, for longer than is allowed, or too long to be taken: nothing is signed."""
    with pytest.raises(kind) as caught:
        quotes(settings).sign(wanted(**body), CHECKOUT, "backoffice")

    assert field == [one.field for one in caught.value.errors]


def test_as_long_as_is_allowed() -> None:
    """A quote may hold for exactly as long as is allowed: it is signed, and taken."""
    known = quotes()
    answer = known.sign(wanted(expiresIn=3600), CHECKOUT, "backoffice")

    assert NOW + timedelta(seconds=3600) == answer.expires_at
    assert not is_refused(answer.quote, known=known)


def test_caller_s_own_key_signs_for_it() -> None:
    """The key that a caller holds may sign for that very caller here too."""
    known = quotes(replace(SETTINGS, sign_with="shop"))

    assert "shop" == payload_of(known.sign(wanted(), CHECKOUT, "shop").quote)["iss"]


def test_request_without_a_quote_stays_itself() -> None:
    """Nothing happens to what has no quote."""
    request = OrderRequest(coupon="C")

    assert (request, None) == quotes().applied(request, "default", CHECKOUT, BUYER)


GOOD: dict[str, str] = {
    "as it is": token(claims()),
    "once is the default": token(claims(once=None)),
    "for this buyer": token(claims(buyerKeySha256=DIGEST)),
    "a clock ahead by a minute": token(claims(iat=ISSUED_AT + 60)),
    "as long as is allowed": token(claims(exp=ISSUED_AT + 3600)),
    "one more second": token(claims(exp=ISSUED_AT + 1)),
    "any part of an order": token(claims(order={})),
    "nothing said": token(claims(order=ORDER | {"fresh": False, "quote": None, "checkout": "", "coupon": ""})),
    "by a back end": token(
        claims(iss="shop"),
        {"alg": "HS256", "kid": "shop"},
        "the shop's " + "a shared secret of the shop, 32 bytes at least",
    ),
    "by a pair": pair_token(),
    "by a pair's public half": pair_token(kid="verifies"),
    "an id with a colon": token(claims(jti="order:4711")),
}


@pytest.mark.parametrize("signed", GOOD.values(), ids=GOOD)
def test_taken(signed: str) -> None:
    """Whatever a back end may sign is taken."""
    assert not is_refused(signed)


TWICE = msgspec.json.encode(claims())
BAD: dict[str, str] = {
    "another checkout": token(claims(checkout="other")),
    "another mode": token(claims(live=True)),
    "another mode in the order": token(claims(order=ORDER | {"live": True})),
    "another audience": token(claims(aud="another")),
    "audiences": token(claims(aud=["checkout-broker"])),
    "over": token(claims(exp=ISSUED_AT)),
    "long over": token(claims(iat=ISSUED_AT - 3600, exp=ISSUED_AT - 1)),
    "of the future": token(claims(iat=ISSUED_AT + 61, exp=ISSUED_AT + 300)),
    "for too long": token(claims(exp=ISSUED_AT + 3601)),
    "for ever": token(claims(exp=10**30)),
    "from ever": token(claims(iat=-(10**30))),
    "not a number": token(claims(exp=str(ISSUED_AT + 900))),
    "not an integer": token(claims(exp=ISSUED_AT + 900.5)),
    "true for a time": token(claims(iat=True)),
    "unknown caller": token(claims(iss="stranger")),
    "no caller": token(claims(iss="")),
    "caller of other checkouts": token(claims(iss="robot")),
    "another caller's key": token(
        claims(), {"alg": "HS256", "kid": "shop"}, "the shop's " + "a shared secret of the shop, 32 bytes at least"
    ),
    "another buyer": token(claims(buyerKeySha256="0" * 64)),
    "a buyer key itself": token(claims(buyerKeySha256=BUYER_KEY)),
    "an id of any characters": token(claims(jti="a b")),
    "an id with an end": token(claims(jti="a\n")),
    "no id": token(claims(jti="")),
    "a long id": token(claims(jti="j" * 65)),
    "an unknown claim": token(claims(nbf=ISSUED_AT)),
    "an unknown member": token(claims(order=ORDER | {"price": 1})),
    "a checkout in the order": token(claims(order=ORDER | {"checkout": "default"})),
    "a quote in the order": token(claims(order=ORDER | {"quote": "a.b.c"})),
    "a challenge in the order": token(claims(order=ORDER | {"challenge": "c"})),
    "fresh in the order": token(claims(order=ORDER | {"fresh": True})),
    "a currency of no letters": token(claims(currency="eur")),
    "a claim twice": token(TWICE[:-1] + b',"live":false}'),
    "a member twice": token(TWICE.replace(b'"orderTags"', b'"orderTags":{},"orderTags"')),
    "no object": token(b"[]"),
    "no JSON": token(b"{"),
    "nested": token(b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}"),
    **{f"without {name}": token(claims(**{name: None})) for name in claims() if name != "once"},
}


@pytest.mark.parametrize("signed", BAD.values(), ids=BAD)
def test_refused_alike(signed: str) -> None:
    """Well signed, and yet not for this use, or not as documented: refused in the same words, for whoever brings it."""
    assert [True] * 2 == [is_refused(signed, buyer) for buyer in (BUYER, CALLER)]


def test_buyer_s_quote_is_that_buyer_s_alone() -> None:
    """A quote that is bound to a buyer is refused without a Buyer-Key and with another."""
    signed = token(claims(buyerKeySha256=DIGEST))

    assert [True, True, False] == [is_refused(signed, buyer) for buyer in (Buyer(), Buyer(key="c" * 24), BUYER)]


def test_mode_holds_also_against_a_caller() -> None:
    """A caller who brings a quote cannot turn its mode."""
    with pytest.raises(InvalidQuoteError):
        applied(token(), CALLER, live=True)


def test_rights_are_those_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller who has lost the right to quote takes its quotes with it."""
    signed = token()
    assert not is_refused(signed)
    monkeypatch.setattr("tests.support.quotes.RIGHTS", RIGHTS - {("backoffice", "default")})

    assert is_refused(signed)


def test_time_passes() -> None:
    """A quote holds until its last second, and no longer."""
    clock = SettableClock()
    known = quotes(clock=clock)
    signed = known.sign(wanted(), CHECKOUT, "backoffice").quote
    clock.now = NOW + timedelta(seconds=899.9)
    assert not is_refused(signed, known=known)
    clock.now = NOW + timedelta(seconds=900)

    assert is_refused(signed, known=known)


def test_rotation() -> None:
    """A new key is added, then signs, then the old one is removed: what either signed meanwhile is taken throughout."""
    old = quotes(QuotesSettings(sign_with="own", keys={"own": KEYS["own"]}))
    added = quotes(QuotesSettings(sign_with="own", keys={"own": KEYS["own"], "pair": KEYS["pair"]}))
    turned = quotes(QuotesSettings(sign_with="pair", keys={"own": KEYS["own"], "pair": KEYS["pair"]}))
    gone = quotes(QuotesSettings(sign_with="pair", keys={"pair": KEYS["pair"]}))
    by_old, by_new = (one.sign(wanted(), CHECKOUT, "backoffice").quote for one in (old, turned))

    assert [False] * 3 == [is_refused(by_old, known=known) for known in (old, added, turned)]
    assert [False] * 3 == [is_refused(by_new, known=known) for known in (added, turned, gone)]
    assert is_refused(by_old, known=gone)
    assert is_refused(by_new, known=old)


def test_without_keys_every_quote_is_refused() -> None:
    """Where no quotes are configured, no quote is taken."""
    assert is_refused(token(), known=quotes(None))


def test_address_in_a_quote_is_a_buyer_s() -> None:
    """The address of a quote is spelled as usual; one that cannot be a buyer's makes the quote none."""

    def named(address: str | None) -> str | None:
        if address == "10.0.0.1":
            raise InvalidRequestError("private", errors=(FieldError(field="buyerIp", detail="private"),))
        return address and "8.8.4.4"

    known = Quotes(SETTINGS, lambda *_: True, named, SettableClock())
    request, _ = applied(token(claims(order=ORDER | {"buyerIp": "::ffff:8.8.4.4"})), known=known)

    assert "8.8.4.4" == request.buyer_ip
    assert is_refused(token(claims(order=ORDER | {"buyerIp": "10.0.0.1"})), known=known)


@pytest.mark.parametrize(("once", "fresh"), [(True, False), (False, True)])
def test_single_use_is_never_fresh(once: bool, fresh: bool) -> None:  # noqa: FBT001  # a table
    """One use is one session, also for who asks for another; other quotes make as many as are asked for."""
    request, _ = applied(token(claims(once=once)), fresh=True)

    assert fresh is request.fresh
