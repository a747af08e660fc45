"""The hosted checkout page and the script, without a browser."""

import httpx
import pytest

from service.sandbox.paynow.catalogue import COINS, VIP
from tests.sandbox.paynow.calls import Json, checkout, line, pay


@pytest.fixture
async def made(buyer: httpx.AsyncClient) -> Json:
    """A checkout of two products at a discount."""
    urls = {"return_url": "https://shop.example/thanks?a=1", "cancel_url": "https://shop.example/cart"}
    lines = [line(COINS, quantity=2), line(VIP)]
    return await checkout(buyer, *lines, promo_codes=["SPRING10"], auto_redirect=True, **urls)


async def test_address_of_the_page(buyer: httpx.AsyncClient, made: Json) -> None:
    """The URL of a checkout is the hosted page with its token, and the page is there."""
    page = await buyer.get(made["url"].removeprefix("https://sandbox.example"))

    assert f"https://sandbox.example/paynow/?t={made['token']}" == made["url"]
    assert (200, "text/html; charset=utf-8") == (page.status_code, page.headers["content-type"])


async def test_page_is_strict_and_self_contained(buyer: httpx.AsyncClient, made: Json) -> None:
    """The page forbids inline script and anything from elsewhere, and needs neither."""
    answer = await buyer.get("/paynow/", params={"t": made["token"]})

    assert "default-src 'none'; script-src 'self'; style-src 'self'" in answer.headers["content-security-policy"]
    assert not [word for word in ("http://", "https://", "onclick", "style=") if word in answer.text]


@pytest.mark.parametrize("path", ["/checkout/assets/paynow.js", "/paynow-js/bundle.js"])
async def test_scripts(buyer: httpx.AsyncClient, path: str) -> None:
    """Scripts come with their type."""
    assert "text/javascript; charset=utf-8" == (await buyer.get(path)).headers["content-type"]


@pytest.mark.parametrize("query", ["", "?t=", "?t=nobody"])
async def test_unknown_checkout(buyer: httpx.AsyncClient, query: str) -> None:
    """There is a page for a checkout that does not exist, with a status that says so, and nothing to pay."""
    answers = [
        await buyer.get(f"/paynow/{query}"),
        await buyer.get(f"/paynow/state{query}"),
        await buyer.post(f"/paynow/pay{query}"),
    ]

    assert [404, 404, 404] == [answer.status_code for answer in answers]


async def test_state(buyer: httpx.AsyncClient, made: Json) -> None:
    """The page shows what is bought, and where it leads."""
    state = (await buyer.get("/paynow/state", params={"t": made["token"]})).json()

    assert {
        "items": [
            {"name": "500 Coins", "quantity": 2, "total": "$9.98"},
            {"name": "VIP", "quantity": 1, "total": "$9.99"},
        ],
        "discount": "$1.99",
        "total": "$17.98",
        "order": None,
        "ended": False,
        "autoRedirect": True,
        "cancelUrl": "https://shop.example/cart",
    }.items() <= state.items()


async def test_pay(buyer: httpx.AsyncClient, made: Json) -> None:
    """Paying makes an order that the way back names; it cannot be done twice."""
    first, second = [await buyer.post("/paynow/pay", params={"t": made["token"]}) for _ in range(2)]
    order = first.json()["order"]["id"]
    query = f"a=1&checkout_id={made['id']}&order_id={order}"

    assert (200, 409) == (first.status_code, second.status_code)
    assert f"https://shop.example/thanks?{query}" == first.json()["returnUrl"]


async def test_ended_without_an_order_to_show(buyer: httpx.AsyncClient, made: Json) -> None:
    """A canceled checkout is over, and nothing was bought."""
    await pay(buyer, made["id"], outcome="canceled")
    state = (await buyer.get("/paynow/state", params={"t": made["token"]})).json()

    assert (None, True) == (state["order"], state["ended"])


@pytest.mark.parametrize("url", [None, "javascript:alert(1)", "/thanks", "data:text/html,x"])
async def test_page_leads_to_web_addresses_alone(buyer: httpx.AsyncClient, url: str | None) -> None:
    """An address that would run as a script, or is none, is not followed."""
    made = await checkout(buyer, return_url=url, cancel_url=url)
    state = (await buyer.get("/paynow/state", params={"t": made["token"]})).json()

    assert (None, None) == (state["returnUrl"], state["cancelUrl"])


async def test_return_url_without_a_query(buyer: httpx.AsyncClient) -> None:
    """The ids come after a question mark where there was none."""
    made = await checkout(buyer, return_url="https://shop.example/thanks#top")
    paid = (await buyer.post("/paynow/pay", params={"t": made["token"]})).json()

    assert paid["returnUrl"].startswith(f"https://shop.example/thanks?checkout_id={made['id']}&order_id=")
    assert paid["returnUrl"].endswith("#top")
