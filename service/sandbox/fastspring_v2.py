"""FastSpring's Sessions API v2: its eight routes, and the pages that go with them."""

from http import HTTPStatus

from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, SkipValidation
from msgspec import structs

from service.sandbox.bodies import response
from service.sandbox.clock import iso_milliseconds
from service.sandbox.documents import Document, encoded
from service.sandbox.fastspring import restricted
from service.sandbox.fastspring.account import DEPENDENCIES
from service.sandbox.fastspring.answers import customer_document, line_document
from service.sandbox.fastspring.control import FastSpringControl
from service.sandbox.fastspring.lies import LIES
from service.sandbox.fastspring.pages import HostedPages
from service.sandbox.fastspring.sessions import CheckoutSession, dated_id
from service.sandbox.fastspring.validation import check_customer, check_item, converted, session_request
from service.sandbox.fastspring.visit import Visit, visit_of
from service.sandbox.fastspring.wire import Customer, Item
from service.sandbox.provider import Answer, ProviderSandbox
from service.sandbox.refusal import RefusalError, bad_field
from service.sandbox.world import World

PREFIX = "/v2/checkouts/{store:str}/{checkout:str}/sessions"

VISITING = {**DEPENDENCIES, "visit": Provide(visit_of)}
VisitDependency = NamedDependency[SkipValidation[Visit]]


class SessionRoutes(Controller):
    path = PREFIX
    dependencies = VISITING

    @post()
    async def create(self, visit: VisitDependency) -> Response[bytes]:
        request = session_request(visit.allowed(restricted.in_session))
        visit.require_contact(request)
        session = visit.fastspring.create(request, store=visit.store, checkout=visit.checkout, url_of=visit.hosted_url)
        return response(visit.shown(session), HTTPStatus.CREATED)

    @get("/{session_id:str}")
    async def retrieve(self, session_id: FromPath[str], visit: VisitDependency) -> Response[bytes]:
        return response(visit.shown_with_payment_lists(visit.session(session_id)))

    @put("/{session_id:str}")
    async def update(self, session_id: FromPath[str], visit: VisitDependency) -> Response[bytes]:
        session = visit.session(session_id)
        request = session_request(visit.allowed(restricted.in_session))
        return response(visit.shown_with_payment_lists(visit.fastspring.change(session, request)))

    @get("/{session_id:str}/payment-methods")
    async def payment_methods(self, session_id: FromPath[str], visit: VisitDependency) -> Response[bytes]:
        lists = visit.payment_lists(visit.session(session_id))
        return response({"paymentMethods": lists["paymentMethods"]})

    @put("/{session_id:str}/customer")
    async def update_customer(self, session_id: FromPath[str], visit: VisitDependency) -> Response[bytes]:
        customer = converted(visit.allowed(restricted.in_customer), Customer)
        check_customer(customer, "customer")
        session = visit.session(session_id)
        changed = visit.fastspring.change(session, structs.replace(session.request, customer=customer))
        return response(customer_document(changed, to_seller=visit.is_seller))


class ItemRoutes(Controller):
    path = f"{PREFIX}/{{session_id:str}}/cart/items"
    dependencies = VISITING

    @post(status_code=HTTPStatus.OK)
    async def add(self, session_id: FromPath[str], visit: VisitDependency) -> Response[bytes]:
        session = visit.session(session_id)
        item = converted(visit.allowed(restricted.in_item), Item)
        check_item(item, "")
        if item.product_path in paths(session):
            raise bad_field("productPath", "Item exists", value=item.product_path)
        changed = with_items(visit, session, [*session.request.cart.line_items, item])
        return response(calculated(changed, [item.product_path])[0])

    @put("/{product_paths:str}")
    async def update(
        self, session_id: FromPath[str], product_paths: FromPath[str], visit: VisitDependency
    ) -> Response[bytes]:
        session, wanted = visit.session(session_id), product_paths.split(",")
        require_in_cart(session, wanted)
        document = visit.allowed(restricted.in_item)
        if document.get("productPath", wanted[0]) not in wanted:
            raise bad_field("productPath", "Not the product of the path", value=document["productPath"])
        items = [replaced(item, document, wanted) for item in session.request.cart.line_items]
        lines = calculated(with_items(visit, session, items), wanted)
        return response(lines[0] if len(wanted) == 1 else lines)

    @delete("/{product_path:str}")
    async def remove(self, session_id: FromPath[str], product_path: FromPath[str], visit: VisitDependency) -> None:
        session = visit.session(session_id)
        require_in_cart(session, [product_path])
        kept = [item for item in session.request.cart.line_items if item.product_path != product_path]
        with_items(visit, session, kept)


def paths(session: CheckoutSession) -> list[str]:
    return [item.product_path for item in session.request.cart.line_items]


def require_in_cart(session: CheckoutSession, wanted: list[str]) -> None:
    for path in wanted:
        if path not in paths(session):
            raise bad_field("productPath", "Product is not in the cart", code="PRODUCT_NOT_FOUND", value=path)


def replaced(item: Item, document: Document, wanted: list[str]) -> Item:
    """The item is replaced, not merged: what the update leaves out is gone."""
    if item.product_path not in wanted:
        return item
    update = converted({**document, "productPath": item.product_path}, Item)
    check_item(update, "")
    return update


def with_items(visit: Visit, session: CheckoutSession, items: list[Item]) -> CheckoutSession:
    cart = structs.replace(session.request.cart, line_items=items)
    return visit.fastspring.change(session, structs.replace(session.request, cart=cart))


def calculated(session: CheckoutSession, wanted: list[str]) -> list[Document]:
    lines = {line.item.product_path: line for line in session.cart.lines}
    return [line_document(lines[path], session.applied) for path in wanted]


def refused(world: World, refusal: RefusalError) -> Answer:
    now = world.clock.now()
    document = {
        "status": f"{refusal.status.value} {refusal.status.name}",
        "timestamp": iso_milliseconds(now),
        "id": dated_id("FS", now),
        "message": refusal.message,
        "errors": refusal.errors,
    }
    return Answer(refusal.status, encoded(document))


SANDBOX = ProviderSandbox(
    name="fastspring_v2",
    api_prefixes=("/v2/",),
    handlers=(SessionRoutes, ItemRoutes, HostedPages, FastSpringControl),
    refused=refused,
    lies=LIES,
)
