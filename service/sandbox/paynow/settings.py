"""What a tester may choose about the played PayNow."""

from collections.abc import Mapping

from msgspec import Struct, field

from service.sandbox.paynow.catalogue import AFFILIATE_CODES, COUPONS, PAYOUT, PRODUCTS, STORE, Coupon, Product


class WebhookTarget(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Gets every event, beside the subscriptions that were made through the API."""

    url: str
    secret: str


class PayNowSettings(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The two approvals are what PayNow gives on request; `automatic` sends each event as it happens."""

    store: str = STORE
    currency: str = "usd"
    products: Mapping[str, Product] = field(default_factory=lambda: dict(PRODUCTS))
    coupons: Mapping[str, Coupon] = field(default_factory=lambda: dict(COUPONS))
    affiliate_codes: tuple[str, ...] = AFFILIATE_CODES
    payouts: tuple[str, ...] = (PAYOUT,)
    inline_products_approved: bool = False
    payout_splits_approved: bool = False
    automatic: bool = True
    webhook: WebhookTarget | None = None

    def coupon(self, coupon_id: str) -> Coupon | None:
        return next((coupon for coupon in self.coupons.values() if coupon.id == coupon_id), None)
