"""Customers for the store's own server: look up, list, create, change, and their tokens."""

from http import HTTPStatus

from litestar import Controller, Response, delete, get, patch, post
from litestar.params import FromPath

from service.sandbox.bodies import PlainRequest, response
from service.sandbox.paynow.access import MANAGED
from service.sandbox.paynow.account import PayNowDependency
from service.sandbox.paynow.customers import LOOKUPS, CustomerRequest, given
from service.sandbox.paynow.listing import page_of
from service.sandbox.paynow.reading import body_of, only_parameter
from service.sandbox.refusal import RefusalError


class CustomerRoutes(Controller):
    path = "/v1/stores/{store_id:str}/customers"
    dependencies = MANAGED

    @get("/lookup")
    async def look_up(self, request: PlainRequest, paynow: PayNowDependency) -> Response[bytes]:
        lookup, value = only_parameter(request.query_params, tuple(LOOKUPS))
        customer = paynow.customer_by(lookup, value)
        if customer is None:
            raise RefusalError(HTTPStatus.NOT_FOUND, "Customer not found")
        return response(customer)

    @get()
    async def page(self, request: PlainRequest, paynow: PayNowDependency) -> Response[bytes]:
        query = request.query_params
        search, wanted = query.get("search", ""), query.get("customer_id")
        customers = [customer for customer in paynow.customers.values() if customer.shows(search)]
        return response(page_of([customer for customer in customers if wanted in (None, customer.id)], query))

    @post(status_code=HTTPStatus.OK)
    async def create(self, request: PlainRequest, paynow: PayNowDependency) -> Response[bytes]:
        return response(paynow.add_customer(given(await body_of(request, CustomerRequest))))

    @patch("/{customer_id:str}")
    async def change(
        self, customer_id: FromPath[str], request: PlainRequest, paynow: PayNowDependency
    ) -> Response[bytes]:
        members = given(await body_of(request, CustomerRequest))
        return response(paynow.change_customer(paynow.customer(customer_id), members))

    @post("/{customer_id:str}/tokens", status_code=HTTPStatus.OK)
    async def new_token(self, customer_id: FromPath[str], paynow: PayNowDependency) -> Response[bytes]:
        return response({"token": paynow.new_token(paynow.customer(customer_id))})

    @delete("/{customer_id:str}/tokens")
    async def end_tokens(self, customer_id: FromPath[str], paynow: PayNowDependency) -> None:
        paynow.end_tokens(paynow.customer(customer_id))
