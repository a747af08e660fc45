"""checkout.js when something is missing, refused or broken: the buyer gets further, or is told why not."""

import pytest
from playwright.async_api import Page, Request, expect

from tests.e2e.driving import ITEMS, outcome, press, start
from tests.e2e.stub import REFERENCE, SESSION_ID, Stub

pytestmark = pytest.mark.asyncio(loop_scope="session")

LIMITED: dict[str, object] = {
    "type": "/problems/rate-limited",
    "title": "Too many requests",
    "status": 429,
    "detail": "Too many checkouts from this address.",
    "errors": [{"field": "items[0].quantity", "detail": "At most 100."}],
    "retryAfter": 12,
}


@pytest.mark.parametrize("builder", ["blocked", "empty", "throws", "rejects"])
async def test_without_a_working_popup_the_buyer_is_redirected(page: Page, stub: Stub, builder: str) -> None:
    """A script that is blocked, is something else, or throws sends the buyer to the hosted page."""
    stub.builder = builder
    await page.goto(stub.shop)
    await start(page)

    await page.wait_for_url(f"{stub.broker}/checkout/session/{SESSION_ID}")


async def test_a_script_that_failed_is_loaded_again(page: Page, stub: Stub) -> None:
    """Who comes back from the hosted page and tries again gets the popup, once its script can be had."""
    await page.route("**/checkout/session/*", lambda route: route.fulfill(status=204))  # stays on the page
    stub.builder = "blocked"
    await page.goto(stub.shop)
    await start(page)
    assert {"reference": REFERENCE, "outcome": "redirected"} == await outcome(page)
    stub.builder = "popup"
    await start(page)

    await expect(page.locator("iframe")).to_be_visible()


async def test_a_script_that_the_policy_forbids(page: Page, stub: Stub) -> None:
    """A page whose policy does not list the provider's script sends the buyer to the hosted page."""
    stub.policy = f"script-src {stub.broker}/checkout.js; connect-src {stub.broker}"
    await page.goto(stub.shop)
    await start(page)

    await page.wait_for_url(f"{stub.broker}/checkout/session/{SESSION_ID}")


async def test_no_opener(page: Page, stub: Stub) -> None:
    """A session without an opener is a redirect."""
    stub.answer = stub.session(opener=None)
    await page.goto(stub.shop)
    await start(page)

    await page.wait_for_url(f"{stub.broker}/checkout/session/{SESSION_ID}")


async def test_a_script_that_takes_too_long(page: Page, stub: Stub) -> None:
    """The provider's script has eight seconds, then the buyer goes to the hosted page."""
    asked: list[Request] = []
    await page.route("**/builder.js", lambda route: asked.append(route.request))
    await page.clock.install()
    await page.goto(stub.shop)
    async with page.expect_request("**/builder.js"):
        await start(page)
    await page.clock.run_for(7_000)
    waiting = await page.locator("script[src$='builder.js']").count()
    await page.clock.run_for(1_100)

    await page.wait_for_url(f"{stub.broker}/checkout/session/{SESSION_ID}")
    assert 1 == waiting
    assert 1 == len(asked)


@pytest.mark.parametrize(
    ("language", "hint", "dismiss"),
    [
        ("en", "Please try again in 12 seconds.", "Dismiss"),
        ("de-AT", "Bitte in 12 Sekunden erneut versuchen.", "Schließen"),
    ],
)
async def test_a_problem_in_words(page: Page, stub: Stub, language: str, hint: str, dismiss: str) -> None:
    """A refusal is shown in words in an alert, with a hint when to try again, and can be dismissed."""
    stub.status, stub.answer = 429, LIMITED
    await page.goto(stub.shop)
    await start(page, language=language)
    alert = page.get_by_role("alert")

    await expect(alert).to_contain_text(f"Too many checkouts from this address. At most 100. {hint}")
    assert {"outcome": "problem", "problem": LIMITED} == await outcome(page)
    await alert.get_by_role("button", name=dismiss).click()
    await expect(alert).to_have_count(0)


async def test_the_page_decides_how_a_problem_looks(page: Page, stub: Stub) -> None:
    """A page's own onProblem gets the problem, and no message of ours is shown."""
    stub.status, stub.answer = 429, LIMITED
    await page.goto(stub.shop)
    await page.evaluate("items => Checkout.open({items, onProblem: (problem) => { window.told = problem; }})", ITEMS)

    assert LIMITED == await page.evaluate("() => window.told")
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_markup_in_a_problem_stays_text(page: Page, stub: Stub) -> None:
    """A problem's text is never read as markup."""
    stub.status, stub.answer = 422, {**LIMITED, "detail": "<img src=x>"}
    await page.goto(stub.shop)
    await start(page)

    await expect(page.get_by_role("alert")).to_contain_text("<img src=x>")
    assert 0 == await page.locator("img").count()


