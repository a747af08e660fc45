"""What can be bought: a small catalogue with a few fixed prices, the rest by exchange from dollars."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from service.sandbox.money import exchanged


class Product(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """`prices` must name a price in USD."""

    name: str
    prices: Mapping[str, Decimal]
    product_type: Literal["ONE_TIME", "SUBSCRIPTION_PLAN"] = "ONE_TIME"
    product_format: Literal["DIGITAL", "PHYSICAL"] = "DIGITAL"
    summary: str = ""

    def price_in(self, currency: str) -> Decimal:
        price = self.prices.get(currency)
        return exchanged(self.prices["USD"], "USD", currency) if price is None else price


def prices(**amounts: str) -> Mapping[str, Decimal]:
    return {currency: Decimal(amount) for currency, amount in amounts.items()}


CATALOGUE: Mapping[str, Product] = {
    "pro-license": Product(
        name="Pro License",
        summary="One user, every feature, for ever.",
        prices=prices(USD="49.00", EUR="45.00", GBP="39.00", JPY="7500"),
    ),
    "team-seats": Product(
        name="Team Seats",
        summary="A seat for each of your colleagues, by the month.",
        prices=prices(USD="19.00", EUR="17.50", GBP="15.00", JPY="2900"),
        product_type="SUBSCRIPTION_PLAN",
    ),
    "support-plan": Product(
        name="Support Plan",
        summary="An answer within four working hours.",
        prices=prices(USD="99.00", EUR="89.00", GBP="79.00", JPY="14800"),
        product_type="SUBSCRIPTION_PLAN",
    ),
    "team-license": Product(
        name="Team License",
        summary="Up to ten users at one site.",
        prices=prices(USD="199.00", EUR="179.00", GBP="159.00", JPY="29800"),
    ),
    "handbook": Product(
        name="The Handbook",
        summary="Printed, 240 pages.",
        prices=prices(USD="35.00", EUR="32.00", GBP="28.00", JPY="5200"),
        product_format="PHYSICAL",
    ),
}
COUPON_PERCENTS: Mapping[str, int] = {"SPRING10": 10, "HALF50": 50}
