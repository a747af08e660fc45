"""Our order in PayNow's words: the create call of either mode.

`product` of an item with an `inlineProduct` is the shop's own id of the line: it is matched against the allow-list, and
goes into the line's metadata as `product`, since PayNow takes a catalogue product or an inline one.
"""

import msgspec
from msgspec import Struct

from service.checkout import models
from service.checkout.ports import UpstreamRequest
from service.checkout.settings import BROKER_REFERENCE
from service.providers.paynow_gg.people import label_of
from service.providers.paynow_gg.settings import PayNowCheckout

ADDRESS_HEADER = "x-paynow-customer-ip"
COUNTRY_HEADER = "x-paynow-customer-countrycode"
_PRODUCT = "product"


class PlatformAccount(Struct, frozen=True, kw_only=True):
    platform: str
    id: str


class PayoutSplit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    payout_id: str
    percentage: int | None = None
    platform_fee: int | None = None


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`subscription` is always sent: it was required once, and is valid still."""

    quantity: int
    subscription: bool
    product_id: str | None = None
    inline_product: object = None
    trial: bool | None = None
    gift_to: PlatformAccount | None = None
    gift_to_customer_id: str | None = None
    selected_gameserver_id: str | None = None
    custom_variables: dict[str, str] | None = None
    payout_splits: tuple[PayoutSplit, ...] | None = None
    metadata: dict[str, str] | None = None


class Address(Struct, frozen=True, kw_only=True, omit_defaults=True):
    country: str | None = None
    state: str | None = None
    city: str | None = None
    postal_code: str | None = None
    line_1: str | None = None
    line_2: str | None = None


class CustomerDetails(Struct, frozen=True, kw_only=True, omit_defaults=True):
    billing_name: str | None = None
    billing_email: str | None = None
    billing_tax_id: str | None = None
    billing_address: Address | None = None


class CheckoutBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`auto_redirect` is always sent, like a line's `subscription`."""

    lines: tuple[Line, ...]
    auto_redirect: bool
    customer_id: str | None = None
    coupon_id: str | None = None
    promo_codes: tuple[str, ...] | None = None
    affiliate_code: str | None = None
    return_url: str | None = None
    cancel_url: str | None = None
    metadata: dict[str, str] | None = None
    customer_details: CustomerDetails | None = None


# What nothing was said of, made once to read and to compare with.
_NOBODY, _NOWHERE = models.Customer(), models.Address()
_NO_DETAILS, _NO_ADDRESS = CustomerDetails(), Address()

encode = msgspec.json.Encoder().encode


def management_request(order: models.Order, checkout: PayNowCheckout, customer_id: str | None) -> UpstreamRequest:
    """The call with the store's API key. Without a `customer_id` it is left out, and `customer` says whose it will be.

    Raises:
        InvalidRequestError: nothing says who buys.
    """
    body = msgspec.structs.replace(
        _body(order),
        customer_id=customer_id,
        lines=tuple(_managed_line(item) for item in order.items),
        metadata={**(order.order_tags or {}), **(order.metadata or {}), BROKER_REFERENCE: order.reference},
        customer_details=_customer_details(order),
    )
    return UpstreamRequest(
        method="POST",
        segments=("v1", "stores", checkout.store_id, "checkouts"),
        body=encode(body),
        customer=None if customer_id else label_of(order, checkout),
    )


def storefront_request(order: models.Order, checkout: PayNowCheckout) -> UpstreamRequest:
    """The call with a customer's token, which also says which store it is.

    Raises:
        InvalidRequestError: nothing says who buys.
    """
    headers = {ADDRESS_HEADER: order.buyer_ip, COUNTRY_HEADER: order.country}
    return UpstreamRequest(
        method="POST",
        segments=("v1", "checkouts"),
        headers={name: text for name, text in headers.items() if text},
        body=encode(_body(order)),
        customer=label_of(order, checkout),
        scheme="Customer",
    )


def promo_codes(order: models.Order) -> tuple[str, ...]:
    """Every code by its text, the coupon first; PayNow tells coupons, gift cards and affiliates apart itself."""
    return tuple(dict.fromkeys((*([order.coupon] if order.coupon else []), *(order.promo_codes or ()))))


def _body(order: models.Order) -> CheckoutBody:
    """What both calls take."""
    return CheckoutBody(
        lines=tuple(_line(item) for item in order.items),
        auto_redirect=bool(order.auto_redirect),
        coupon_id=order.coupon_id,
        promo_codes=promo_codes(order) or None,
        affiliate_code=order.affiliate_code,
        return_url=order.return_url,
        cancel_url=order.cancel_url,
    )


def _line(item: models.Item) -> Line:
    gift = item.gift_to
    return Line(
        product_id=item.product,
        quantity=item.quantity,
        subscription=bool(item.subscription),
        trial=item.trial,
        gift_to=PlatformAccount(platform=gift.platform, id=gift.id) if gift else None,
        gift_to_customer_id=item.gift_to_customer_id,
        selected_gameserver_id=item.game_server,
        custom_variables=item.custom_variables,
    )


def _managed_line(item: models.Item) -> Line:
    line = msgspec.structs.replace(
        _line(item), metadata=item.metadata, payout_splits=tuple(map(_split, item.payout_splits or ())) or None
    )
    if item.inline_product is None:
        return line
    metadata = {**(item.metadata or {}), _PRODUCT: item.product}
    return msgspec.structs.replace(line, product_id=None, inline_product=_snake(item.inline_product), metadata=metadata)


def _split(split: models.PayoutSplit) -> PayoutSplit:
    return PayoutSplit(
        payout_id=split.payout_id,
        percentage=None if split.percentage is None else int(split.percentage),
        platform_fee=split.platform_fee,
    )


def _snake(value: object) -> object:
    """An inline product as PayNow spells it: our structs have its names, and only their JSON is camelCase."""
    if isinstance(value, Struct):
        members = ((name, getattr(value, name)) for name in value.__struct_fields__)
        return {name: _snake(member) for name, member in members if member is not None}
    if isinstance(value, tuple):
        return [_snake(one) for one in value]
    return value


def _customer_details(order: models.Order) -> CustomerDetails | None:
    buyer = order.customer or _NOBODY
    details = CustomerDetails(
        billing_name=_billing_name(buyer),
        billing_email=buyer.email,
        billing_tax_id=buyer.tax_id,
        billing_address=_address(buyer.address or _NOWHERE, order.country),
    )
    return details if details != _NO_DETAILS else None


def _billing_name(buyer: models.Customer) -> str | None:
    """`Ada Muster`, `Muster Ltd`, or `Ada Muster, Muster Ltd`: there is one member for all of it."""
    person = " ".join(name for name in (buyer.first_name, buyer.last_name) if name)
    return ", ".join(name for name in (person, buyer.company) if name) or None


def _address(address: models.Address, country: str | None) -> Address | None:
    theirs = Address(
        country=country,
        state=address.region,
        city=address.city,
        postal_code=address.postal_code,
        line_1=address.line1,
        line_2=address.line2,
    )
    return theirs if theirs != _NO_ADDRESS else None
