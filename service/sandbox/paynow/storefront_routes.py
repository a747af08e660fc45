"""The storefront API: a customer signs in, and makes a checkout with the token of that."""

from http import HTTPStatus

from litestar import Controller, Response, post

from service.sandbox.bodies import PlainRequest, response
from service.sandbox.paynow.access import SHOPPING, STORE_HEADER, ShopperDependency, require_store
from service.sandbox.paynow.account import DEPENDENCIES, PayNowDependency
from service.sandbox.paynow.creation import create, created
from service.sandbox.paynow.customers import identity, lookup_of
from service.sandbox.paynow.management import ManagementRequest
from service.sandbox.paynow.pages import hosted_url
from service.sandbox.paynow.reading import body_of, converted, document_of
from service.sandbox.paynow.wire import PlatformAccount, StorefrontRequest
from service.sandbox.refusal import bad_field


class StorefrontCheckouts(Controller):
    path = "/v1/checkouts"
    dependencies = SHOPPING

    @post(status_code=HTTPStatus.OK)
    async def create(
        self, request: PlainRequest, paynow: PayNowDependency, shopper: ShopperDependency
    ) -> Response[bytes]:
        document = await document_of(request)
        converted(document, StorefrontRequest)  # refuses what only the management call takes
        wanted = converted({**document, "customer_id": shopper.customer.id}, ManagementRequest)
        url_of = hosted_url(request, paynow)
        return response(created(create(paynow, wanted, url_of, ip=shopper.ip, country=shopper.country)))


class CustomerSignIn(Controller):
    path = "/v1/store/customer/auth"
    dependencies = DEPENDENCIES

    @post(status_code=HTTPStatus.OK)
    async def sign_in(self, request: PlainRequest, paynow: PayNowDependency) -> Response[bytes]:
        store = request.headers.get(STORE_HEADER)
        if store is None:
            raise bad_field(STORE_HEADER, "The header is required")
        require_store(paynow, store)
        lookup, value = lookup_of(await body_of(request, PlatformAccount), "id")
        customer = paynow.customer_by(lookup, value) or paynow.add_customer(identity(lookup, value))
        return response({"customer_token": paynow.new_token(customer)})
