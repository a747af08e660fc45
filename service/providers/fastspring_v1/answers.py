"""v1's session in our words, and its refusals in ours: none of its texts goes further than this file."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from service.checkout.errors import FieldError, UpstreamInvalidError, UpstreamRejectedError
from service.checkout.models import Product, ProviderSession, SessionItem
from service.providers.fastspring_v1.settings import FastSpringV1Checkout

_LAST_MILLISECOND = 253_402_300_799_999  # of the year 9999, the last that a calendar of ours has
_MOST_FIELDS = 32

# A part of a text in lower case, the field that it is about, and what we say of it. The first is documented, the next
# two were seen in this API family, the others are likely.
_KNOWN_TEXTS = (
    ("item exists", "items", "A product, or a variation of it, stands in the cart twice: put them on one line."),
    ("account not found", "accountId", "The provider knows no such account."),
    ("account or contact required", "customer.email", "This checkout needs the buyer's e-mail address."),
    ("email required", "customer.email", "This checkout needs the buyer's e-mail address."),
    ("invalid email", "customer.email", "This is not an e-mail address."),
    ("product not found", "items", "The provider does not sell a product of this cart."),
)
_REFUSED_VALUE = "The provider does not accept this value."

# Their names, wherever they stand, and where ours do.
_PLACES = {
    "account": "accountId",
    "contact": "customer",
    "first": "customer.firstName",
    "last": "customer.lastName",
    **{name: f"customer.{name}" for name in "email company phone".split()},
    **{name: name for name in "country language coupon lookup items".split()},
    "custom": "lookup.custom",
    "tags": "orderTags",
    "expiration": "expirationDays",
    **{name: f"items.{name}" for name in "product quantity attributes pricing".split()},
    **{
        name: f"items.pricing.{name}"
        for name in "price trial paidTrial trialPrice paymentCollected renew interval intervalLength quantityBehavior"
        " quantityDefault discountDuration".split()
    },
    "discountType": "items.pricing.discounts",
    "quantityDiscounts": "items.pricing.discounts",
}
_LINE = re.compile(r"items(?P<index>\[[0-9]{1,3}\])")


class Line(Struct, frozen=True, kw_only=True):
    product: Product
    quantity: Annotated[int, Meta(ge=0, le=1_000_000_000)]


class SessionAnswer(Struct, frozen=True, kw_only=True):
    """`expires` is in milliseconds since 1970; `order` is null until there is one.

    `subtotal`, the only amount, is not read: on what basis of tax, trials and discounts it stands is not documented.
    """

    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$(?!\n)")]
    expires: Annotated[int, Meta(ge=0, le=_LAST_MILLISECOND)]
    items: Annotated[tuple[Line, ...], Meta(max_length=1000)]
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$(?!\n)")] | None = None
    order: object = None


class ErrorAnswer(Struct, frozen=True, kw_only=True):
    """The members of every shape of error in this API family, each of whatever type came."""

    result: object = None
    error: object = None
    message: object = None
    params: object = None
    errors: object = None


_decode_session = msgspec.json.Decoder(SessionAnswer).decode
_decode_error = msgspec.json.Decoder(ErrorAnswer).decode
_UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)


def read_session(body: bytes, checkout: FastSpringV1Checkout) -> ProviderSession:
    """A 200 in our words. It gives no country, mode, tags and total, and whether a quantity is locked.

    Raises:
        UpstreamRejectedError: a refusal stands in it.
        UpstreamInvalidError: it is not the documented session.
    """
    try:
        if _decode_error(body).result not in (None, "success"):
            raise read_refusal(body)
        answer = _decode_session(body)
    except _UNREADABLE as error:
        raise UpstreamInvalidError("The provider's answer cannot be read.") from error
    return ProviderSession(
        session_id=answer.id,
        token=None,
        checkout_url=checkout.page_of(answer.id),
        expires_at=datetime.fromtimestamp(answer.expires // 1000, UTC),
        payable=answer.order is None,
        currency=answer.currency,
        items=tuple(SessionItem(product=line.product, quantity=line.quantity) for line in answer.items),
    )


def read_refusal(body: bytes) -> UpstreamRejectedError:
    """An error of any shape in our words: which fields, never what was in them."""
    try:
        answer = _decode_error(body)
    except _UNREADABLE:
        answer = ErrorAnswer()
    errors: dict[str, FieldError] = {}
    for error in _field_errors(answer):
        errors.setdefault(error.field, error)
    return UpstreamRejectedError("The provider refuses this request.", errors=tuple(errors.values())[:_MOST_FIELDS])


def _field_errors(answer: ErrorAnswer) -> Iterator[FieldError]:
    for name, text in _faults(answer):
        known = next((one for one in _KNOWN_TEXTS if one[0] in text.lower()), None)
        field = our_field(name)
        if known:
            _, place, detail = known
            yield FieldError(field=field if field and field.startswith(place) else place, detail=detail)
        elif field:
            yield FieldError(field=field, detail=_REFUSED_VALUE)


def _faults(answer: ErrorAnswer) -> Iterator[tuple[str, str]]:
    """(name of a field, text) of each fault, either of them empty where it was not given.

    Shapes: `error` as an object by field or as a text; `message` with `params`, which hold texts as well as names; and
    `errors`, a list of objects with `field` and `message`.
    """
    yield "", _text(answer.message)
    yield "", _text(answer.error)
    if isinstance(answer.error, dict):
        yield from ((name, _text(text)) for name, text in answer.error.items())
    for param in _list(answer.params):
        yield _text(param), _text(param)
    for fault in _list(answer.errors):
        if isinstance(fault, dict):
            yield _text(fault.get("field")), _text(fault.get("message"))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def our_field(field: str) -> str | None:
    """`contact.first` is `customer.firstName` here, `items[1].pricing.trial` the same; None for what is none of ours.

    Names stand for themselves too, as the members of `error` do. A path ends before the first name that we do not
    know, so that no text of theirs passes.
    """
    place, line = None, _LINE.match(field)
    for name in _LINE.sub("items", field, count=1).split("."):
        if name not in _PLACES:
            break
        place = _PLACES[name]
    if place is None or not place.startswith("items"):
        return place
    # Without a number it could be any line: the cart as a whole is named.
    return place.replace("items", f"items{line['index']}", 1) if line else "items"
