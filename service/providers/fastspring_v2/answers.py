"""FastSpring's session in our words, and its refusals in ours: none of its texts goes further than this file."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from service.checkout.errors import FieldError, UpstreamInvalidError, UpstreamRejectedError
from service.checkout.models import Money, Product, ProviderSession, SessionItem, UpstreamWarning
from service.checkout.money import decimal_text, money
from service.checkout.session import PaymentMethodChoice, PaymentMethodOffer

# Far above any cart, far below what decimal arithmetic or a display could choke on.
_LARGEST_DIGITS = 13
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_UNKNOWN_CODE = "UNKNOWN"
_CASE = re.compile(r"[A-Za-z0-9]{1,64}")

# Where their field paths begin in our request, and what the members below are called there.
_PLACES = {
    "customer.billToContact": "customer",
    "customer.billToAddress": "customer.address",
    "customer.shipToContact": "customer.shipTo",
    "customer.shipToAddress": "customer.shipTo.address",
    "customer.shipToType": "customer.shipTo.type",
    "customer.taxId": "customer.taxId",
    "customer.taxIdRegion": "customer.taxIdRegion",
    "customer.accountId": "accountId",
    "customer.externalAccountId": "externalAccountId",
    "customer.accountTags": "accountTags",
    "orderTags": "orderTags",
    "cart.couponCode": "coupon",
    "promoCode": "coupon",  # so the warning of a bad coupon names it
    "cart.lineItems": "items",
    "lineItems": "items",
    "productPath": "items",
    "locale": "language",
    "country": "country",
    "buyerIp": "buyerIp",
    "live": "live",
    "paymentMethodsOrder": "paymentMethodsOrder",
    "hidePaymentMethods": "hidePaymentMethods",
}
_MEMBERS = {
    **{name: name for name in "email firstName lastName company city region postalCode quantity".split()},
    **{name: name for name in "quantityBehavior quantityDefault attributes descriptions discounts".split()},
    **{name: name for name in "discountDuration setupFee shippingFee edsFee".split()},
    "phoneNumber": "phone",
    "addressLine1": "line1",
    "addressLine2": "line2",
    "productPath": "product",
    "customPrice": "pricing",
    "unitPrice": "price",
    "amountDiscount": "amount",
    "percentDiscount": "percent",
    "subscriptionOverrides": "pricing",
    "trialDays": "trial",
}
_STEP = re.compile(r"\.(?P<member>[A-Za-z0-9]+)|(?P<index>\[[0-9]{1,3}\])")

_REFUSED_VALUE = "The provider does not accept this value."
_REFUSAL_WORDS = {"INVALID_EMAIL_FORMAT": "This is not an e-mail address."}
# A 400 whose message is seen in one public sample only; other clients create sessions without a customer.
_PURCHASER_REQUIRED = "Purchaser account or contact required"


class LineItem(Struct, frozen=True, kw_only=True, rename="camel"):
    product_path: Product
    quantity: Annotated[int, Meta(ge=0, le=1_000_000_000)]
    quantity_behavior: str | None = None


class Cart(Struct, frozen=True, kw_only=True, rename="camel"):
    """Totals `with tax` are what the buyer pays; `netTotal` depends on the store's tax mode and is not read."""

    line_items: Annotated[tuple[LineItem, ...], Meta(max_length=1000)] = ()
    with_tax_net_total: Decimal | None = None
    with_tax_net_total_display: str | None = None
    without_tax_net_total: Decimal | None = None


class CheckoutUrls(Struct, frozen=True, kw_only=True, rename="camel"):
    webcheckout_url: Annotated[str, Meta(max_length=2048)]


class Warning_(Struct, frozen=True, kw_only=True):  # noqa: N801  # `Warning` is a builtin
    code: str
    field: str | None = None


class SessionAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$(?!\n)")]
    expires: Annotated[datetime, Meta(tz=True)]
    status: str
    live: bool
    cart: Cart
    checkout_urls: CheckoutUrls
    checkout_status: tuple[str, ...]
    country: Annotated[str, Meta(pattern=r"^[A-Za-z]{2}$(?!\n)")] | None = None
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$(?!\n)")] | None = None
    order_tags: dict[str, str] | None = None
    warnings: Annotated[tuple[Warning_, ...], Meta(max_length=100)] | None = None


class Fault(Struct, frozen=True, kw_only=True, rename="camel"):
    """`rejectedValue` echoes input and is not read."""

    error_code: str | None = None
    field: str | None = None


class ErrorAnswer(Struct, frozen=True, kw_only=True):
    """`id` is what FastSpring's support asks for."""

    id: str | None = None
    message: str | None = None
    errors: tuple[Fault, ...] | None = None


class OfferedMethod(Struct, frozen=True, kw_only=True, rename="camel"):
    """FastSpring's own examples spell methods in lower case, its schema in upper case."""

    id: str
    required_field_elements: tuple[str, ...] | None = None
    show_field_elements: tuple[str, ...] | None = None
    supported_product_types: tuple[str, ...] | None = None
    variants: tuple[str, ...] | None = None


class MethodsAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    payment_methods: Annotated[tuple[OfferedMethod, ...], Meta(max_length=100)] | None = None
    hide_payment_methods: Annotated[tuple[str, ...], Meta(max_length=100)] | None = None


_decode_methods = msgspec.json.Decoder(MethodsAnswer).decode
_decode_session = msgspec.json.Decoder(SessionAnswer).decode
_decode_error = msgspec.json.Decoder(ErrorAnswer).decode
_UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)


