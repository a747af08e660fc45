"""checkout.js in a real browser under a strict content policy; a stub plays broker and provider."""

import re
from base64 import urlsafe_b64decode

import pytest
from playwright.async_api import Error, Page, expect

from tests.e2e.driving import ITEMS, opened_token, outcome, press, start
from tests.e2e.stub import REFERENCE, SESSION_ID, Stub

pytestmark = pytest.mark.asyncio(loop_scope="session")

ORDER = {"id": "ORD1", "reference": "ACME-1"}


async def test_popup_opens_on_the_session_and_reports_the_order(page: Page, stub: Stub, complaints: list[str]) -> None:
    """A purchase: the popup shows the session that the broker named, and the caller learns the order."""
    stub.record = {"reference": REFERENCE, "state": "completed"}
    await page.goto(stub.shop)
    await start(page)
    address = await page.locator("iframe").get_attribute("src")
    await press(page, "#pay")

    assert f"{stub.broker}/hosted/{SESSION_ID}" == address
    assert {"reference": REFERENCE, "outcome": "completed", "order": ORDER} == await outcome(page)
    assert [] == complaints


async def test_close_without_an_order(page: Page, stub: Stub) -> None:
    """A closed popup leaves the buyer on the page and says so, once to the promise and once to onClose."""
    await page.goto(stub.shop)
    await page.evaluate(
        "items => { window.outcome = Checkout.open({items, onClose(result) { window.heard = result; }}); }",
        ITEMS,
    )
    await press(page, "#cancel")

    assert {"reference": REFERENCE, "outcome": "closed"} == await outcome(page)
    assert {"reference": REFERENCE, "outcome": "closed"} == await page.evaluate("() => window.heard")
    assert f"{stub.shop}/" == page.url


async def test_the_answer_is_shown_to_the_page(page: Page, stub: Stub) -> None:
    """A page that asks for it gets the broker's answer as it came, before the popup closes."""
    await page.goto(stub.shop)
    await page.evaluate("items => { Checkout.open({items, onSession(session) { window.session = session; }}); }", ITEMS)
    await expect(page.locator("iframe")).to_be_visible()

    assert stub.session() == await page.evaluate("() => window.session")


async def test_a_policy_of_nonces(page: Page, stub: Stub) -> None:
    """The nonce that let checkout.js in lets the provider's script in."""
    stub.policy = f"script-src 'nonce-n1'; connect-src {stub.broker}; frame-src {stub.broker}"
    await page.goto(stub.shop)
    await start(page)

    await expect(page.locator("iframe")).to_be_visible()


async def test_members_pass_through_and_own_options_stay(page: Page, stub: Stub) -> None:
    """Every member of the request goes to the broker as it was given; checkout.js's own options do not."""
    order = {
        "checkout": "default",
        "items": ITEMS,
        "coupon": "SPRING10",
        "customer": {"email": "ada@example.org", "address": {"city": "Graz"}},
        "country": "AT",
        "language": "de",
        "quote": "q",
        "challenge": "c",
        "returnUrl": f"{stub.shop}/thanks",
        "cancelUrl": f"{stub.shop}/cart",
        "fresh": False,
        "affiliateCode": "a",
    }
    await page.goto(stub.shop)
    await page.evaluate("order => { Checkout.open({...order, onProblem() {}, onClose() {}, onSession() {}}); }", order)
    await expect(page.locator("iframe")).to_be_visible()

    (post,) = stub.posts()
    assert order == post.order


async def test_request_carries_a_random_key_and_no_cookie(page: Page, stub: Stub) -> None:
    """The buyer key has 32 random bytes, lasts over a reload, and differs from browser to browser."""
    await page.context.add_cookies([{"name": "private", "value": "1", "url": stub.broker}])
    for _ in range(2):
        await page.goto(stub.shop)
        await start(page)
        await expect(page.locator("iframe")).to_be_visible()
    await page.evaluate("() => localStorage.clear()")
    await page.goto(stub.shop)
    await start(page)
    await expect(page.locator("iframe")).to_be_visible()

    first, second, other = (call.headers["buyer-key"] for call in stub.posts())
    assert 32 == len(urlsafe_b64decode(first + "="))
    assert first == second
    assert first != other
    assert all("cookie" not in call.headers for call in stub.posts())
    assert {"application/json"} == {call.headers["content-type"] for call in stub.posts()}


async def test_a_broken_stored_key_is_replaced(page: Page, stub: Stub) -> None:
    """A stored key that the broker would refuse gives way to a new one."""
    await page.goto(stub.shop)
    await page.evaluate("() => localStorage.setItem('checkout-buyer-key', 'short')")
    await start(page)
    await expect(page.locator("iframe")).to_be_visible()

    assert re.fullmatch(r"[\w-]{43}", stub.posts()[0].headers["buyer-key"])


