"""The stand-in of PayNow.js and the hosted page, in a browser and under a strict policy of the page around them."""

import threading
from collections.abc import AsyncIterator, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Error, FrameLocator, Page

from service.sandbox.paynow.catalogue import COINS, VIP
from tests.sandbox.paynow.calls import Json, checkout, get, line
from tests.support.browser import chromium

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHOP = """<!doctype html><title>Shop</title>
<meta http-equiv="content-security-policy" content="default-src 'none'; script-src 'self' {sandbox};
  frame-src {sandbox}; style-src 'self'">
<link rel="stylesheet" href="shop.css">
<div id="small"></div><div id="large"></div>
<script src="{sandbox}/paynow-js/bundle.js"></script>
<script src="shop.js"></script>
"""
SHOP_STYLE = "#small { width: 300px; height: 300px; } #large { width: 800px; height: 760px; }"
SHOP_SCRIPT = """
window.calls = [];
for (const name of ["ready", "completed", "closed"]) {
  PayNow.checkout.on(name, (detail) => window.calls.push([name, detail ?? null]));
}
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the inherited name
        pass


@pytest.fixture
def shop(address: str, tmp_path: Path) -> Iterator[str]:
    """A shop on an origin of its own."""
    (tmp_path / "index.html").write_text(SHOP.format(sandbox=address))
    (tmp_path / "shop.css").write_text(SHOP_STYLE)
    (tmp_path / "shop.js").write_text(SHOP_SCRIPT)
    (tmp_path / "thanks.html").write_text("<!doctype html><title>Thanks</title>")
    (tmp_path / "cart.html").write_text("<!doctype html><title>Cart</title>")
    (tmp_path / "favicon.ico").touch()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all, since its start takes longer than any test."""
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, shop: str) -> AsyncIterator[Page]:
    """A page in a window of its own, closed before its shop is; anything that it complains about fails the test."""
    complaints: list[str] = []
    page = await browser.new_page(viewport={"width": 900, "height": 800})
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    yield page
    await page.close()
    assert [] == [complaint for complaint in complaints if "404" not in complaint]


@pytest_asyncio.fixture(loop_scope="module")
async def store(address: str) -> AsyncIterator[httpx.AsyncClient]:
    """The store's own server."""
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=10) as http:
        await http.post("/_sandbox/reset")
        yield http


@pytest_asyncio.fixture(loop_scope="module")
async def made(store: httpx.AsyncClient, shop: str) -> Json:
    """A checkout of two products."""
    lines = [line(COINS, quantity=2), line(VIP)]
    urls = {"return_url": f"{shop}thanks.html", "cancel_url": f"{shop}cart.html"}
    return await checkout(store, *lines, promo_codes=["SPRING10"], auto_redirect=True, **urls)


async def opened(page: Page, shop: str, made: Json) -> FrameLocator:
    await page.goto(shop)
    await page.evaluate("token => PayNow.checkout.open({ token })", made["token"])
    frame = page.frame_locator("#paynow-checkout iframe")
    await frame.locator("#checkout").wait_for()
    return frame


async def calls(page: Page, last: str) -> Any:  # noqa: ANN401 - whatever the listeners were given
    await page.wait_for_function("name => calls.some(([called]) => called === name)", arg=last)
    return await page.evaluate("calls")


async def test_pay_in_the_frame(page: Page, shop: str, store: httpx.AsyncClient, made: Json) -> None:
    """A purchase is ready, completed with the order's id, and closed, in this order, and the frame is gone."""
    frame = await opened(page, shop, made)
    await frame.locator("#pay").click()
    await frame.locator("#done").click()
    [order] = (await get(store, "orders", checkout_id=made["id"])).json()

    assert [["ready", None], ["completed", {"orderId": order["id"]}], ["closed", None]] == await calls(page, "closed")
    assert 0 == await page.locator("iframe").count()


@pytest.mark.parametrize("button", ["#cancel", "#close"])
async def test_leave_without_a_purchase(
    page: Page, shop: str, store: httpx.AsyncClient, made: Json, button: str
) -> None:
    """Leaving without a purchase is closed without completed, and makes no order."""
    frame = await opened(page, shop, made)
    await frame.locator(button).click()

    assert [["ready", None], ["closed", None]] == await calls(page, "closed")
    assert [] == (await get(store, "orders")).json()


