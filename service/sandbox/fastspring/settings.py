"""What a tester may choose about the played FastSpring."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from msgspec import Struct, field

from service.sandbox.catalogue import CATALOGUE, COUPON_PERCENTS, Product

UNKNOWN_STORE = "unknown"


class CheckoutSettings(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    exists: bool = True
    test_mode: bool = False
    tax_included: bool = True
    contact_required: bool = False


class WebhookTarget(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Where events go. Without a secret there is no signature; `automatic` sends each event as it happens."""

    url: str
    secret: str | None = None
    expanded: bool = False
    automatic: bool = True


class FastSpringSettings(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """`checkouts` by `store/checkout`; any other is known too, unless its store is `unknown`."""

    checkouts: Mapping[str, CheckoutSettings] = {}
    # What the provider really does with a seller's field in a buyer's call is not documented.
    restricted_without_auth: Literal["refuse", "ignore"] = "refuse"
    lower_case_payment_methods: bool = False
    accounts: Mapping[str, str] = field(default_factory=lambda: {"YWNjb3VudC1pZC0yMi1jaA": "DE"})
    extra_prices: Mapping[str, Mapping[str, Decimal]] = {}
    coupon_percents: Mapping[str, int] = field(default_factory=lambda: dict(COUPON_PERCENTS))
    webhook: WebhookTarget | None = None

    def checkout(self, store: str, name: str) -> CheckoutSettings:
        default = CheckoutSettings(exists=store != UNKNOWN_STORE)
        return self.checkouts.get(f"{store}/{name}", default)

    def product(self, path: str) -> Product | None:
        prices = self.extra_prices.get(path)
        return CATALOGUE.get(path) if prices is None else Product(name=path, prices=prices)
