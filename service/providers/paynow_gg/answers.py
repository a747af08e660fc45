"""PayNow's answers in our words: sessions, customers, tokens, and refusals, none of whose texts goes further."""

import re
from datetime import datetime
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from service.checkout.errors import FieldError, UpstreamInvalidError, UpstreamRejectedError
from service.checkout.inline_product import InlineProduct
from service.checkout.models import Order, ProviderSession
from service.checkout.session import State
from service.providers.paynow_gg.requests import ADDRESS_HEADER, COUNTRY_HEADER, promo_codes
from service.providers.paynow_gg.vocabulary import is_flake_id

FlakeId = Annotated[str, Meta(pattern=r"^[0-9]{1,19}$(?!\n)")]
Token = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._~+/=-]{1,4096}$(?!\n)")]
_CASE = re.compile(r"[A-Za-z0-9-]{1,64}")
_MOST_FAULTS = 32
_REFUSED_VALUE = "The provider does not accept this value."
_REFUSED_CODE = "The provider does not accept this code."


class SessionAnswer(Struct, frozen=True, kw_only=True):
    """All that the create call answers."""

    id: FlakeId
    token: Token
    url: Annotated[str, Meta(max_length=2048)]


class CustomerAnswer(Struct, frozen=True, kw_only=True):
    id: FlakeId
    store_id: FlakeId
    name: str | None = None


class OrderAnswer(Struct, frozen=True, kw_only=True):
    """One order of a list. An unknown status makes it unreadable, as it could stand for a payment."""

    checkout_id: FlakeId
    status: Literal["created", "completed", "canceled", "refunded", "chargeback"]


class TokenAnswer(Struct, frozen=True, kw_only=True):
    token: Token


class Fault(Struct, frozen=True, kw_only=True):
    """`path` is a string in the specification, a list in the documentation; the texts beside it are not read."""

    path: str | tuple[str | int, ...] | None = None


class ErrorAnswer(Struct, frozen=True, kw_only=True):
    """`code` is free text, of which no list is published; `trace_id` is what PayNow's support asks for."""

    code: str | None = None
    message: str | None = None
    trace_id: str | None = None
    errors: tuple[Fault, ...] | None = None


A = TypeVar("A")
_UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)
_decode_session = msgspec.json.Decoder(SessionAnswer)
_decode_customer = msgspec.json.Decoder(CustomerAnswer)
_decode_orders = msgspec.json.Decoder(tuple[OrderAnswer, ...])
_decode_token = msgspec.json.Decoder(TokenAnswer)
_decode_error = msgspec.json.Decoder(ErrorAnswer)


def read_session(body: bytes, expires_at: datetime) -> ProviderSession:
    """A session; its mode, country, currency, total, cart and tags are not told.

    Raises:
        UpstreamInvalidError: it is not the documented answer.
    """
    answer = _read(_decode_session, body)
    return ProviderSession(
        session_id=_checked(answer.id), token=answer.token, checkout_url=answer.url, expires_at=expires_at
    )


def read_customer(body: bytes, store_id: str, *, name: str | None = None) -> str:
    """The id of a customer of this store; `name` is the one that was asked for.

    Raises:
        UpstreamInvalidError: it is not the documented answer, or somebody else's.
    """
    answer = _read(_decode_customer, body)
    if answer.store_id != store_id:
        raise UpstreamInvalidError("The provider's customer is of another store.")
    if name is not None and answer.name is not None and name.casefold() != answer.name.casefold():
        raise UpstreamInvalidError("The provider's customer is another one.")
    return _checked(answer.id)


def read_token(body: bytes) -> str:
    """A customer's token.

    Raises:
        UpstreamInvalidError: it is not the documented answer.
    """
    return _read(_decode_token, body).token


def read_state(body: bytes, checkout_id: str) -> State:
    """What the orders of a checkout make of it; the strongest sign of a payment decides.

    Raises:
        UpstreamInvalidError: it is not the documented list, or one of other checkouts.
    """
    orders = _read(_decode_orders, body)
    if any(order.checkout_id != checkout_id for order in orders):
        raise UpstreamInvalidError("The provider answered with another session's order.")
    found = {order.status for order in orders}
    for status, state in _STATES.items():
        if status in found:
            return state
    return "open"


# The strongest sign of a payment first. An order that was canceled leaves its checkout as it was without one.
_STATES: dict[str, State] = {
    "completed": "completed",
    "chargeback": "charged_back",
    "refunded": "refunded",
    "created": "pending",
}


def _read(decoder: msgspec.json.Decoder[A], body: bytes) -> A:
    try:
        return decoder.decode(body)
    except _UNREADABLE as error:
        raise UpstreamInvalidError("The provider's answer cannot be read.") from error


def _checked(flake_id: str) -> str:
    if is_flake_id(flake_id):
        return flake_id
    raise UpstreamInvalidError("The provider's answer holds an impossible id.")