async def test_what_the_page_shows(page: Page, shop: str, made: Json) -> None:
    """The page shows items, discount and total."""
    frame = await opened(page, shop, made)

    assert ["500 Coins", "VIP"] == await frame.locator(".name").all_inner_texts()
    assert ["\N{MINUS SIGN}$1.99", "$17.98"] == await frame.locator("dd").all_inner_texts()


async def test_one_at_a_time(page: Page, shop: str, made: Json) -> None:
    """A second open throws while one is open, and works once it is closed by the shop."""
    await opened(page, shop, made)

    with pytest.raises(Error, match="open already"):
        await page.evaluate("PayNow.checkout.open({ token: 'x' })")
    await page.evaluate("PayNow.checkout.close()")
    await page.evaluate("token => PayNow.checkout.open({ token })", made["token"])
    assert 1 == await page.locator("iframe").count()


async def test_listener_is_taken_off(page: Page, shop: str, made: Json) -> None:
    """A listener that was taken off is not called, the others are."""
    await opened(page, shop, made)
    await page.evaluate("""() => {
      const taken = () => window.calls.push(["taken off"]);
      PayNow.checkout.on("closed", taken);
      PayNow.checkout.off("closed", taken);
      PayNow.checkout.close();
    }""")

    assert [["ready", None], ["closed", None]] == await calls(page, "closed")


async def test_token_is_required(page: Page, shop: str) -> None:
    """Without a token nothing opens."""
    await page.goto(shop)

    for options in ("{}", "{ token: '' }", "{ token: 7 }"):
        with pytest.raises(Error, match="token is required"):
            await page.evaluate(f"PayNow.checkout.open({options})")


async def test_render_into_an_element(page: Page, shop: str, made: Json) -> None:
    """The frame can stand in an element of the shop that is large enough, and in no smaller one."""
    await page.goto(shop)
    call = "([token, id]) => PayNow.checkout.open({ token, renderTo: { element: document.getElementById(id) } })"
    with pytest.raises(Error, match="at least 800 x 760"):
        await page.evaluate(call, [made["token"], "small"])
    await page.evaluate(call, [made["token"], "large"])
    await page.frame_locator("#large iframe").locator("#checkout").wait_for()

    assert 0 == await page.locator("[role=dialog]").count()


async def test_narrow_window_is_redirected(page: Page, shop: str, made: Json) -> None:
    """In a narrow window the page itself goes to the checkout, which leads back with the ids of both."""
    await page.set_viewport_size({"width": 700, "height": 700})
    await page.goto(shop)
    await page.evaluate("token => PayNow.checkout.open({ token })", made["token"])
    await page.wait_for_url(made["url"])
    await page.locator("#pay").click()
    await page.wait_for_url(f"{shop}thanks.html?checkout_id={made['id']}&order_id=*")


async def test_narrow_window_without_the_redirect(page: Page, shop: str, made: Json) -> None:
    """The redirect of narrow windows can be turned off."""
    await page.set_viewport_size({"width": 700, "height": 700})
    await page.goto(shop)
    await page.evaluate("token => PayNow.checkout.open({ token, disableRedirect: true })", made["token"])

    assert 1 == await page.locator("iframe").count()


async def test_page_by_itself_leads_back_to_the_cart(page: Page, shop: str, made: Json) -> None:
    """Outside of a frame, who cancels comes back to where the shop said."""
    await page.goto(made["url"])
    await page.locator("#cancel").click()
    await page.wait_for_url(f"{shop}cart.html")


async def test_unknown_checkout(page: Page, address: str) -> None:
    """A token that does not exist has a page that says so."""
    await page.goto(f"{address}/paynow/?t=nobody")

    assert "There is no such checkout" == await page.locator("h1:visible").inner_text()


async def test_paid_checkout(page: Page, store: httpx.AsyncClient, made: Json) -> None:
    """A checkout that is paid thanks, and offers nothing more to pay."""
    await store.post("/paynow/pay", params={"t": made["token"]})
    await page.goto(made["url"])

    assert "Thank you" == await page.locator("h1:visible").inner_text()
    assert 0 == await page.locator("#pay:visible").count()
