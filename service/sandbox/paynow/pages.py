"""What browsers see: the hosted checkout page and a stand-in of PayNow.js."""

from collections.abc import Callable
from decimal import Decimal
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from litestar import Controller, Response, get, post

from service.sandbox.assets import asset
from service.sandbox.bodies import PlainRequest, response
from service.sandbox.documents import Document
from service.sandbox.money import EXPONENTS, display
from service.sandbox.paynow.account import DEPENDENCIES, PayNow, PayNowDependency
from service.sandbox.paynow.checkouts import Checkout
from service.sandbox.paynow.payments import Payment, pay
from service.sandbox.paynow.sender import send_if_automatic
from service.sandbox.refusal import RefusalError


def hosted_url(request: PlainRequest, paynow: PayNow) -> Callable[[str], str]:
    base = paynow.world.public_url or str(request.base_url).rstrip("/")
    return lambda token: f"{base}/paynow/?t={token}"


class HostedPages(Controller):
    dependencies = DEPENDENCIES

    @get("/paynow")
    async def page(self, request: PlainRequest, paynow: PayNowDependency) -> Response[bytes]:
        return asset("paynow.html", HTTPStatus.OK if checkout_of(request, paynow) else HTTPStatus.NOT_FOUND)

    @get("/paynow/state")
    async def state(self, request: PlainRequest, paynow: PayNowDependency) -> Response[bytes]:
        return response(view(paynow, known_checkout(request, paynow)))

    @post("/paynow/pay", status_code=HTTPStatus.OK)
    async def pay(self, request: PlainRequest, paynow: PayNowDependency) -> Response[bytes]:
        checkout = known_checkout(request, paynow)
        _, events = pay(paynow, checkout, Payment())
        await send_if_automatic(paynow, events)
        return response(view(paynow, checkout))

    @get("/paynow-js/bundle.js")
    async def script(self) -> Response[bytes]:
        return asset("paynow-bundle.js", HTTPStatus.OK)


def checkout_of(request: PlainRequest, paynow: PayNow) -> Checkout | None:
    token = request.query_params.get("t")
    return next((checkout for checkout in paynow.checkouts.values() if checkout.token == token), None)


def known_checkout(request: PlainRequest, paynow: PayNow) -> Checkout:
    checkout = checkout_of(request, paynow)
    if checkout is None:
        raise RefusalError(HTTPStatus.NOT_FOUND, "Checkout not found")
    return checkout


def view(paynow: PayNow, checkout: Checkout) -> Document:
    currency = paynow.settings.currency.upper()
    order = paynow.order_by_checkout.get(checkout.id)
    is_paid = order is not None and order.completed_at is not None

    def shown(amount: int) -> str:
        return display(Decimal(amount).scaleb(-EXPONENTS.get(currency, 2)), currency, "en")

    return {
        "store": "PayNow",
        "items": [
            {"name": line.name, "quantity": line.request.quantity, "total": shown(line.subtotal)}
            for line in checkout.lines
        ],
        "discounted": bool(checkout.discount),
        "discount": shown(checkout.discount),
        "total": shown(checkout.subtotal - checkout.discount),
        "order": {"id": order.id, "reference": order.pretty_id} if order and is_paid else None,
        "ended": order is not None and order.status != "created",
        "autoRedirect": bool(checkout.request.auto_redirect),
        "returnUrl": return_url(checkout, order.id if order else ""),
        "cancelUrl": web_url(checkout.request.cancel_url),
    }


def return_url(checkout: Checkout, order_id: str) -> str | None:
    """The shop's address with the ids of checkout and order."""
    url = web_url(checkout.request.return_url)
    if url is None:
        return None
    parts = urlsplit(url)
    added = urlencode({"checkout_id": checkout.id, "order_id": order_id})
    return parts._replace(query=f"{parts.query}&{added}" if parts.query else added).geturl()


def web_url(url: str | None) -> str | None:
    """An address that a page may lead to: never one that would run as a script."""
    return url if url is not None and urlsplit(url).scheme in {"http", "https"} else None
