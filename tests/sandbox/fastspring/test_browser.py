"""The builder's script and the hosted page, in a browser and under a strict policy of the page around them."""

import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import FrameLocator, Page, async_playwright

SESSIONS = "/v2/checkouts/acme/popup-checkout/sessions"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
SHOP = """<!doctype html><title>Shop</title>
<meta http-equiv="content-security-policy" content="default-src 'none'; script-src 'self' {sandbox};
  frame-src {sandbox}">
<script src="shop.js"></script>
<script id="fsc-api" src="{sandbox}/sbl/1.0.3/fastspring-builder.min.js"
  data-storefront="acme.test.onfastspring.com/popup-checkout" data-popup-closed="onClosed"
  data-popup-webhook-received="onWebhook" data-error-callback="onError" data-data-callback="onData"></script>
"""
SHOP_SCRIPT = """
window.calls = [];
for (const name of ["onClosed", "onWebhook", "onError", "onData"]) {
  window[name] = (...values) => window.calls.push([name, ...values]);
}
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the inherited name
        pass


@pytest.fixture
def shop(address: str, tmp_path: Path) -> Iterator[str]:
    """A shop on an origin of its own."""
    (tmp_path / "index.html").write_text(SHOP.format(sandbox=address))
    (tmp_path / "shop.js").write_text(SHOP_SCRIPT)
    (tmp_path / "favicon.ico").touch()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """A browser page; anything that it complains about fails the test."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "Browser tests need Chromium on the PATH: apt-get install chromium"
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = await browser.new_page(viewport={"width": 900, "height": 760})
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        yield page
        await browser.close()
    assert [] == [complaint for complaint in complaints if "404" not in complaint]


@pytest.fixture
async def session_id(served: httpx.AsyncClient) -> str:
    cart = {"lineItems": [{"productPath": "pro-license", "quantity": 2}, {"productPath": "team-seats"}]}
    methods = {"paymentMethodsOrder": ["PAYPAL", "CARD"], "hidePaymentMethods": ["WIRE"]}
    answer = await served.post(SESSIONS, json={"country": "US", "live": False, "cart": cart, **methods})
    return str(answer.json()["id"])


async def opened(page: Page, shop: str, call: str, session_id: str) -> FrameLocator:
    await page.goto(shop)
    await page.evaluate(f"id => fastspring.builder.{call}", session_id)
    return page.frame_locator("#fsc-popup iframe")


async def calls(page: Page, name: str) -> Any:  # noqa: ANN401 - whatever the callback was given
    await page.wait_for_function("name => calls.some(([called]) => called === name)", arg=name)
    return await page.evaluate(
        "name => calls.filter(([called]) => called === name).map(([, ...values]) => values)", name
    )


@pytest.mark.parametrize("call", ["checkout(id)", "push({checkout: id})"])
async def test_pay_in_the_popup(page: Page, shop: str, served: httpx.AsyncClient, session_id: str, call: str) -> None:
    """A purchase completes the session, closes the popup and hands the order's id and reference to the shop."""
    popup = await opened(page, shop, call, session_id)
    await popup.locator("#pay").click()
    [[closed]] = await calls(page, "onClosed")
    [[told]] = await calls(page, "onWebhook")
    seen = (await served.get(f"{SESSIONS}/{session_id}")).json()

    assert {"id", "reference"} == set(closed)
    assert (closed["id"], "COMPLETED") == (told["id"], seen["status"])
    assert "email" not in told
    assert 0 == await page.locator("#fsc-popup").count()


async def test_close_without_a_purchase(page: Page, shop: str, session_id: str) -> None:
    """Closing the popup without a purchase calls back with null."""
    popup = await opened(page, shop, "checkout(id)", session_id)
    await popup.locator("#checkout").wait_for()
    await popup.locator("#cancel").click()

    assert [[None]] == await calls(page, "onClosed")


async def test_what_the_page_shows(page: Page, shop: str, session_id: str) -> None:
    """The page shows items, totals, mode, and the ways to pay in their order, without the hidden ones."""
    popup = await opened(page, shop, "checkout(id)", session_id)
    await popup.locator("#checkout").wait_for()
    methods = await popup.locator("#methods label").all_inner_texts()

    assert ["Pro License", "Team Seats"] == await popup.locator(".name").all_inner_texts()
    assert ("Test", "$117.00") == (
        await popup.locator("#mode").text_content(),
        await popup.locator("dd.total").inner_text(),
    )
    assert ["PayPal", "Credit or debit card"] == methods[:2]
    assert "Wire transfer" not in methods
    assert "United States" in await popup.locator("#small").inner_text()


async def test_unknown_session(page: Page, shop: str) -> None:
    """A session that does not exist calls the error callback, and the popup says so."""
    popup = await opened(page, shop, "checkout(id)", "OS1")

    assert [["404", "not found"]] == await calls(page, "onError")
    assert "There is no such checkout" == await popup.locator("h1:visible").inner_text()


async def test_expired_session(page: Page, shop: str, served: httpx.AsyncClient, session_id: str) -> None:
    """An expired session calls the error callback, and the popup says so."""
    await served.post("/_sandbox/clock", json={"advanceSeconds": 24 * 3600})
    popup = await opened(page, shop, "checkout(id)", session_id)

    assert [["410", "expired"]] == await calls(page, "onError")
    assert "This checkout has expired" == await popup.locator("h1:visible").inner_text()


async def test_page_by_itself(page: Page, address: str, session_id: str) -> None:
    """Outside a popup the page takes the payment and thanks for it."""
    await page.goto(f"{address}/checkout/session/{session_id}")
    await page.locator("#pay").click()
    await page.locator("#reference").wait_for()

    assert "Thank you" == await page.locator("h1:visible").inner_text()
    assert 0 == await page.locator("#done:visible").count()
