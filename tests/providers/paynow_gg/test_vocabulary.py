"""What may be asked for in each mode, and which ids are refused before anything is sent."""

from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from service.checkout.errors import InvalidRequestError, RequestRefusedError, UnsupportedFieldError
from service.checkout.models import Customer, Identity, OrderRequest
from service.checkout.scalars import FlakeId
from service.providers.paynow_gg.settings import Platform
from service.providers.paynow_gg.vocabulary import (
    FLAKE_ID_MEMBERS,
    MANAGEMENT,
    PLATFORMS,
    STOREFRONT,
    check_request,
    is_flake_id,
    lookup_of,
)
from tests.support.samples import MEMBERS, spelled, with_member

VIP = "411486491630370817"
TOO_LARGE = "9223372036854775808"
UUID = "f84c6a79-0a4e-45e0-879b-cd49ebd4c4e2"
CART: dict[str, Any] = {"items": [{"product": VIP}], "customerId": VIP}


def asked(**members: object) -> OrderRequest:
    return msgspec.convert(CART | members, OrderRequest)


def with_item(**members: object) -> OrderRequest:
    return asked(items=[{"product": VIP, **members}])


def refused(request: OrderRequest, mode: object = MANAGEMENT) -> tuple[type[RequestRefusedError], list[str]]:
    """The kind of a refusal, and the fields that it names."""
    with pytest.raises(RequestRefusedError) as error:
        check_request(request, STOREFRONT if mode is STOREFRONT else MANAGEMENT, live=True)
    return type(error.value), [one.field for one in error.value.errors]


def test_storefront_takes_what_management_takes_but_for_these() -> None:
    """Metadata, inline products, splits and billing details are refused there, each named; address and token here."""
    request = asked(
        metadata={"a": "b"},
        customer={
            "email": "ada@example.org",
            "firstName": "Ada",
            "lastName": "Muster",
            "company": "Muster Ltd",
            "address": {"city": "Vienna"},
            "taxId": "1",
        },
        items=[{"product": VIP, "metadata": {"a": "b"}, "inlineProduct": {}, "payoutSplits": [{"payoutId": VIP}]}],
    )
    check_request(request, MANAGEMENT, live=True)

    assert (
        UnsupportedFieldError,
        [
            "metadata",
            "customer.email",
            "customer.firstName",
            "customer.lastName",
            "customer.company",
            "customer.address",
            "customer.taxId",
            "items[0].metadata",
            "items[0].inlineProduct",
            "items[0].payoutSplits",
        ],
    ) == refused(request, STOREFRONT)
    assert (UnsupportedFieldError, ["buyerIp", "customerToken"]) == refused(asked(buyerIp="8.8.4.4", customerToken="t"))


@pytest.mark.parametrize(("path", "member", "value"), MEMBERS, ids=[f"{path}.{member}" for path, member, _ in MEMBERS])
def test_storefront_expresses_or_refuses_every_member(path: str, member: str, value: object) -> None:
    """In the mode that the contract suite does not start from, each member passes or is named as well."""
    order = with_member({"items": [{"product": VIP}]}, path, member, value)
    request = msgspec.convert(order, OrderRequest)
    full = spelled(f"{path}.{member}" if path else member)
    if full in STOREFRONT_MEMBERS:
        check_request(request, STOREFRONT, live=True)
        return

    kind, fields = refused(request, STOREFRONT)
    assert UnsupportedFieldError is kind
    assert any(full.startswith(field) or field.startswith(full) for field in fields)


STOREFRONT_MEMBERS = {
    *"coupon country affiliateCode promoCodes buyerIp live customerId customerToken couponId".split(),
    *("autoRedirect", "orderTags", "customer.identity"),
    *(f"items[0].{one}" for one in "product quantity subscription trial giftTo gameServer customVariables".split()),
    "items[0].giftToCustomerId",
}


