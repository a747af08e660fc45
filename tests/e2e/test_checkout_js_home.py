"""Where checkout.js takes its service to be: where its own script came from, whatever else stands on the page."""

import pytest
from playwright.async_api import Error, Page, expect

from service.storefront import asset
from tests.e2e.driving import outcome, start
from tests.e2e.stub import Stub

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_element_named_like_the_current_script(page: Page, stub: Stub) -> None:
    """Markup of a stranger above the tag, which hides `document.currentScript`, gets neither cart nor buyer key."""
    stub.above, stub.policy = f'<img name="currentScript" src="{stub.shop}/x.png">', "script-src *"
    await page.goto(stub.shop)
    assert "IMG" == await page.evaluate("() => document.currentScript.tagName")
    await start(page)
    await expect(page.locator("iframe")).to_be_visible()

    assert [stub.broker] == [f"http://{post.headers['host']}" for post in stub.posts()]


async def test_an_element_named_like_the_scripts(page: Page, stub: Stub) -> None:
    """Markup that hides `document.scripts` is not taken for the provider's script."""
    stub.above = '<form name="scripts"><input id="fsc-api" data-popup-closed="theirs"></form>'
    await page.goto(stub.shop)
    assert "FORM" == await page.evaluate("() => document.scripts.tagName")
    await start(page)

    await expect(page.locator("iframe")).to_be_visible()
    assert "undefined" == await page.evaluate("() => typeof theirs")


async def test_without_a_tag_of_its_own_it_has_to_be_told(page: Page, stub: Stub) -> None:
    """Code that a shop put into a script of its own posts to no guessed address, but to the endpoint that it names."""
    await page.goto(f"{stub.shop}/bundled")
    await page.add_script_tag(content=asset("checkout.js").decode())
    await start(page)
    with pytest.raises(Error, match=r"Checkout\.open needs an endpoint"):
        await outcome(page)
    assert [] == stub.posts()
    await start(page, endpoint=stub.broker)
    await expect(page.locator("iframe")).to_be_visible()

    assert [stub.broker] == [f"http://{post.headers['host']}" for post in stub.posts()]
