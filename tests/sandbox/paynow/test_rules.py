"""What a schema cannot say of a checkout."""

import httpx
import pytest

from service.sandbox.paynow.catalogue import COINS, COUPON, GAMESERVER, NAME_TAG, PAYOUT, SERVER_RANK, VIP
from tests.sandbox.paynow.calls import CONTROL, Json, change_settings, checkout, fault, line, post_checkout

NOBODY = "411486491630370999"
LAST_SPLIT = {"payout_id": PAYOUT}
SPLIT = {"payout_id": PAYOUT, "percentage": 5000}


@pytest.mark.parametrize(
    "members", [{"customer_id": NOBODY}, {"lines": [line(gift_to_customer_id=NOBODY)]}], ids=["buyer", "receiver"]
)
async def test_unknown_customer(buyer: httpx.AsyncClient, members: Json) -> None:
    """A customer that does not exist is 404."""
    answer = await post_checkout(buyer, **members)

    assert (404, "Customer not found") == (answer.status_code, answer.json()["message"])


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"quantity": 1}, ""),
        (line(inline_product={"name": "x", "price": 1}), ""),
        (line(NOBODY), ".product_id"),
        (line(quantity=0), ".quantity"),
        (line(quantity=-1), ".quantity"),
        (line(COINS, subscription=True), ".subscription"),
        (line(COINS, trial=True), ".trial"),
        (line(SERVER_RANK), ".selected_gameserver_id"),
        (line(SERVER_RANK, selected_gameserver_id=NOBODY), ".selected_gameserver_id"),
        (line(VIP, selected_gameserver_id=GAMESERVER), ".selected_gameserver_id"),
        (line(NAME_TAG), ".custom_variables"),
        (line(NAME_TAG, custom_variables={"color": ""}), ".custom_variables"),
        (line(NAME_TAG, custom_variables={"color": "red", "size": "9"}), ".custom_variables"),
        (line(VIP, custom_variables={"color": "red"}), ".custom_variables"),
        (line(gift_to={"platform": "invalid", "id": "1"}), ".gift_to.id"),
        (line(gift_to={"platform": "steam", "id": ""}), ".gift_to.id"),
    ],
)
async def test_impossible_lines(buyer: httpx.AsyncClient, wrong: Json, path: str) -> None:
    """A line that cannot be bought is 400, whichever line it is."""
    assert (400, f"lines[1]{path}") == fault(await post_checkout(buyer, line(), wrong))


@pytest.mark.parametrize(
    ("members", "path"), [({"coupon_id": NOBODY}, "coupon_id"), ({"promo_codes": ["SPRING10", "no"]}, "promo_codes[1]")]
)
async def test_bad_codes(buyer: httpx.AsyncClient, members: Json, path: str) -> None:
    """A coupon or a promo code that does not exist fails the call."""
    assert (400, path) == fault(await post_checkout(buyer, **members))


@pytest.mark.parametrize(("code", "kept"), [("friend", "friend"), ("nobody", None)])
async def test_affiliate_code(buyer: httpx.AsyncClient, code: str, kept: str | None) -> None:
    """A good affiliate code is kept, a bad one ignored without an error."""
    await checkout(buyer, affiliate_code=code)

    assert kept == (await made(buyer))["affiliateCode"]


@pytest.mark.parametrize(
    ("members", "percent"),
    [({}, 0), ({"promo_codes": ["friend"]}, 0), ({"promo_codes": ["SPRING10"]}, 10), ({"coupon_id": COUPON}, 10)],
)
async def test_coupons(buyer: httpx.AsyncClient, members: Json, percent: int) -> None:
    """A coupon counts by its text or by its id; an affiliate's code is a promo code without a discount."""
    await checkout(buyer, **members)

    assert percent == (await made(buyer))["discountPercent"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity": 1, "inline_product": {"name": "Sword", "price": 5}},
        line(payout_splits=[LAST_SPLIT]),
    ],
    ids=["inline", "splits"],
)
async def test_approval(buyer: httpx.AsyncClient, wrong: Json) -> None:
    """Inline products and payout splits are 403 until they are approved."""
    before = await post_checkout(buyer, wrong)
    await change_settings(buyer, inlineProductsApproved=True, payoutSplitsApproved=True)

    assert [403, 200] == [before.status_code, (await post_checkout(buyer, wrong)).status_code]


async def test_splits_within_an_inline_product_need_their_own_approval(buyer: httpx.AsyncClient) -> None:
    """Who may make up products may not therefore split what they earn."""
    await change_settings(buyer, inlineProductsApproved=True)
    product = {"name": "Sword", "payout_splits": [{"user_id": PAYOUT, "platform_fee": 1}]}

    assert 403 == (await post_checkout(buyer, {"quantity": 1, "inline_product": product})).status_code


@pytest.mark.parametrize(
    ("splits", "status"),
    [
        ([SPLIT, LAST_SPLIT], 200),
        ([SPLIT], 400),
        ([LAST_SPLIT, LAST_SPLIT], 400),
        ([LAST_SPLIT, SPLIT], 400),
        ([{"payout_id": NOBODY}], 400),
    ],
)
async def test_payout_splits(buyer: httpx.AsyncClient, splits: Json, status: int) -> None:
    """The last split, and no other, has no percentage; each names a payout that exists."""
    await change_settings(buyer, payoutSplitsApproved=True)

    assert status == (await post_checkout(buyer, line(payout_splits=splits))).status_code


@pytest.mark.parametrize(
    ("product", "members", "status"),
    [
        ({"allow_one_time_purchase": False}, {}, 400),
        ({"allow_one_time_purchase": False, "allow_subscription": True}, {"subscription": True}, 200),
        ({}, {"subscription": True}, 400),
        ({}, {"trial": True}, 400),
        ({"trial": {"enabled": True}}, {"trial": True}, 200),
        ({"price": -1}, {}, 400),
        ({"single_game_server_only": True, "gameservers": [GAMESERVER]}, {}, 400),
        (
            {"single_game_server_only": True, "gameservers": [GAMESERVER]},
            {"selected_gameserver_id": GAMESERVER},
            200,
        ),
        ({"gameservers": [GAMESERVER]}, {}, 200),
    ],
)
async def test_inline_products_obey_themselves(
    buyer: httpx.AsyncClient, product: Json, members: Json, status: int
) -> None:
    """An inline product is sold as it says of itself."""
    await change_settings(buyer, inlineProductsApproved=True)

    assert status == (await post_checkout(buyer, {"quantity": 1, "inline_product": product, **members})).status_code


async def made(http: httpx.AsyncClient) -> Json:
    """The only checkout there is."""
    [checkout] = (await http.get(f"{CONTROL}/checkouts")).json()
    return checkout
