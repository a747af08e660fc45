"""The schema of the management call."""

import httpx
import pytest

from service.sandbox.paynow.catalogue import COUPON, GAMESERVER, NAME_TAG, PAYOUT, SERVER_RANK, VIP
from tests.sandbox.paynow.calls import (
    PATH,
    SERVER,
    change_settings,
    checkout,
    customer,
    fault,
    line,
    post_checkout,
    put,
)

STOCK_LIMIT = {"enabled": True, "time_scale": "day", "include_trials": False, "quantity": 3, "time_value": None}
COMMAND = {"stage": "on_purchase", "content": "grant {name}", "online_only": False}
RECOMMENDATION = {
    "recommended_product_id": VIP,
    "type": "additional",
    "discount_type": "percentage",
    "discount_amount": 100,
    "prefer_as_subscription": False,
    "minimum_base_product_quantity": 1,
    "minimum_recommended_product_quantity": None,
    "quantity_to_add": 1,
}
INLINE_PRODUCT: dict[str, object] = {
    "slug": "sword-1",
    "name": "Sword",
    "description": "A sword for this checkout alone.",
    "label": None,
    "price": 1250,
    "single_game_server_only": False,
    "allow_one_time_purchase": True,
    "allow_subscription": True,
    "subscription_interval_value": 1,
    "subscription_interval_scale": "month",
    "trial": {
        "enabled": True,
        "period_value": 3,
        "period_scale": "day",
        "revoke_immediately_when_canceled": False,
        "new_customers_only": True,
        "new_customer_order_lookback_value": 1,
        "new_customer_order_lookback_scale": "year",
        "allow_repeat_trials": None,
        "repeat_trial_cooldown_value": 1,
        "repeat_trial_cooldown_scale": "week",
    },
    "upselling": {"enabled": True, "recommendations": [RECOMMENDATION]},
    "remove_after_enabled": True,
    "remove_after_time_value": 30,
    "remove_after_time_scale": "day",
    "store_stock_limit": STOCK_LIMIT,
    "customer_stock_limit": STOCK_LIMIT,
    "stock_limit_do_not_include_removed": True,
    "tags": [VIP],
    "gameservers": [GAMESERVER],
    "commands": [{**COMMAND, "override_execute_on_gameserver_ids": [GAMESERVER]}],
    "deliverable_actions": {"grant_giftcard": False},
    "metadata": {"sku": "sword"},
    "payout_splits": [{"user_id": PAYOUT, "platform_fee": 100, "percentage": None}],
    "tax_code": "digital_goods_permanent_gaming",
    "allow_concurrent_active_items": True,
    "is_hidden": True,
    "is_gifting_disabled": False,
    "enabled_at": "2026-01-01T00:00:00Z",
    "enabled_until": None,
    "required_product_ids": [VIP],
    "required_product_all": False,
    "custom_variable_ids": [],
    "is_gift_cards_disabled": True,
    "is_coupons_disabled": True,
    "is_affiliate_links_disabled": True,
    "tier_group_id": "1",
}
EVERY_MEMBER: dict[str, object] = {
    "coupon_id": COUPON,
    "promo_codes": ["SPRING10"],
    "affiliate_code": "friend",
    "return_url": "https://shop.example/thanks",
    "cancel_url": "https://shop.example/cart",
    "auto_redirect": True,
    "metadata": {"ref": "r1"},
    "customer_details": {
        "billing_name": "Ada",
        "billing_email": "ada@example.org",
        "billing_tax_id": None,
        "billing_address": {
            "country": "DE",
            "state": None,
            "city": "Berlin",
            "postal_code": "10115",
            "line_1": "A street 1",
            "line_2": "",
        },
    },
}


async def test_every_member(buyer: httpx.AsyncClient) -> None:
    """Every documented member of checkout, line and inline product is taken."""
    await change_settings(buyer, inlineProductsApproved=True, payoutSplitsApproved=True)
    friend = (await customer(buyer))["id"]
    splits = [{"payout_id": PAYOUT, "percentage": 5000, "platform_fee": 500}, {"payout_id": PAYOUT, "percentage": None}]
    lines = [
        line(VIP, subscription=True, trial=True, payout_splits=splits, metadata={"sku": "vip"}),
        line(SERVER_RANK, selected_gameserver_id=GAMESERVER, gift_to={"platform": "steam", "id": "76561198152492642"}),
        line(NAME_TAG, custom_variables={"color": "red"}, gift_to_customer_id=friend),
        {"inline_product": INLINE_PRODUCT, "quantity": 2, "subscription": False},
    ]

    assert {"id", "token", "url"} == set(await checkout(buyer, *lines, **EVERY_MEMBER))