async def test_the_next_attempt_takes_the_message_away(page: Page, stub: Stub) -> None:
    """A message does not outlive the attempt that it speaks of."""
    stub.status, stub.answer = 429, LIMITED
    await page.goto(stub.shop)
    await start(page)
    await expect(page.get_by_role("alert")).to_be_visible()
    stub.status, stub.answer = 201, None
    await start(page)

    await expect(page.locator("iframe")).to_be_visible()
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_a_problem_with_a_fallback(page: Page, stub: Stub) -> None:
    """Where the broker names another way to buy, the buyer goes there."""
    fallback = f"{stub.broker}/fallback"
    stub.status, stub.answer = 503, {**LIMITED, "status": 503, "fallbackUrl": fallback}
    await page.goto(stub.shop)
    await start(page)

    await page.wait_for_url(fallback)


async def test_a_script_address_is_never_followed(page: Page, stub: Stub) -> None:
    """Only web addresses are followed, whoever named them."""
    stub.status, stub.answer = 503, {**LIMITED, "fallbackUrl": "javascript:window.run=1"}
    stub.policy = "script-src * 'unsafe-inline'"
    await page.goto(stub.shop)
    await start(page)
    await outcome(page)

    assert f"{stub.shop}/" == page.url
    assert None is await page.evaluate("() => window.run")


async def test_no_connection(page: Page, stub: Stub) -> None:
    """A broker that hangs up is a problem in words of our own, in the page's language."""
    stub.hang_up = True
    await page.goto(stub.shop)
    await page.evaluate("() => { document.documentElement.lang = 'de'; }")
    await start(page)

    await expect(page.get_by_role("alert")).to_contain_text("Die Kasse ist nicht erreichbar.")
    assert "problem" == (await outcome(page))["outcome"]


async def test_a_silent_broker(page: Page, stub: Stub) -> None:
    """A broker that never answers is given up on after fifteen seconds."""
    await page.route("**/checkout", lambda route: None)
    await page.clock.install()
    await page.goto(stub.shop)
    async with page.expect_request("**/checkout"):
        await start(page)
    await page.clock.run_for(15_100)

    await expect(page.get_by_role("alert")).to_contain_text("The checkout cannot be reached.")


@pytest.mark.parametrize("answer", [{}, {"message": "bad gateway"}])
@pytest.mark.parametrize("status", [200, 502])
async def test_an_answer_that_is_not_ours(page: Page, stub: Stub, answer: dict[str, object], status: int) -> None:
    """JSON from something else between us and the buyer is told as an unreachable checkout."""
    stub.status, stub.answer = status, answer
    await page.goto(stub.shop)
    await start(page)

    await expect(page.get_by_role("alert")).to_contain_text("The checkout cannot be reached.")


async def test_return_url(page: Page, stub: Stub) -> None:
    """After a purchase the buyer goes to the return address that was asked for."""
    await page.goto(stub.shop)
    await start(page, returnUrl=f"{stub.shop}/thanks", cancelUrl=f"{stub.shop}/cart")
    await press(page, "#pay")

    await page.wait_for_url(f"{stub.shop}/thanks")


async def test_cancel_url(page: Page, stub: Stub) -> None:
    """After a close without an order the buyer goes to the cancel address that was asked for."""
    await page.goto(stub.shop)
    await start(page, returnUrl=f"{stub.shop}/thanks", cancelUrl=f"{stub.shop}/cart")
    await press(page, "#cancel")

    await page.wait_for_url(f"{stub.shop}/cart")


async def test_a_return_url_that_only_the_broker_knows(page: Page, stub: Stub) -> None:
    """A return address that came with a quote is asked from the broker, with the same buyer key."""
    stub.record = {"reference": REFERENCE, "state": "completed", "returnUrl": f"{stub.shop}/quoted"}
    await page.goto(stub.shop)
    await start(page)
    await press(page, "#pay")
    await page.wait_for_url(f"{stub.shop}/quoted")

    (asked,) = [call for call in stub.calls if call.path == f"/checkout/{REFERENCE}"]
    assert stub.posts()[0].headers["buyer-key"] == asked.headers["buyer-key"]