def test_there_is_no_test_mode() -> None:
    """`live: false` has no word at PayNow; `true` is what it is anyway."""
    check_request(asked(live=True), MANAGEMENT, live=True)

    assert (UnsupportedFieldError, ["live"]) == refused(asked(live=False))


def test_a_buyer_is_named_once() -> None:
    """A token, an id and an identity that could contradict one another are refused, the first of them staying."""
    steam = {"identity": {"platform": "steam", "id": "76561198152492642"}}

    assert (UnsupportedFieldError, ["customer.identity"]) == refused(asked(customer=steam))
    assert (UnsupportedFieldError, ["customerId", "customer.identity"]) == refused(
        asked(customer=steam, customerToken="t"), STOREFRONT
    )


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (with_item(product="vip"), "items[0].product"),
        (with_item(product=TOO_LARGE), "items[0].product"),
        (asked(customerId=TOO_LARGE), "customerId"),
        (asked(couponId=TOO_LARGE), "couponId"),
        (with_item(gameServer=TOO_LARGE), "items[0].gameServer"),
        (with_item(giftToCustomerId=TOO_LARGE), "items[0].giftToCustomerId"),
        (with_item(inlineProduct={"tags": [VIP, TOO_LARGE]}), "items[0].inlineProduct.tags[1]"),
        (with_item(inlineProduct={"tierGroupId": TOO_LARGE}), "items[0].inlineProduct.tierGroupId"),
        (
            with_item(inlineProduct={"payoutSplits": [{"userId": TOO_LARGE, "platformFee": 1}]}),
            "items[0].inlineProduct.payoutSplits[0].userId",
        ),
        (with_item(inlineProduct={"name": "VIP"}, metadata={"product": "other"}), "items[0].metadata.product"),
        (with_item(payoutSplits=[{"payoutId": VIP, "percentage": 2.5}]), "items[0].payoutSplits[0].percentage"),
        (with_item(payoutSplits=[{"payoutId": VIP, "percentage": -1}]), "items[0].payoutSplits[0].percentage"),
        (with_item(payoutSplits=[{"payoutId": VIP, "percentage": 10_001}]), "items[0].payoutSplits[0].percentage"),
        (with_item(giftTo={"platform": "playstation", "id": "1"}), "items[0].giftTo.platform"),
        (with_item(giftTo={"platform": "steam", "id": "notch"}), "items[0].giftTo.id"),
    ],
)
def test_impossible_value_is_named(request_: OrderRequest, field: str) -> None:
    """An id that PayNow cannot have, at any depth, is 400 with its place."""
    assert (InvalidRequestError, [field]) == refused(request_)


@pytest.mark.parametrize("token", ["", "a b", "a\r\nX: 1", "clé", "x" * 4097])
def test_token_must_fit_a_header(token: str) -> None:
    """A token goes into a header, so what could be more than one word there is refused."""
    request = msgspec.structs.replace(asked(), customer_id=None, customer_token=token)

    assert (InvalidRequestError, ["customerToken"]) == refused(request, STOREFRONT)


def test_every_wrong_value_is_named_at_once() -> None:
    """One answer tells all that has to be mended."""
    items = [{"product": "vip"}, {"product": VIP, "gameServer": TOO_LARGE}]

    kind, fields = refused(asked(items=items, customerId=TOO_LARGE))

    assert InvalidRequestError is kind
    assert {"customerId", "items[1].gameServer", "items[0].product"} == set(fields)


def test_inline_product_needs_no_product_of_paynows() -> None:
    """Beside an inline product, `product` is the shop's own word for the line."""
    check_request(with_item(product="ada-rank", inlineProduct={"name": "Rank", "price": 1}), MANAGEMENT, live=True)


