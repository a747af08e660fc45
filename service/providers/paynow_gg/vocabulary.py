"""What may be asked for in each mode, and which ids and identities are PayNow's; pure."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import astuple

from service.checkout.errors import FieldError, InvalidRequestError, UnsupportedFieldError
from service.checkout.models import Identity, Item, OrderRequest
from service.providers.base import Vocabulary

_ANY_MODE = "coupon customer country affiliate_code promo_codes customer_id coupon_id auto_redirect"
_ANY_LINE = "product quantity subscription trial gift_to game_server custom_variables gift_to_customer_id"
MANAGEMENT = Vocabulary(
    order=frozenset(f"{_ANY_MODE} metadata".split()),
    customer=frozenset("identity email first_name last_name company address tax_id".split()),
    item=frozenset(f"{_ANY_LINE} metadata inline_product payout_splits".split()),
    pricing=frozenset(),
)
STOREFRONT = Vocabulary(
    order=frozenset(f"{_ANY_MODE} buyer_ip customer_token".split()),
    customer=frozenset({"identity"}),
    item=frozenset(_ANY_LINE.split()),
    pricing=frozenset(),
)

FLAKE_ID_MEMBERS = frozenset(
    "customer_id coupon_id game_server gift_to_customer_id user_id recommended_product_id tier_group_id tags"
    " gameservers required_product_ids custom_variable_ids override_execute_on_gameserver_ids".split()
)
_PRODUCT = "product"  # where the line of an inline product keeps the shop's own id
_LARGEST_FLAKE_ID = 2**63 - 1
_WHOLE_IN_BASIS_POINTS = 10_000
_FLAKE_ID = re.compile(r"[1-9][0-9]{0,18}")  # one spelling of each, so that none is in a cart twice
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,4096}")  # what may stand in a header as a token


class PlatformId(NamedTuple):
    """How an id on a platform looks, and as what a customer with it is looked up."""

    form: re.Pattern[str]
    words: str
    query: str


_UUID = re.compile(r"[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}")
_NAME = PlatformId(re.compile(r"[^\x00-\x1f\x7f]{1,128}"), "a name of up to 128 characters", "name")
_JAVA_NAME = PlatformId(
    re.compile(r"\w{1,16}", re.ASCII), "a name of up to 16 letters, digits and _", "minecraft_java_name"
)
PLATFORMS = {
    "steam": PlatformId(re.compile(r"[0-9]{17}"), "a SteamID64 of 17 digits", "steam_id"),
    "minecraft_uuid": PlatformId(_UUID, "a UUID", "minecraft_uuid"),
    "minecraft_java_name": _JAVA_NAME,
    "minecraft_bedrock_name": PlatformId(
        re.compile(r"[\w .#-]{1,32}"), "a gamertag of up to 32 characters", "minecraft_bedrock_name"
    ),
    # The specification says a nick for `minecraft` and a username for `paynow`; the other ids of both are taken too.
    "minecraft": PlatformId(
        re.compile(rf"[.*]?\w{{1,16}}|{_UUID.pattern}", re.ASCII), "a Minecraft name or UUID", "minecraft_java_name"
    ),
    "xbox_xuid": PlatformId(re.compile(r"[0-9]{1,20}"), "an XUID of digits", "xbox_xuid"),
    "paynow_name": _NAME,
    "paynow": _NAME,
}


def is_flake_id(text: str) -> bool:
    """Whether a text is an id of PayNow's: a positive 64-bit number, always written as text."""
    return _FLAKE_ID.fullmatch(text) is not None and int(text) <= _LARGEST_FLAKE_ID


def lookup_of(identity: Identity) -> tuple[str, str]:
    """The parameter that a customer is looked up by, and its value."""
    if identity.platform == "minecraft" and _UUID.fullmatch(identity.id):
        return "minecraft_uuid", identity.id
    if identity.platform == "paynow" and is_flake_id(identity.id):
        return "id", identity.id
    return PLATFORMS[identity.platform].query, identity.id


def check_request(request: OrderRequest, vocabulary: Vocabulary, *, live: bool) -> None:
    """Pass a request that PayNow can be asked for as it is.

    Raises:
        UnsupportedFieldError: names every field that this mode has no place for, and who is named beside another.
        InvalidRequestError: names every id that is none of PayNow's or of the platform.
    """
    vocabulary.check(request, only_mode=live)
    _check_one_buyer(request)
    errors = tuple(FieldError(field=field, detail=detail) for field, detail in _wrong_values(request))
    if errors:
        raise InvalidRequestError("A value is none that PayNow can know.", errors=errors)


def _check_one_buyer(request: OrderRequest) -> None:
    identity = request.customer and request.customer.identity
    named = {"customerToken": request.customer_token, "customerId": request.customer_id, "customer.identity": identity}
    first, *others = [field for field, value in named.items() if value] or [""]
    if others:
        detail = f"`{first}` says already who buys: keep one of them."
        errors = tuple(FieldError(field=field, detail=detail) for field in others)
        raise UnsupportedFieldError("The provider takes one customer.", errors=errors)


def _wrong_values(request: OrderRequest) -> Iterator[tuple[str, str]]:
    for field, text in _ids(request, ""):
        if not is_flake_id(text):
            yield field, "This is no id of PayNow's: 1 to 19 digits, below 2^63."
    if request.customer_token is not None and not _TOKEN.fullmatch(request.customer_token):
        yield "customerToken", "This is no customer token."
    if request.customer and request.customer.identity:
        yield from _wrong_identity(request.customer.identity, "customer.identity")
    for index, item in enumerate(request.items):
        yield from _wrong_in_item(item, f"items[{index}]")


def _wrong_in_item(item: Item, path: str) -> Iterator[tuple[str, str]]:
    if item.inline_product is None and not is_flake_id(item.product):
        yield f"{path}.product", "This is no product id of PayNow's: 1 to 19 digits, below 2^63."
    if item.inline_product is not None and _PRODUCT in (item.metadata or ()):
        yield f"{path}.metadata.{_PRODUCT}", "Beside an inline product this name is the line's own: leave it out."
    if item.gift_to:
        yield from _wrong_identity(item.gift_to, f"{path}.giftTo")
    for index, split in enumerate(item.payout_splits or ()):
        share = split.percentage
        if share is not None and not (share.is_integer() and 0 <= share <= _WHOLE_IN_BASIS_POINTS):
            yield f"{path}.payoutSplits[{index}].percentage", "PayNow counts in whole basis points, up to 10000."


def _wrong_identity(identity: Identity, path: str) -> Iterator[tuple[str, str]]:
    platform = PLATFORMS.get(identity.platform)
    if platform is None:
        yield f"{path}.platform", f"This is none of PayNow's platforms: {', '.join(PLATFORMS)}."
    elif not platform.form.fullmatch(identity.id):
        yield f"{path}.id", f"An id on this platform is {platform.words}."


def _ids(struct: Struct, path: str) -> Iterator[tuple[str, str]]:
    """Every id of PayNow's in a request, the inner ones too, with its place."""
    names = zip(struct.__struct_fields__, struct.__struct_encode_fields__, astuple(struct), strict=True)
    for name, spelled, value in names:
        if value is None:
            continue
        place = f"{path}{spelled}"
        several = [(f"{place}[{index}]", one) for index, one in enumerate(value)] if isinstance(value, tuple) else ()
        for at, one in several or [(place, value)]:
            if isinstance(one, Struct):
                yield from _ids(one, f"{at}.")
            elif isinstance(one, str) and name in FLAKE_ID_MEMBERS:
                yield at, one
