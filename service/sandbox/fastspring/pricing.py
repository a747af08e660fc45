"""What a cart costs: lines, discounts, fees and tax, in both ways of quoting tax."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from msgspec import UNSET, Struct, UnsetType

from service.sandbox.catalogue import Product
from service.sandbox.documents import decimal_of
from service.sandbox.fastspring.applied import Applied
from service.sandbox.fastspring.settings import FastSpringSettings
from service.sandbox.fastspring.wire import CustomPrice, Discount, Item
from service.sandbox.money import exchanged, rounded
from service.sandbox.refusal import bad_field

PERCENT = Decimal(100)
NO_PRICE = CustomPrice()


class Tax(Struct, frozen=True):
    percent: Decimal
    included: bool
    currency: str

    def part_of(self, amount: Decimal) -> Decimal:
        base = PERCENT + self.percent if self.included else PERCENT
        return rounded(amount * self.percent / base, self.currency)

    def with_tax(self, amount: Decimal, tax: Decimal) -> Decimal:
        return amount if self.included else amount + tax

    def without_tax(self, amount: Decimal, tax: Decimal) -> Decimal:
        return amount - tax if self.included else amount


class Line(Struct, frozen=True, kw_only=True):
    """`product` is None for one that was made up in the request."""

    item: Item
    product: Product | None
    unit_list: Decimal
    unit_product_discount: Decimal
    unit_coupon_discount: Decimal
    fees: Decimal
    tax: Tax

    @property
    def unit_net(self) -> Decimal:
        return self.unit_list - self.unit_product_discount - self.unit_coupon_discount

    @property
    def extended_list(self) -> Decimal:
        return self.unit_list * self.item.quantity

    @property
    def extended_net(self) -> Decimal:
        return self.unit_net * self.item.quantity


class Cart(Struct, frozen=True):
    lines: tuple[Line, ...]
    eds_fee: Decimal
    tax: Tax

    @property
    def fees(self) -> Decimal:
        return self.eds_fee + sum((line.fees for line in self.lines), Decimal(0))

    @property
    def list_total(self) -> Decimal:
        return self.fees + sum((line.extended_list for line in self.lines), Decimal(0))

    @property
    def net_total(self) -> Decimal:
        return self.fees + sum((line.extended_net for line in self.lines), Decimal(0))

    @property
    def tax_total(self) -> Decimal:
        lines = sum((self.tax.part_of(line.extended_net) for line in self.lines), Decimal(0))
        return lines + self.tax.part_of(self.fees)

    @property
    def to_pay(self) -> Decimal:
        return self.tax.with_tax(self.net_total, self.tax_total)

    @property
    def product_discount(self) -> Decimal:
        return sum((line.unit_product_discount * line.item.quantity for line in self.lines), Decimal(0))

    @property
    def coupon_discount(self) -> Decimal:
        return sum((line.unit_coupon_discount * line.item.quantity for line in self.lines), Decimal(0))


def priced(items: Iterable[Item], how: Applied, settings: FastSpringSettings) -> Cart:
    tax = Tax(how.tax_percent, how.tax_included, how.currency)
    lines = tuple(line(item, how, tax, settings) for item in items)
    eds_fees = [fee_in(price_of(line.item).eds_fee, how.currency) for line in lines]
    return Cart(lines, max(eds_fees, default=Decimal(0)), tax)


def line(item: Item, how: Applied, tax: Tax, settings: FastSpringSettings) -> Line:
    product, price = settings.product(item.product_path), price_of(item)
    unit_list = unit_price(item, product, how.currency)
    product_discount = best_discount(price.discounts, item.quantity, unit_list, how.currency)
    coupon = (unit_list - product_discount) * (how.coupon_percent or 0) / PERCENT
    return Line(
        item=item,
        product=product,
        unit_list=unit_list,
        unit_product_discount=product_discount,
        unit_coupon_discount=rounded(coupon, how.currency),
        fees=fees(price, product, item, how.currency),
        tax=tax,
    )


def price_of(item: Item) -> CustomPrice:
    return NO_PRICE if item.custom_price is UNSET else item.custom_price


def unit_price(item: Item, product: Product | None, currency: str) -> Decimal:
    custom = price_of(item).unit_price
    if custom is not UNSET and custom:
        return amount_in(custom, currency)
    if product is None:
        raise bad_field("productPath", "Product not found", code="PRODUCT_NOT_FOUND", value=item.product_path)
    return product.price_in(currency)


def amount_in(prices: Mapping[str, float] | Mapping[str, Decimal], currency: str) -> Decimal:
    """The price in that currency, else the first one that is given, exchanged."""
    if currency in prices:
        return rounded(decimal_of(prices[currency]), currency)
    source, amount = next(iter(prices.items()))
    return exchanged(decimal_of(amount), source, currency)


def fee_in(prices: Mapping[str, float] | UnsetType, currency: str) -> Decimal:
    return amount_in(prices, currency) if prices else Decimal(0)


def fees(price: CustomPrice, product: Product | None, item: Item, currency: str) -> Decimal:
    """A setup fee is for subscriptions, a shipping fee for what is sent; a made-up product may be either."""
    renews = product is None or product.product_type == "SUBSCRIPTION_PLAN" or bool(item.subscription_overrides)
    is_sent = product is None or product.product_format == "PHYSICAL"
    setup = fee_in(price.setup_fee, currency) if renews else Decimal(0)
    return setup + (fee_in(price.shipping_fee, currency) if is_sent else Decimal(0))


def best_discount(
    discounts: Iterable[Discount] | UnsetType, quantity: int, unit_list: Decimal, currency: str
) -> Decimal:
    """The tier with the highest quantity that is reached."""
    tiers = [] if discounts is UNSET else [tier for tier in discounts if tier.min_quantity <= quantity]
    if not tiers:
        return Decimal(0)
    tier = max(tiers, key=lambda tier: tier.min_quantity)
    if tier.percent_discount is not UNSET:
        return rounded(unit_list * tier.percent_discount / PERCENT, currency)
    return min(unit_list, fee_in(tier.amount_discount, currency))
