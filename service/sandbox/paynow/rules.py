"""What a schema cannot say of a checkout: which products, codes, gifts, servers and splits are possible."""

from collections.abc import Sequence
from http import HTTPStatus

from msgspec import UNSET

from service.sandbox.paynow.account import PayNow
from service.sandbox.paynow.catalogue import Product
from service.sandbox.paynow.customers import lookup_of
from service.sandbox.paynow.management import InlineProduct, ManagementLine, ManagementRequest, PayoutSplit
from service.sandbox.refusal import RefusalError, bad_field


def check(paynow: PayNow, request: ManagementRequest) -> None:
    """Raises the refusal of the first rule that is broken."""
    paynow.customer(request.customer_id)
    if not request.lines:
        raise bad_field("lines", "At least one line is required")
    for index, line in enumerate(request.lines):
        check_line(paynow, line, f"lines[{index}]")
    if request.coupon_id is not UNSET and paynow.settings.coupon(request.coupon_id) is None:
        raise bad_field("coupon_id", "No such coupon", value=request.coupon_id)
    for index, code in enumerate(request.promo_codes or ()):
        if code not in paynow.settings.coupons and code not in paynow.settings.affiliate_codes:
            raise bad_field(f"promo_codes[{index}]", "No such code", value=code)


def check_line(paynow: PayNow, line: ManagementLine, field: str) -> None:
    if line.quantity < 1:
        raise bad_field(f"{field}.quantity", "At least 1", value=line.quantity)
    if line.payout_splits:
        check_splits(paynow, line.payout_splits, f"{field}.payout_splits")
    product = product_of(paynow, line, field)
    check_way_to_buy(product, line, field)
    check_gameserver(product, line, f"{field}.selected_gameserver_id")
    check_variables(product, line, f"{field}.custom_variables")
    if line.gift_to is not UNSET:
        lookup_of(line.gift_to, f"{field}.gift_to.id")
    if line.gift_to_customer_id is not UNSET:
        paynow.customer(line.gift_to_customer_id)


def product_of(paynow: PayNow, line: ManagementLine, field: str) -> Product:
    if (line.product_id is UNSET) == (line.inline_product is UNSET):
        raise bad_field(field, "Either product_id or inline_product is required")
    if line.inline_product is not UNSET:
        return inline(paynow, line.inline_product, f"{field}.inline_product")
    product = paynow.settings.products.get(line.product_id or "")
    if product is None:
        raise bad_field(f"{field}.product_id", "No such product", value=line.product_id)
    return product


def inline(paynow: PayNow, made_up: InlineProduct, field: str) -> Product:
    """A product that is made up in the request; no member of it is required."""
    if not paynow.settings.inline_products_approved:
        raise RefusalError(HTTPStatus.FORBIDDEN, "Inline products need PayNow's approval")
    if made_up.payout_splits and not paynow.settings.payout_splits_approved:
        raise RefusalError(HTTPStatus.FORBIDDEN, "Payout splits need PayNow's approval")
    if made_up.price is not None and made_up.price < 0:
        raise bad_field(f"{field}.price", "At least 0", value=made_up.price)
    return Product(
        name=made_up.name or "Inline product",
        price=made_up.price or 0,
        one_time=made_up.allow_one_time_purchase is not False,
        subscription=bool(made_up.allow_subscription),
        trial=bool(made_up.trial and made_up.trial.enabled),
        gameservers=tuple(made_up.gameservers or ()) if made_up.single_game_server_only else (),
    )


def check_splits(paynow: PayNow, splits: Sequence[PayoutSplit], field: str) -> None:
    if not paynow.settings.payout_splits_approved:
        raise RefusalError(HTTPStatus.FORBIDDEN, "Payout splits need PayNow's approval")
    if any(split.payout_id not in paynow.settings.payouts for split in splits):
        raise bad_field(field, "No such payout")
    *others, last = splits
    if last.percentage is not None or any(split.percentage is None for split in others):
        raise bad_field(field, "The last split, and no other, has no percentage")


def check_way_to_buy(product: Product, line: ManagementLine, field: str) -> None:
    possible = product.subscription if line.subscription else product.one_time or bool(line.trial)
    if not possible:
        raise bad_field(f"{field}.subscription", "The product is not sold in this way", value=line.subscription)
    if line.trial and not product.trial:
        raise bad_field(f"{field}.trial", "The product has no trial", value=line.trial)


def check_gameserver(product: Product, line: ManagementLine, field: str) -> None:
    chosen = line.selected_gameserver_id
    if chosen is UNSET and product.gameservers:
        raise bad_field(field, "A game server must be selected")
    if chosen is not UNSET and chosen not in product.gameservers:
        raise bad_field(field, "The product is not sold for this game server", value=chosen)


def check_variables(product: Product, line: ManagementLine, field: str) -> None:
    values = line.custom_variables or {}
    if set(values) != set(product.variables) or not all(values.values()):
        raise bad_field(field, f"Variables of the product: {', '.join(product.variables) or 'none'}")