@pytest.mark.parametrize(
    ("platform", "good", "bad"),
    [
        (
            "steam",
            ["76561198152492642"],
            ["7656119815249264", "765611981524926420", "7656119815249264a", "\u0667" * 17],
        ),
        (
            "minecraft_uuid",
            ["f84c6a79-0a4e-45e0-879b-cd49ebd4c4e2", "F84C6A790A4E45E0879BCD49EBD4C4E2"],
            ["notch", "f"],
        ),
        ("minecraft", ["notch", ".Ada", "f84c6a79-0a4e-45e0-879b-cd49ebd4c4e2"], ["a b", "x" * 17, "é"]),
        ("minecraft_java_name", ["notch", "Ada_99"], ["a-b", "x" * 17, "é", "notch\n"]),
        ("minecraft_bedrock_name", ["Ada Muster", ".Ada#1234", "Äda"], ["a/b", "x" * 33, "a?b"]),
        ("xbox_xuid", ["2533274801234567"], ["25332748012345670000000", "2533x"]),
        ("paynow_name", ["Ada & Söhne", "x" * 128], ["a\nb", "x" * 129]),
        ("paynow", [VIP, "ada"], ["a\x00"]),
        ("invalid", [], ["1"]),
    ],
)
def test_identity_must_look_like_one_of_its_platform(platform: str, good: list[str], bad: list[str]) -> None:
    """What cannot be an id on the platform is 400 before anybody is asked."""
    for one in good:
        check_request(with_identity(platform, one), MANAGEMENT, live=True)
    for one in bad:
        kind, [field] = refused(with_identity(platform, one))
        assert InvalidRequestError is kind
        assert field in {"customer.identity.id", "customer.identity.platform"}


def with_identity(platform: str, identity: str) -> OrderRequest:
    customer = Customer(identity=Identity(platform=platform, id=identity))
    return msgspec.structs.replace(asked(), customer_id=None, customer=customer)


def test_every_platform_can_be_looked_up() -> None:
    """Each platform that a configuration may list has its parameter; two take another id as well."""
    assert set(get_args(Platform)) == PLATFORMS.keys()
    assert ("minecraft_java_name", "notch") == lookup_of(Identity(platform="minecraft", id="notch"))
    assert ("minecraft_uuid", "f" * 32) == lookup_of(Identity(platform="minecraft", id="f" * 32))
    assert ("name", "ada") == lookup_of(Identity(platform="paynow", id="ada"))
    assert ("id", VIP) == lookup_of(Identity(platform="paynow", id=VIP))


def flake_members(kind: type[Struct]) -> Iterator[str]:
    """The members of a request, at any depth, that hold ids of PayNow's."""
    for field in msgspec.structs.fields(kind):
        for inner in inside(field.type):
            if isinstance(inner, type) and issubclass(inner, Struct):
                yield from flake_members(inner)
            elif inner == FlakeId:
                yield field.name


def inside(kind: Any) -> Iterator[Any]:  # noqa: ANN401  # a type expression has no narrower type
    """What a type expression is made of."""
    yield kind
    if kind != FlakeId:
        for argument in get_args(kind):
            yield from inside(argument)


def test_no_id_goes_unchecked() -> None:
    """Every member of a request that is an id of PayNow's is among those that are looked at."""
    assert FLAKE_ID_MEMBERS == set(flake_members(OrderRequest))


@settings(derandomize=True, max_examples=300)
@given(st.integers(0, 10**20) | st.integers(2**63 - 5, 2**63 + 5))
def test_flake_id_is_a_number_of_63_bits(number: int) -> None:
    """1 to 19 digits from 1 to below 2^63, and nothing else."""
    assert (0 < number < 2**63) == is_flake_id(str(number))


@pytest.mark.parametrize(
    "text", ["", "0", "01", "0411486491630370817", "-1", "+1", "1.0", " 1", "1\n", "0x1", "\u0661"]
)
def test_what_is_no_flake_id(text: str) -> None:
    """Signs, spaces, points, other digits and leading zeros are none: one id has one spelling."""
    assert not is_flake_id(text)
