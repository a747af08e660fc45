"""What an untouched store holds: every id and code that a test may name stands here."""

from collections.abc import Mapping

from msgspec import Struct

STORE = "411486491630370816"
VIP = "411486491630370817"
COINS = "411486491630370818"
SERVER_RANK = "411486491630370819"
NAME_TAG = "411486491630370820"
GAMESERVER = "411486491630370830"
PAYOUT = "411486491630370840"
COUPON = "411486491630370850"


class Product(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """`price` in the store currency's smallest unit; `variables` are those that a buyer must fill in."""

    name: str
    price: int
    one_time: bool = True
    subscription: bool = False
    trial: bool = False
    gameservers: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


class Coupon(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: str
    percent: int


PRODUCTS: Mapping[str, Product] = {
    VIP: Product(name="VIP", price=999, subscription=True, trial=True),
    COINS: Product(name="500 Coins", price=499),
    SERVER_RANK: Product(name="Server Rank", price=1499, gameservers=(GAMESERVER,)),
    NAME_TAG: Product(name="Name Tag", price=299, variables=("color",)),
}
COUPONS: Mapping[str, Coupon] = {"SPRING10": Coupon(id=COUPON, percent=10)}
AFFILIATE_CODES = ("friend",)
