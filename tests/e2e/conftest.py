"""A real browser for the tests of this folder, and pages that remember their complaints."""

from collections.abc import AsyncGenerator

import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.e2e.stub import Stub, running_stub
from tests.support.browser import chromium


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncGenerator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncGenerator[Page]:
    context = await browser.new_context(viewport={"width": 1280, "height": 860})
    context.set_default_timeout(10_000)
    yield await context.new_page()
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def complaints(page: Page) -> list[str]:
    """Every console error and every uncaught error of the page; broken content policies are among them."""
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    return heard


@pytest_asyncio.fixture(loop_scope="session")
async def stub() -> AsyncGenerator[Stub]:
    async with running_stub() as stub:
        yield stub