def read_session(body: bytes) -> ProviderSession:
    """A 200 or 201 in our words.

    Raises:
        UpstreamInvalidError: it is not the documented session.
    """
    try:
        answer = _decode_session(body)
        expires_at = answer.expires.astimezone(UTC)
        if expires_at.microsecond:
            expires_at = expires_at.replace(microsecond=0)
    except (*_UNREADABLE, OverflowError) as error:
        raise UpstreamInvalidError("The provider's answer cannot be read.") from error
    total, net_total = _totals(answer.cart, answer.currency)
    return ProviderSession(
        session_id=answer.id,
        token=None,
        checkout_url=answer.checkout_urls.webcheckout_url,
        expires_at=expires_at,
        payable=answer.status == "OPEN" and answer.checkout_status == ("READY_FOR_CHECKOUT",),
        live=answer.live,
        country=answer.country and answer.country.upper(),
        currency=answer.currency,
        total=total,
        net_total=net_total,
        items=tuple(_item(line) for line in answer.cart.line_items),
        tags=answer.order_tags or {},
        warnings=tuple(_warning(warning) for warning in answer.warnings or ()),
    )


def read_payment_methods(body: bytes) -> PaymentMethodChoice:
    """The payment methods of a session that was read.

    Raises:
        UpstreamInvalidError: it is not the documented session.
    """
    try:
        answer = _decode_methods(body)
    except _UNREADABLE as error:
        raise UpstreamInvalidError("The provider's answer cannot be read.") from error
    offers = (
        PaymentMethodOffer(
            id=one.id.upper(),
            required_field_elements=_codes(one.required_field_elements),
            show_field_elements=_codes(one.show_field_elements),
            supported_product_types=_codes(one.supported_product_types),
            variants=_codes(one.variants),
        )
        for one in answer.payment_methods or ()
    )
    return PaymentMethodChoice(
        payment_methods=tuple(offer for offer in offers if _CODE.fullmatch(offer.id)),
        hide_payment_methods=_codes(answer.hide_payment_methods),
    )


def _codes(words: tuple[str, ...] | None) -> tuple[str, ...]:
    """Words of a closed alphabet: a provider's texts go no further."""
    return tuple(code for word in words or () if _CODE.fullmatch(code := word.upper()))


def is_unknown_session(body: bytes) -> bool:
    """Whether a 404 speaks of the session. Inferred: documented is the status alone, and that it throttles as well."""
    try:
        return "session" in (_decode_error(body).message or "").lower()
    except _UNREADABLE:
        return False


def _item(line: LineItem) -> SessionItem:
    locked = (line.quantity_behavior or "").upper() == "LOCK"
    return SessionItem(product=line.product_path, quantity=line.quantity, locked=locked)


def _totals(cart: Cart, currency: str | None) -> tuple[Money | None, str | None]:
    paid, net = cart.with_tax_net_total, cart.without_tax_net_total
    if not (_is_plausible(paid) and _is_plausible(net)):
        raise UpstreamInvalidError("The provider's answer holds an impossible amount.")
    if currency is None or paid is None:
        return None, None
    paid = abs(paid)  # of a zero with a sign
    return (
        money(paid, currency, cart.with_tax_net_total_display),
        None if net is None else decimal_text(net, currency),
    )


def _is_plausible(amount: Decimal | None) -> bool:
    # `NaN` cannot even be compared, and of a huge exponent not even the absolute value be taken.
    return amount is None or (amount.is_finite() and amount.adjusted() < _LARGEST_DIGITS and amount >= 0)


def _warning(warning: Warning_) -> UpstreamWarning:
    code = warning.code if _CODE.fullmatch(warning.code) else _UNKNOWN_CODE
    return UpstreamWarning(code=code, field=our_field(warning.field))


def our_field(field: str | None) -> str | None:
    """`customer.billToContact.email` is `customer.email` here; None for what is no field of ours.

    A path ends before the first member that we do not know, so that no text of theirs passes.
    """
    for theirs, ours in _PLACES.items():
        if field is not None and (field == theirs or field.startswith((f"{theirs}.", f"{theirs}["))):
            return ours + _known_steps(field[len(theirs) :])
    return None


def _known_steps(path: str) -> str:
    known, position = "", 0
    while step := _STEP.match(path, position):
        if step["member"] and step["member"] not in _MEMBERS:
            break
        known += step["index"] or f".{_MEMBERS[step['member']]}"
        position = step.end()
    return known


def read_refusal(body: bytes, part: str = "") -> UpstreamRejectedError:
    """A 400 in our words: which fields, never what was in them.

    `part` is where in a whole request that would stand which was sent, such as one line of the cart.
    """
    try:
        answer = _decode_error(body)
    except _UNREADABLE:
        answer = ErrorAnswer()
    refusal = _refusal(answer, part)
    if answer.id and _CASE.fullmatch(answer.id):
        refusal.provider_case = answer.id
    return refusal


def _refusal(answer: ErrorAnswer, part: str) -> UpstreamRejectedError:
    if answer.message and _PURCHASER_REQUIRED in answer.message:
        detail = "This checkout needs the buyer's e-mail address."
        return UpstreamRejectedError(detail, errors=(FieldError(field="customer.email", detail=detail),))
    errors = tuple(
        FieldError(field=field, detail=_REFUSAL_WORDS.get(fault.error_code or "", _REFUSED_VALUE))
        for fault in (answer.errors or ())[:32]
        if (field := our_field(_whole_path(fault.field, part)))
    )
    return UpstreamRejectedError("The provider refuses this request.", errors=errors)


def _whole_path(path: str | None, part: str) -> str | None:
    """Their examples name fields from the top of a session; the rest is taken to begin at what was sent."""
    return path if path is None or path.startswith(("cart.", "customer.")) else part + path