def read_refusal(body: bytes, order: Order | None = None) -> UpstreamRejectedError:
    """A refusal in our words: which fields of the order, never what was in them. The body may be missing altogether."""
    try:
        answer = _decode_error.decode(body)
    except _UNREADABLE:
        answer = ErrorAnswer()
    fields = list(dict.fromkeys(_refused_fields(answer, order))) if order else []
    refusal = UpstreamRejectedError(
        "The provider refuses this request.",
        errors=tuple(FieldError(field=field, detail=_detail_of(field)) for field in fields),
    )
    if answer.trace_id and _CASE.fullmatch(answer.trace_id):
        refusal.provider_case = answer.trace_id
    return refusal


def _detail_of(field: str) -> str:
    return _REFUSED_CODE if field.startswith(("coupon", "promoCodes")) else _REFUSED_VALUE


def _refused_fields(answer: ErrorAnswer, order: Order) -> list[str]:
    faults = (answer.errors or ())[:_MOST_FAULTS]
    fields = [field for fault in faults for field in our_fields(fault.path, order)]
    # A bad code fails the call; how that is worded is not published, so a text that speaks of codes names ours.
    if not fields and _CODE_WORDS.search(f"{answer.code} {answer.message}"):
        return _code_fields(order, None)
    return fields


_CODE_WORDS = re.compile("promo|coupon|gift.?card", re.IGNORECASE)
_STEP = re.compile(r"[A-Za-z][\w-]*|[0-9]{1,3}", re.ASCII)

# Where their paths, without case and underscores, are in our request; `[]` takes the next index of the path.
_PLACES = {
    "customerid": "customerId",
    "couponid": "couponId",
    "affiliatecode": "affiliateCode",
    "returnurl": "returnUrl",
    "cancelurl": "cancelUrl",
    "autoredirect": "autoRedirect",
    "metadata": "metadata",
    "customerdetails": "customer",
    "customerdetails.billingname": "customer",
    "customerdetails.billingemail": "customer.email",
    "customerdetails.billingtaxid": "customer.taxId",
    "customerdetails.billingaddress": "customer.address",
    "customerdetails.billingaddress.country": "country",
    "customerdetails.billingaddress.state": "customer.address.region",
    "customerdetails.billingaddress.city": "customer.address.city",
    "customerdetails.billingaddress.postalcode": "customer.address.postalCode",
    "customerdetails.billingaddress.line1": "customer.address.line1",
    "customerdetails.billingaddress.line2": "customer.address.line2",
    ADDRESS_HEADER: "buyerIp",
    COUNTRY_HEADER: "country",
    "lines": "items[]",
    "lines.productid": "items[].product",
    "lines.quantity": "items[].quantity",
    "lines.subscription": "items[].subscription",
    "lines.trial": "items[].trial",
    "lines.giftto": "items[].giftTo",
    "lines.giftto.platform": "items[].giftTo.platform",
    "lines.giftto.id": "items[].giftTo.id",
    "lines.gifttocustomerid": "items[].giftToCustomerId",
    "lines.selectedgameserverid": "items[].gameServer",
    "lines.customvariables": "items[].customVariables",
    "lines.metadata": "items[].metadata",
    "lines.payoutsplits": "items[].payoutSplits[]",
    "lines.payoutsplits.payoutid": "items[].payoutSplits[].payoutId",
    "lines.payoutsplits.percentage": "items[].payoutSplits[].percentage",
    "lines.payoutsplits.platformfee": "items[].payoutSplits[].platformFee",
    "lines.inlineproduct": "items[].inlineProduct",
    **{
        f"lines.inlineproduct.{name.replace('_', '')}": f"items[].inlineProduct.{spelled}"
        for name, spelled in zip(InlineProduct.__struct_fields__, InlineProduct.__struct_encode_fields__, strict=True)
    },
}


def our_fields(path: str | tuple[str | int, ...] | None, order: Order) -> list[str]:
    """`lines[0].product_id`, or `["lines", "0", "product_id"]`, is `items[0].product` here; empty for no field of ours.

    A path ends before the first member that we do not know, so that no text of theirs passes.
    """
    joined = path if isinstance(path, str) else ".".join(map(str, path or ()))
    steps = _STEP.findall(joined[:512])
    names = [step.lower().replace("_", "") for step in steps if not step.isdigit()]
    indices = [int(step) for step in steps if step.isdigit()]
    if names[:1] == ["promocodes"]:
        return _code_fields(order, indices[0] if indices else None)
    for length in range(len(names), 0, -1):
        if place := _PLACES.get(".".join(names[:length])):
            return [_with_indices(place, indices)]
    return []


def _with_indices(place: str, indices: list[int]) -> str:
    for index in indices:
        place = place.replace("[]", f"[{index}]", 1)
    return place.replace("[]", "")


def _code_fields(order: Order, index: int | None) -> list[str]:
    """Where the codes, or the one at this place among those that were sent, stand in the order."""
    codes = promo_codes(order)
    if index is None or index >= len(codes):
        named = {"coupon": order.coupon, "promoCodes": order.promo_codes}
        return [field for field, value in named.items() if value]
    if codes[index] == order.coupon:
        return ["coupon"]
    return [f"promoCodes[{(order.promo_codes or ()).index(codes[index])}]"]
