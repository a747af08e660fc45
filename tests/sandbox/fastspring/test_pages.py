"""The hosted checkout page and the builder's script, without a browser."""

import httpx
import pytest

SESSIONS = "/v2/checkouts/acme/popup-checkout/sessions"


@pytest.fixture
async def session_id(seller: httpx.AsyncClient) -> str:
    cart = {"couponCode": "SPRING10", "lineItems": [{"productPath": "pro-license", "quantity": 2}]}
    answer = await seller.post(SESSIONS, json={"country": "DE", "locale": "de", "cart": cart})
    return str(answer.json()["id"])


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/checkout/assets/checkout.css", "text/css; charset=utf-8"),
        ("/checkout/assets/checkout.js", "text/javascript; charset=utf-8"),
        ("/checkout/assets/icon.svg", "image/svg+xml"),
        ("/sbl/1.0.3/fastspring-builder.min.js", "text/javascript; charset=utf-8"),
    ],
)
async def test_assets(buyer: httpx.AsyncClient, path: str, media_type: str) -> None:
    """Scripts and styles come with their type."""
    assert media_type == (await buyer.get(path)).headers["content-type"]


@pytest.mark.parametrize("name", ["none.css", "..%2Fapp.py", "checkout"])
async def test_no_other_files(buyer: httpx.AsyncClient, name: str) -> None:
    """Only the page's own files can be had."""
    assert 404 == (await buyer.get(f"/checkout/assets/{name}")).status_code


async def test_page_is_strict_and_self_contained(buyer: httpx.AsyncClient, session_id: str) -> None:
    """The page forbids inline script and anything from elsewhere, and needs neither."""
    answer = await buyer.get(f"/checkout/session/{session_id}")

    assert "default-src 'none'; script-src 'self'; style-src 'self'" in answer.headers["content-security-policy"]
    assert not [word for word in ("http://", "https://", "onclick", "style=") if word in answer.text]


async def test_page_of_an_unknown_session(buyer: httpx.AsyncClient) -> None:
    """There is a page for a session that does not exist, with a status that says so."""
    assert [404, 404] == [
        (await buyer.get(path)).status_code for path in ("/checkout/session/OS1", "/checkout/session/OS1/state")
    ]


async def test_state(buyer: httpx.AsyncClient, session_id: str) -> None:
    """What the page shows is in the buyer's language and currency."""
    state = (await buyer.get(f"/checkout/session/{session_id}/state")).json()

    assert {
        "status": "OPEN",
        "country": "DE",
        "live": True,
        "subtotal": "90,00 €",
        "discount": "9,00 €",
        "tax": "12,93 €",
        "total": "81,00 €",
        "order": None,
    }.items() <= state.items()


@pytest.mark.parametrize(("method", "status"), [("CARD", "COMPLETED"), ("WIRE", "PENDING_ORDER")])
async def test_pay(buyer: httpx.AsyncClient, session_id: str, method: str, status: str) -> None:
    """Paying makes an order, at once or, by wire, pending; it cannot be done twice."""
    path = f"/checkout/session/{session_id}/pay"
    first, second = [await buyer.post(path, json={"method": method}) for _ in range(2)]

    assert (status, 400) == (first.json()["status"], second.status_code)
    assert first.json()["order"]["reference"].startswith("ACME260101-")


async def test_expired_session_cannot_be_paid_by_its_page(buyer: httpx.AsyncClient, session_id: str) -> None:
    """The page of an expired session takes no payment."""
    await buyer.post("/_sandbox/clock", json={"advanceSeconds": 24 * 3600})
    answer = await buyer.post(f"/checkout/session/{session_id}/pay", json={})

    assert (400, "Session is EXPIRED") == (answer.status_code, answer.json()["message"])
