"""One call of the v2 API after the checks that every route makes: user agent, credentials, checkout, body."""

from collections.abc import Callable
from http import HTTPMethod, HTTPStatus

from litestar.params import FromPath
from msgspec import UNSET, Struct

from service.sandbox.access import is_seller, require_user_agent
from service.sandbox.bodies import PlainRequest
from service.sandbox.documents import Document
from service.sandbox.fastspring import restricted
from service.sandbox.fastspring.account import FastSpring, FastSpringDependency
from service.sandbox.fastspring.answers import payment_lists, session_document
from service.sandbox.fastspring.sessions import CheckoutSession
from service.sandbox.fastspring.validation import document_of
from service.sandbox.fastspring.wire import SessionRequest
from service.sandbox.refusal import RefusalError

SESSION_ID_LENGTH = 64


class Visit(Struct, frozen=True, kw_only=True):
    """`is_seller`: came with accepted credentials; without any it is a buyer's browser."""

    fastspring: FastSpring
    store: str
    checkout: str
    is_seller: bool
    document: Document
    base_url: str

    def hosted_url(self, session_id: str) -> str:
        return f"{self.base_url}/checkout/session/{session_id}"

    def session(self, session_id: str) -> CheckoutSession:
        if len(session_id) > SESSION_ID_LENGTH or not session_id.isalnum():
            raise RefusalError(HTTPStatus.BAD_REQUEST, "Invalid session id")
        session = self.fastspring.session(session_id)
        if (session.store, session.checkout) != (self.store, self.checkout):
            raise RefusalError(HTTPStatus.NOT_FOUND, "Session not found")
        return session

    def allowed(self, restricted_in: Callable[[Document], list[str]]) -> Document:
        """The body; from anybody but the seller without, or refused for, the seller's own members."""
        found = [] if self.is_seller else restricted_in(self.document)
        if found and self.fastspring.settings.restricted_without_auth == "refuse":
            raise RefusalError(HTTPStatus.UNAUTHORIZED, f"Authentication is required for {', '.join(found)}")
        return restricted.without(self.document, found)

    def require_contact(self, request: SessionRequest) -> None:
        checkout = self.fastspring.settings.checkout(self.store, self.checkout)
        contact, account = request.customer.bill_to_contact, request.customer.account_id
        if checkout.contact_required and account is UNSET and (contact is UNSET or contact.email is UNSET):
            raise RefusalError(HTTPStatus.BAD_REQUEST, "Purchaser account or contact required")

    def shown(self, session: CheckoutSession) -> Document:
        return session_document(session, self.fastspring.now, to_seller=self.is_seller)

    def shown_with_payment_lists(self, session: CheckoutSession) -> Document:
        return {**self.shown(session), **self.payment_lists(session)}

    def payment_lists(self, session: CheckoutSession) -> Document:
        return payment_lists(session, lower_case=self.fastspring.settings.lower_case_payment_methods)


async def visit_of(
    request: PlainRequest, fastspring: FastSpringDependency, store: FromPath[str], checkout: FromPath[str]
) -> Visit:
    require_user_agent(request.headers)
    seller = is_seller(request.headers, fastspring.world.credentials)
    if not fastspring.settings.checkout(store, checkout).exists:
        raise RefusalError(HTTPStatus.NOT_FOUND, "Checkout not found")
    return Visit(
        fastspring=fastspring,
        store=store,
        checkout=checkout,
        is_seller=seller,
        document=await body_of(request),
        base_url=fastspring.world.public_url or str(request.base_url).rstrip("/"),
    )


async def body_of(request: PlainRequest) -> Document:
    if request.method not in (HTTPMethod.POST, HTTPMethod.PUT):
        return {}
    if "content-type" not in request.headers:
        raise RefusalError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "A Content-Type header is required")
    return document_of(await request.body())
