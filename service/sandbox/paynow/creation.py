"""Makes the checkout that a request asks for."""

from collections.abc import Callable

from msgspec import UNSET

from service.sandbox.documents import Document
from service.sandbox.paynow.account import PayNow, keep
from service.sandbox.paynow.checkouts import Checkout, CheckoutLine, checkout_token
from service.sandbox.paynow.management import ManagementLine, ManagementRequest
from service.sandbox.paynow.rules import check, product_of


def create(
    paynow: PayNow,
    request: ManagementRequest,
    url_of: Callable[[str], str],
    *,
    ip: str | None = None,
    country: str | None = None,
) -> Checkout:
    check(paynow, request)
    token = checkout_token()
    checkout = Checkout(
        id=paynow.new_id(),
        token=token,
        url=url_of(token),
        store_id=paynow.settings.store,
        created=paynow.now,
        request=request,
        lines=tuple(checkout_line(paynow, line) for line in request.lines),
        discount_percent=discount_percent(paynow, request),
        affiliate_code=request.affiliate_code if request.affiliate_code in paynow.settings.affiliate_codes else None,
        ip=ip,
        country=country or billing_country(request),
    )
    return keep(paynow.checkouts, checkout.id, checkout)


def checkout_line(paynow: PayNow, line: ManagementLine) -> CheckoutLine:
    product = product_of(paynow, line, "")
    return CheckoutLine(
        id=paynow.new_id(),
        product_id=line.product_id or paynow.new_id(),
        name=product.name,
        price=product.price,
        request=line,
    )


def discount_percent(paynow: PayNow, request: ManagementRequest) -> int:
    """The best of the coupons counts."""
    named = [paynow.settings.coupons[code] for code in request.promo_codes or () if code in paynow.settings.coupons]
    by_id = paynow.settings.coupon(request.coupon_id or "")
    return max([coupon.percent for coupon in [*named, by_id] if coupon], default=0)


def billing_country(request: ManagementRequest) -> str | None:
    details = request.customer_details
    address = UNSET if details is UNSET else details.billing_address
    return None if address is UNSET else address.country


def created(checkout: Checkout) -> Document:
    return {"id": checkout.id, "token": checkout.token, "url": checkout.url}
