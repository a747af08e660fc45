"""Sessions as the v2 API shows them."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import msgspec
from msgspec import UNSET

from service.sandbox.clock import iso_milliseconds
from service.sandbox.documents import Document, is_document, merged
from service.sandbox.fastspring.applied import Applied
from service.sandbox.fastspring.payment_methods import described, offered
from service.sandbox.fastspring.pricing import Line, price_of
from service.sandbox.fastspring.sessions import CheckoutSession
from service.sandbox.money import display

SELLERS_ONLY: Mapping[str, None] = {"accountId": None, "externalAccountId": None}


def session_document(session: CheckoutSession, now: datetime, *, to_seller: bool) -> Document:
    how = session.applied
    return {
        "id": session.id,
        "created": iso_milliseconds(session.created),
        "expires": iso_milliseconds(session.expires),
        "status": session.status(now),
        "locale": how.locale,
        "country": how.country,
        "currency": how.currency,
        "live": how.live,
        "customer": customer_document(session, to_seller=to_seller),
        "orderTags": {} if session.request.order_tags is UNSET else session.request.order_tags,
        "cart": cart_document(session),
        "checkoutUrls": {"webcheckoutUrl": session.url},
        "warnings": how.warnings,
        "checkoutStatus": [session.checkout_status],
    }


def payment_lists(session: CheckoutSession, *, lower_case: bool) -> Document:
    methods = offered(session.request, session.applied.country)
    hidden = session.request.hide_payment_methods
    return {
        "paymentMethods": [described(method, lower_case=lower_case) for method in methods],
        "hidePaymentMethods": [method.lower() for method in hidden] if lower_case else hidden,
    }


def customer_document(session: CheckoutSession, *, to_seller: bool) -> Document:
    customer: object = msgspec.to_builtins(session.request.customer)
    if not is_document(customer):
        return {}
    return customer if to_seller else merged(customer, SELLERS_ONLY)


def cart_document(session: CheckoutSession) -> Document:
    cart, how = session.cart, session.applied
    coupon = session.request.cart.coupon_code
    return {
        **({} if coupon is UNSET else {"couponCode": coupon}),
        "couponHasApplied": how.coupon_percent is not None,
        "lineItems": [line_document(line, how) for line in cart.lines],
        **with_displays(totals(session), how),
        "taxIncluded": tax_mode(how),
        "taxRate": how.tax_percent,
    }


def totals(session: CheckoutSession) -> Mapping[str, Decimal]:
    cart = session.cart
    net, tax, list_total = cart.net_total, cart.tax_total, cart.list_total
    list_tax = cart.tax.part_of(list_total)
    return {
        "listTotal": list_total,
        "netTotal": net,
        "withTaxListTotal": cart.tax.with_tax(list_total, list_tax),
        "withTaxNetTotal": cart.to_pay,
        "withoutTaxListTotal": cart.tax.without_tax(list_total, list_tax),
        "withoutTaxNetTotal": cart.tax.without_tax(net, tax),
        "discountTotal": cart.coupon_discount + cart.product_discount,
        "couponDiscountTotal": cart.coupon_discount,
        "productDiscountTotal": cart.product_discount,
        "taxTotal": tax,
    }


def with_displays(amounts: Mapping[str, Decimal], how: Applied) -> Document:
    shown = {f"{name}Display": display(amount, how.currency, how.locale) for name, amount in amounts.items()}
    return {**amounts, **shown}


def tax_mode(how: Applied) -> str:
    return "TAXES_INCLUDED_IN_PRICE" if how.tax_included else "TAXES_ADDED_TO_PRICE"


def line_document(line: Line, how: Applied) -> Document:
    item, product = line.item, line.product
    asked: object = msgspec.to_builtins(item)
    kept = asked if is_document(asked) else {}
    kept.pop("customPrice", None)
    subscription = kept.pop("subscriptionOverrides", None)
    return {
        "descriptions": {}
        if product is None
        else {"display": {"en": product.name}, "summary": {"en": product.summary}},
        "quantityBehavior": "ALLOW",
        **kept,
        "productType": "ONE_TIME" if product is None else product.product_type,
        "productFormat": "DIGITAL" if product is None else product.product_format,
        "virtualProduct": product is None,
        "removable": True,
        "bundle": False,
        **({} if subscription is None else {"subscription": subscription}),
        "price": price_document(line, how),
    }


def price_document(line: Line, how: Applied) -> Document:
    quantity, duration = line.item.quantity, price_of(line.item).discount_duration
    unit_discount = line.unit_product_discount + line.unit_coupon_discount
    amounts = {
        "unitListPrice": line.unit_list,
        "unitNetPrice": line.unit_net,
        "unitDiscount": unit_discount,
        "extendedListTotal": line.extended_list,
        "extendedNetTotal": line.extended_net,
        "extendedTotalDiscount": unit_discount * quantity,
        "unitTaxAmount": line.tax.part_of(line.unit_net),
        "extendedTaxTotal": line.tax.part_of(line.extended_net),
    }
    return {
        **with_displays(amounts, how),
        "taxIncluded": tax_mode(how),
        "taxPercent": how.tax_percent,
        "taxExempt": False,
        **({} if duration is UNSET else {"productDiscountDuration": duration}),
    }
