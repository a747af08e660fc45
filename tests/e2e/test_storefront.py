"""A purchase in the demo, from the shop's Buy button to "Thank you", in a real browser."""

import os
from collections.abc import Iterator

import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.demo import running_demo
from tests.e2e.driving import outcome, press, start

pytestmark = pytest.mark.asyncio(loop_scope="session")

SCREENSHOT = os.environ.get("CHECKOUT_SCREENSHOT")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_demo(tmp_path_factory.mktemp("demo")) as address:
        yield address


def product(page: Page, name: str) -> Locator:
    return page.locator(f"form[data-product={name}]")


async def buy(page: Page, name: str) -> dict[str, object]:
    """Gives what the broker answered."""
    async with page.expect_response(
        lambda answer: answer.url.endswith("/checkout") and answer.request.method == "POST"
    ) as answer:
        await product(page, name).get_by_role("button", name="Buy").click()
    session: dict[str, object] = await (await answer.value).json()
    return session


async def keep_screenshot(page: Page) -> None:
    """For the README: the popup over the shop, to the path in CHECKOUT_SCREENSHOT."""
    await expect(page.frame_locator("iframe").locator("#pay")).to_be_visible()
    if SCREENSHOT:
        await page.screenshot(path=SCREENSHOT)


async def test_a_purchase(page: Page, shop: str, complaints: list[str]) -> None:
    """The popup opens on the session that the API named, and after the payment the shop says thank you."""
    await page.goto(shop)
    session = await buy(page, "pro-license")
    address = await page.locator("iframe").get_attribute("src")
    await keep_screenshot(page)
    await press(page, "#pay")

    await expect(page.get_by_text("Thank you!")).to_be_visible()
    await expect(page.locator("#order")).not_to_be_empty()
    await expect(page.locator("#session-id")).to_have_text(str(session["sessionId"]))
    await expect(page.locator("#reused")).to_have_text("new")
    await expect(page.locator("#mode")).to_have_text("test")
    assert str(session["sessionId"]) in str(address)
    assert [] == complaints


async def test_the_same_cart_again(page: Page, shop: str, complaints: list[str]) -> None:
    """Whoever closes the popup and buys the same again gets the same session."""
    await page.goto(shop)
    first = await buy(page, "team-seats")
    await press(page, "#cancel")
    await expect(page.locator("#story")).to_contain_text("without an order")
    second = await buy(page, "team-seats")

    await expect(page.locator("#reused")).to_have_text("reused")
    assert first["sessionId"] == second["sessionId"]
    assert [False, True] == [first["reused"], second["reused"]]
    assert [] == complaints


async def test_buying_again_after_a_payment(page: Page, shop: str, complaints: list[str]) -> None:
    """Whoever has paid and buys the same again gets a new session, not the one that is paid."""
    await page.goto(shop)
    first = await buy(page, "support-plan")
    await press(page, "#pay")
    await expect(page.get_by_text("Thank you!")).to_be_visible()
    second = await buy(page, "support-plan")

    await expect(page.frame_locator("iframe").locator("#pay")).to_be_visible()
    assert first["sessionId"] != second["sessionId"]
    assert second["reused"] is False
    assert [] == complaints


async def test_another_quantity(page: Page, shop: str) -> None:
    """A changed cart is another session."""
    await page.goto(shop)
    first = await buy(page, "team-seats")
    await press(page, "#cancel")
    await product(page, "team-seats").get_by_label("Quantity").fill("7")
    second = await buy(page, "team-seats")

    assert first["sessionId"] != second["sessionId"]


async def test_a_refusal(page: Page, shop: str) -> None:
    """What the broker refuses is told in words, and the shop goes on."""
    await page.goto(shop)
    await product(page, "pro-license").evaluate("form => { form.dataset.product = 'no-such-thing'; }")
    await page.locator("form[data-product=no-such-thing]").get_by_role("button", name="Buy").click()

    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.locator("#story")).to_contain_text("/problems/")
    await expect(page.locator("form[data-product=no-such-thing] button")).to_be_enabled()


@pytest.mark.parametrize(
    ("checkout", "options"),
    [
        ("legacy", {"customer": {"email": "ada@example.org"}}),
        ("games", {"items": [{"product": "411486491630370817"}]}),
    ],
)
async def test_a_purchase_with_every_other_provider(
    page: Page, shop: str, complaints: list[str], checkout: str, options: dict[str, object]
) -> None:
    """The same page buys with FastSpring's older API and with PayNow: `checkout.js` learns both from the answer."""
    await page.goto(shop)
    await start(page, checkout=checkout, country="DE", **options)
    await press(page, "#pay")
    if checkout == "games":
        await press(page, "#done")
    result = await outcome(page)

    assert "completed" == result["outcome"]
    assert result["order"]
    assert [] == complaints
