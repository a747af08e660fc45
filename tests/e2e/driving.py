"""What the tests of checkout.js do on a page: open, press, and read what came of it."""

import asyncio
from typing import cast

from playwright.async_api import Page

ITEMS = [{"product": "pro-license", "quantity": 2}]
DEADLINE_SECONDS = 10


async def start(page: Page, **options: object) -> None:
    await page.evaluate("options => { window.outcome = Checkout.open(options); }", {"items": ITEMS, **options})


async def outcome(page: Page) -> dict[str, object]:
    async with asyncio.timeout(DEADLINE_SECONDS):
        return cast("dict[str, object]", await page.evaluate("() => window.outcome"))


async def press(page: Page, button: str) -> None:
    await page.frame_locator("iframe").locator(button).click()


async def opened_token(page: Page) -> None:
    """Waits until the provider's popup was opened, and forgets it for the next time."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        await page.evaluate(
            "() => new Promise((resolve) => { const look = () =>"
            " window.opened ? resolve((window.opened = null)) : requestAnimationFrame(look); look(); })"
        )
