"""Orders, which are the only way to ask what became of a checkout."""

from typing import get_args

from litestar import Controller, Response, get
from litestar.datastructures import MultiDict

from service.sandbox.bodies import PlainRequest, response
from service.sandbox.paynow.access import MANAGED
from service.sandbox.paynow.account import PayNowDependency
from service.sandbox.paynow.listing import page_of
from service.sandbox.paynow.orders import Order, OrderStatus, order_document
from service.sandbox.refusal import bad_field


class OrderRoutes(Controller):
    path = "/v1/stores/{store_id:str}/orders"
    dependencies = MANAGED

    @get()
    async def page(self, request: PlainRequest, paynow: PayNowDependency) -> Response[bytes]:
        query = request.query_params
        if query.get("status") not in (None, *get_args(OrderStatus)):
            raise bad_field("status", "No such status", value=query["status"])
        orders = [order for order in paynow.order_by_checkout.values() if is_wanted(order, query)]
        return response([order_document(order) for order in page_of(orders, query)])


def is_wanted(order: Order, query: MultiDict[str]) -> bool:
    members = {
        "checkout_id": order.checkout.id,
        "customer_id": order.checkout.request.customer_id,
        "status": order.status,
        "billing_email": order.checkout.billing_email,
    }
    return all(query.get(name) in (None, value) for name, value in members.items())