async def test_null_where_it_may_be(buyer: httpx.AsyncClient) -> None:
    """The members that are documented as nullable may be null."""
    await change_settings(buyer, inlineProductsApproved=True)
    names = ("promo_codes", "affiliate_code", "return_url", "cancel_url", "auto_redirect", "metadata")
    line_names = ("subscription", "trial", "custom_variables", "payout_splits", "metadata")
    inline = dict.fromkeys(("name", "price", "tags", "commands", "enabled_at", "payout_splits"))
    lines: list[dict[str, object]] = [
        {**line(), **dict.fromkeys(line_names)},
        {"quantity": 1, "inline_product": inline},
    ]

    assert 200 == (await post_checkout(buyer, *lines, **dict.fromkeys(names))).status_code


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("subscription", False),
        ("currency", "USD"),
        ("customer_ip", "203.0.113.7"),
        ("customer_details.email", "ada@example.org"),
        ("customer_details.billing_address.zip", "1"),
        ("coupon_id", 411486491630370850),
        ("coupon_id", None),
        ("promo_codes", "SPRING10"),
        ("promo_codes", [1]),
        ("auto_redirect", "true"),
        ("metadata", {"a": 1}),
        ("metadata", {"a": None}),
        ("metadata", []),
        ("return_url", 1),
        ("customer_details", None),
        ("customer_details.billing_name", 1),
        ("customer_details.billing_address", None),
        ("customer_id", 411486491630370816),
        ("customer_id", "9223372036854775808"),
        ("customer_id", "x"),
        ("lines", []),
        ("lines", None),
        ("lines", {}),
    ],
)
async def test_refused_in_a_checkout(buyer: httpx.AsyncClient, path: str, value: object) -> None:
    """Unknown members, wrong types, ids as numbers and null where there is none are 400, naming the place."""
    body = put({"customer_id": (await customer(buyer))["id"], "lines": [line()]}, path, value)
    answer = await buyer.post(f"{PATH}/checkouts", json=body, headers=SERVER)

    assert (400, path.split(".", maxsplit=1)[0]) == (answer.status_code, place(answer) or path)


def place(answer: httpx.Response) -> str:
    """The first name in the path of the error; none where a member is unknown to the whole body."""
    first = fault(answer)[1].split(".")[0].split("[")[0]
    return "" if first == "body" else first


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("sku", "x"),
        ("quantity", None),
        ("quantity", "1"),
        ("quantity", 1.0),
        ("quantity", True),
        ("quantity", 2**31),
        ("product_id", 411486491630370817),
        ("product_id", None),
        ("subscription", "yes"),
        ("trial", 1),
        ("gift_to", {"platform": "steam"}),
        ("gift_to", {"id": "1"}),
        ("gift_to", {"platform": "playstation", "id": "1"}),
        ("gift_to", {"platform": "steam", "id": 1}),
        ("gift_to", {"platform": "steam", "id": "1", "name": "x"}),
        ("gift_to", None),
        ("gift_to_customer_id", 1),
        ("selected_gameserver_id", 411486491630370830),
        ("custom_variables", {"color": 1}),
        ("metadata", {"a": True}),
        ("payout_splits", [{"percentage": 1}]),
        ("payout_splits", [{"payout_id": PAYOUT, "percentage": 0.5}]),
        ("payout_splits", [{"payout_id": PAYOUT, "fee": 1}]),
    ],
)
async def test_refused_in_a_line(buyer: httpx.AsyncClient, path: str, value: object) -> None:
    """A line is as strict as the checkout."""
    answer = await post_checkout(buyer, put(line(), path, value))

    assert 400 == answer.status_code
    assert fault(answer)[1].startswith("lines[0]")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("disable_promo_codes", True),
        ("price", "12.50"),
        ("price", 12.5),
        ("price", 2**63),
        ("subscription_interval_scale", "decade"),
        ("subscription_interval_scale", None),
        ("subscription_interval_value", 2**31),
        ("remove_after_time_scale", "year"),
        ("trial.days", 3),
        ("trial.period_scale", "hour"),
        ("upselling.on", True),
        ("upselling.recommendations", [{}]),
        ("upselling.recommendations", [{**RECOMMENDATION, "type": "other"}]),
        ("upselling.recommendations", [{**RECOMMENDATION, "recommended_product_id": 1}]),
        ("store_stock_limit", {"enabled": True}),
        ("customer_stock_limit.unit", "x"),
        ("tags", [1]),
        ("gameservers", ["x"]),
        ("commands", [{"stage": "on_purchase", "content": "x"}]),
        ("commands", [{**COMMAND, "stage": "on_login"}]),
        ("commands", [{**COMMAND, "as_root": True}]),
        ("deliverable_actions", {}),
        ("deliverable_actions.grant_money", True),
        ("metadata", {"a": 1}),
        ("payout_splits", [{"payout_id": PAYOUT}]),
        ("tax_code", "books"),
        ("enabled_at", "tomorrow"),
        ("enabled_until", 1),
        ("required_product_ids", [411486491630370817]),
        ("custom_variable_ids", ["1", "-1"]),
        ("tier_group_id", 1),
        ("is_hidden", 1),
    ],
)
async def test_refused_in_an_inline_product(buyer: httpx.AsyncClient, path: str, value: object) -> None:
    """Every member of an inline product has its type, and none may be added."""
    await change_settings(buyer, inlineProductsApproved=True, payoutSplitsApproved=True)
    answer = await post_checkout(buyer, {"quantity": 1, "inline_product": put(INLINE_PRODUCT, path, value)})

    assert 400 == answer.status_code
    assert fault(answer)[1].startswith("lines[0].inline_product")


@pytest.mark.parametrize("name", ["customer_id", "lines"])
async def test_required(buyer: httpx.AsyncClient, name: str) -> None:
    """A checkout has a customer and lines."""
    body = {"customer_id": (await customer(buyer))["id"], "lines": [line()]}
    del body[name]

    assert 400 == (await buyer.post(f"{PATH}/checkouts", json=body, headers=SERVER)).status_code
