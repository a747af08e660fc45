"""What browsers see: the hosted checkout page and a stand-in of the Store Builder Library."""

from collections.abc import Callable
from decimal import Decimal
from http import HTTPStatus

from litestar import Controller, Response, get, post
from litestar.params import FromPath
from msgspec import Struct

from service.sandbox.assets import asset
from service.sandbox.bodies import PlainRequest, body_as, response
from service.sandbox.documents import Document
from service.sandbox.fastspring.account import DEPENDENCIES, FastSpring, FastSpringDependency
from service.sandbox.fastspring.orders import Outcome, Payment, pay
from service.sandbox.fastspring.payment_methods import DESCRIPTIONS, offered
from service.sandbox.fastspring.pricing import Line
from service.sandbox.fastspring.sender import send_if_automatic
from service.sandbox.fastspring.sessions import CheckoutSession
from service.sandbox.money import display

OUTCOME_BY_METHOD: dict[str, Outcome] = {"WIRE": "pending"}


class Choice(Struct, frozen=True, forbid_unknown_fields=True):
    method: str = "CARD"


class HostedPages(Controller):
    dependencies = DEPENDENCIES

    @get(["/checkout/session/{session_id:str}", "/session/{session_id:str}"])
    async def page(self, session_id: FromPath[str], fastspring: FastSpringDependency) -> Response[bytes]:
        status = HTTPStatus.OK if session_id in fastspring.sessions else HTTPStatus.NOT_FOUND
        return asset("checkout.html", status)

    @get("/checkout/session/{session_id:str}/state")
    async def state(self, session_id: FromPath[str], fastspring: FastSpringDependency) -> Response[bytes]:
        return response(view(fastspring, fastspring.session(session_id)))

    @post("/checkout/session/{session_id:str}/pay", status_code=HTTPStatus.OK)
    async def pay(
        self, session_id: FromPath[str], request: PlainRequest, fastspring: FastSpringDependency
    ) -> Response[bytes]:
        method = (await body_as(request, Choice)).method
        session = fastspring.session(session_id)
        fastspring.require_open(session)
        payment = Payment(method=method, outcome=OUTCOME_BY_METHOD.get(method, "paid"))
        paid, event = pay(fastspring, session, payment)
        await send_if_automatic(fastspring, event)
        return response(view(fastspring, paid))

    @get("/checkout/assets/{name:str}")
    async def asset(self, name: FromPath[str]) -> Response[bytes]:
        return asset(name, HTTPStatus.OK)

    @get("/sbl/{version:str}/fastspring-builder.min.js")
    async def builder(self) -> Response[bytes]:
        return asset("fastspring-builder.js", HTTPStatus.OK)


def view(fastspring: FastSpring, session: CheckoutSession) -> Document:
    how, cart = session.applied, session.cart

    def shown(amount: Decimal) -> str:
        return display(amount, how.currency, how.locale)

    methods = offered(session.request, how.country)
    return {
        "id": session.id,
        "store": session.store,
        "status": session.status(fastspring.now),
        "language": how.locale,
        "country": how.country,
        "currency": how.currency,
        "live": how.live,
        "items": [line_view(line, shown) for line in cart.lines],
        "subtotal": shown(cart.list_total),
        "discount": shown(cart.coupon_discount + cart.product_discount),
        "discounted": bool(cart.coupon_discount + cart.product_discount),
        "tax": shown(cart.tax_total),
        "taxPercent": how.tax_percent,
        "taxIncluded": how.tax_included,
        "total": shown(cart.to_pay),
        "email": session.email,
        "paymentMethods": [{"id": method, "name": DESCRIPTIONS.get(method, method)} for method in methods],
        "order": session.order and {"id": session.order.id, "reference": session.order.reference},
    }


def line_view(line: Line, shown: Callable[[Decimal], str]) -> Document:
    name = line.item.product_path if line.product is None else line.product.name
    summary = "" if line.product is None else line.product.summary
    return {
        "name": name,
        "summary": summary,
        "quantity": line.item.quantity,
        "total": shown(line.extended_list),
    }
