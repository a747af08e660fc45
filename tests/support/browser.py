"""A real Chromium for the tests that need one."""

import shutil
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Playwright, async_playwright

_NO_BROWSER = (
    "These tests need Chromium on the PATH: "
    "`apt-get install -y --no-install-recommends chromium`, or `.venv/bin/playwright install chromium`."
)
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = (
    "--no-sandbox",  # containers run the tests as root, where Chromium's own sandbox does not start
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@asynccontextmanager
async def chromium() -> AsyncGenerator[Browser]:
    """A running browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_path(playwright), args=list(_OPTIONS))
        yield browser
        await browser.close()


def _path(playwright: Playwright) -> str:
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found:
        return found
    if Path(playwright.chromium.executable_path).exists():
        return playwright.chromium.executable_path
    if sys.platform == "darwin":
        pytest.skip(_NO_BROWSER)
    pytest.fail(_NO_BROWSER)