async def test_storage_refused(page: Page, stub: Stub) -> None:
    """Where the browser refuses storage, the key lives in memory and the checkout works."""
    stub.policy = "sandbox allow-scripts"  # an opaque origin: reading localStorage throws
    await page.goto(stub.shop)
    for _ in range(2):
        await start(page)
        await press(page, "#pay")
        assert {"reference": REFERENCE, "outcome": "completed", "order": ORDER} == await outcome(page)

    first, second = (call.headers["buyer-key"] for call in stub.posts())
    assert first == second
    with pytest.raises(Error, match="sandboxed"):
        await page.evaluate("() => localStorage.length")


async def test_storage_holds_the_buyer_key_alone(page: Page, stub: Stub) -> None:
    """Beside the buyer key only "paid" is kept; neither session id nor order is in storage or an address of ours."""
    stub.record = {"reference": REFERENCE, "state": "completed"}
    await page.goto(stub.shop)
    await start(page)
    await press(page, "#pay")
    await outcome(page)

    assert {"checkout-buyer-key", "checkout-paid"} == set(await page.evaluate("() => Object.keys(localStorage)"))
    assert "1" == await page.evaluate("() => localStorage.getItem('checkout-paid')")
    assert [] == [call.path for call in stub.calls if SESSION_ID in call.path]


async def test_double_click(page: Page, stub: Stub) -> None:
    """Two clicks are one request, one popup and one promise."""
    await page.goto(stub.shop)
    same = await page.evaluate(
        "items => { const first = window.outcome = Checkout.open({items}); return first === Checkout.open({items}); }",
        ITEMS,
    )
    await press(page, "#cancel")
    await outcome(page)

    assert same is True
    assert 1 == len(stub.posts())
    assert 1 == await page.evaluate("() => fastspring.builder.opened")


async def test_a_second_purchase_loads_the_script_once(page: Page, stub: Stub) -> None:
    """After one popup another may open, on the script that is already there."""
    await page.goto(stub.shop)
    for _ in range(2):
        await start(page)
        await press(page, "#cancel")
        assert {"reference": REFERENCE, "outcome": "closed"} == await outcome(page)

        await page.evaluate("() => { (window.named = window.named || new Set()).add(checkoutPopupClosed); }")

    assert 2 == len(stub.posts())
    assert 1 == len([call for call in stub.calls if call.path == "/builder.js"])
    assert 1 == await page.evaluate("() => window.named.size")


async def test_a_script_of_the_page_is_used_as_it_is(page: Page, stub: Stub) -> None:
    """A page that loads the builder itself keeps its tag and its function; the promise resolves too."""
    stub.head = '<script src="{broker}/builder.js" id="fsc-api" data-popup-closed="mine"></script>'
    await page.goto(stub.shop)
    await page.evaluate("() => { window.mine = (order) => { window.theirs = order; }; }")
    await start(page)
    await press(page, "#pay")

    assert {"reference": REFERENCE, "outcome": "completed", "order": ORDER} == await outcome(page)
    assert ORDER == await page.evaluate("() => window.theirs")
    assert 1 == await page.locator("script[src$='builder.js']").count()


async def test_a_popup_that_cannot_be_heard(page: Page, stub: Stub) -> None:
    """Where a popup has no way to tell of its closing, the promise does not wait for it."""
    stub.answer = stub.session(opener={**stub.opener, "closed": None})
    await page.goto(stub.shop)
    await start(page)

    assert {"reference": REFERENCE, "outcome": "redirected"} == await outcome(page)
    await expect(page.locator("iframe")).to_be_visible()


async def test_a_provider_that_tells_by_events(page: Page, stub: Stub) -> None:
    """An opener that names events reports the order, or its absence, at each close; subscribed to once."""
    stub.builder = "events"
    stub.answer = stub.session(
        opener={
            "script": {"src": f"{stub.broker}/builder.js", "attributes": {}},
            "call": "PayNow.checkout.open",
            "arguments": [{"token": "T1"}],
            "closed": {"on": "PayNow.checkout.on", "completed": "completed", "closed": "closed"},
        }
    )
    await page.goto(stub.shop)
    await start(page)
    await opened_token(page)
    await page.evaluate("() => PayNow.checkout.emit('completed', {orderId: '77'})")
    await page.evaluate("() => PayNow.checkout.emit('closed')")
    paid = await outcome(page)
    await start(page)
    await opened_token(page)
    await page.evaluate("() => PayNow.checkout.emit('closed')")
    unpaid = await outcome(page)

    order = {"id": "77", "reference": None}
    assert {"reference": REFERENCE, "outcome": "completed", "order": order} == paid
    assert {"reference": REFERENCE, "outcome": "closed"} == unpaid
    assert 1 == await page.evaluate("() => listeners.closed.length")
    assert 1 == await page.locator("script[src$='builder.js']").count()


async def test_a_popup_that_never_closes_blocks_nothing(page: Page, stub: Stub) -> None:
    """Once the popup is up, another call asks the broker anew: a popup that fails in silence leaves no dead button."""
    await page.goto(stub.shop)
    await start(page)
    await expect(page.locator("iframe")).to_be_visible()
    await start(page)
    await expect(page.locator("iframe")).to_have_count(2)

    assert 2 == len(stub.posts())
