"""JSON bodies of every route that reads one: refused in words of ours, or whole and of documented members alone."""

import json

import msgspec

from service.api.schemas import BrowserRequest, ItemReplacement, ReplacementRequest
from service.checkout.decoding import decode
from service.checkout.errors import InvalidRequestError, RequestRefusedError
from service.checkout.models import Customer, Item, OrderRequest
from service.checkout.policy import admit
from service.checkout.quotes.claims import QuoteRequest
from tests.support.orders import CHECKOUT

_BROWSER = msgspec.json.Decoder(BrowserRequest)
_CALLERS = [msgspec.json.Decoder(kind) for kind in (ReplacementRequest, Item, ItemReplacement, Customer, QuoteRequest)]
_ORDER = msgspec.json.Decoder(OrderRequest)
_OPEN = frozenset("checkout coupon customer country language quote challenge returnUrl cancelUrl".split()) | frozenset(
    "affiliateCode promoCodes fresh items".split()
)
_OPEN_OF_ITEMS = frozenset("product quantity attributes subscription trial giftTo gameServer customVariables".split())


def target(data: bytes) -> None:
    """The body of a browser: what only servers may set is named whatever it holds, and nothing of it goes on."""
    try:
        request = decode(_BROWSER, data)
    except InvalidRequestError as error:
        _check_words(error)
        return
    document = json.loads(data)
    restricted = {name for name in document if name not in _OPEN} | {
        f"items[{index}].{name}"
        for index, item in enumerate(document.get("items", ()))
        for name in item
        if name not in _OPEN_OF_ITEMS
    }
    assert restricted == set(request.restricted_fields())
    order = msgspec.to_builtins(request.to_order_request())
    assert set() == {name for name, value in order.items() if value is not None} - _OPEN
    _admit(request.to_order_request())


def target_of_callers(data: bytes) -> None:
    """The bodies of callers: what is taken says nothing that the JSON does not."""
    try:
        request = decode(_ORDER, data)
    except InvalidRequestError as error:
        _check_words(error)
    else:
        said = json.loads(data)
        taken = {name for name, value in msgspec.to_builtins(request).items() if value not in (None, (), [], False)}
        assert taken <= said.keys() | {"checkout"}
        _admit(request)
    for decoder in _CALLERS:
        try:
            decode(decoder, data)
        except InvalidRequestError as error:
            _check_words(error)


def _admit(request: OrderRequest) -> None:
    try:
        admit(request, CHECKOUT)
    except RequestRefusedError as error:
        _check_words(error)


def _check_words(error: RequestRefusedError) -> None:
    """Each place is one that may be shown: no address, nothing that moves a cursor or ends a line."""
    places = [one.field for one in error.errors]
    assert all(place.isprintable() and "@" not in place for place in places), error
