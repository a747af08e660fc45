"""A real browser for the tests of this folder, and pages that remember their complaints."""

import shutil
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Playwright, async_playwright

from tests.e2e.stub import Stub, running_stub

NO_BROWSER = (
    "These tests need Chromium on the PATH: "
    "`apt-get install -y --no-install-recommends chromium`, or `.venv/bin/playwright install chromium`."
)
BROWSER_NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER_OPTIONS = (
    "--no-sandbox",  # containers run the tests as root, where Chromium's own sandbox does not start
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium_path(playwright: Playwright) -> str:
    found = next(filter(None, map(shutil.which, BROWSER_NAMES)), None)
    if found:
        return found
    if Path(playwright.chromium.executable_path).exists():
        return playwright.chromium.executable_path
    if sys.platform == "darwin":
        pytest.skip(NO_BROWSER)
    pytest.fail(NO_BROWSER)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncGenerator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium_path(playwright), args=list(BROWSER_OPTIONS)
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncGenerator[Page]:
    context = await browser.new_context(viewport={"width": 1280, "height": 860})
    context.set_default_timeout(10_000)
    yield await context.new_page()
    await context.close()


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """Every console error and every uncaught error of the page; broken content policies are among them."""
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    return heard


@pytest_asyncio.fixture(loop_scope="session")
async def stub() -> AsyncGenerator[Stub]:
    async with running_stub() as stub:
        yield stub
