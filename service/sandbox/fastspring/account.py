"""One FastSpring seller account: its settings, sessions, buyers and the events that happened."""

from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus

from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation
from msgspec import UNSET, structs

from service.sandbox.documents import Document
from service.sandbox.fastspring.applied import applied
from service.sandbox.fastspring.pricing import priced
from service.sandbox.fastspring.sessions import CheckoutSession, SessionStatus, dated_id, short_id
from service.sandbox.fastspring.settings import CheckoutSettings, FastSpringSettings
from service.sandbox.fastspring.wire import SessionRequest
from service.sandbox.refusal import RefusalError
from service.sandbox.world import Part, World, WorldDependency

LIFETIME = timedelta(hours=24)
KEPT_SESSIONS = 100_000


class FastSpring(Part):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.settings = world.setting(FastSpringSettings())
        self.sessions: dict[str, CheckoutSession] = {}
        self.events: list[Document] = []
        self.account_by_email: dict[str, str] = {}
        self.country_by_account = dict(self.settings.accounts)

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    def create(  # noqa: PLR0913 - all but the request go by name
        self,
        request: SessionRequest,
        *,
        store: str,
        checkout: str,
        url_of: Callable[[str], str],
        new_id: str | None = None,
        lifetime: timedelta = LIFETIME,
    ) -> CheckoutSession:
        how = applied(request, self.settings.checkout(store, checkout), self.settings)
        session_id = new_id or dated_id("OS", self.now)
        session = CheckoutSession(
            id=session_id,
            store=store,
            checkout=checkout,
            url=url_of(session_id),
            created=self.now,
            expires=self.now + lifetime,
            request=request,
            applied=how,
            cart=priced(request.cart.line_items, how, self.settings),
            account=self.account_of(request, how.country),
        )
        return self.keep(session)

    def change(self, session: CheckoutSession, request: SessionRequest) -> CheckoutSession:
        """The whole session is worked out anew; its id, dates and URL stay."""
        self.require_open(session)
        how = applied(request, self.checkout_settings(session), self.settings)
        cart = priced(request.cart.line_items, how, self.settings)
        account = self.account_of(request, how.country)
        return self.keep(structs.replace(session, request=request, applied=how, cart=cart, account=account))

    def keep(self, session: CheckoutSession) -> CheckoutSession:
        self.sessions[session.id] = session
        if len(self.sessions) > KEPT_SESSIONS:
            self.sessions.pop(next(iter(self.sessions)))
        return session

    def session(self, session_id: str) -> CheckoutSession:
        session = self.sessions.get(session_id)
        if session is None:
            raise RefusalError(HTTPStatus.NOT_FOUND, "Session not found")
        return session

    def require_open(self, session: CheckoutSession) -> None:
        status = session.status(self.now)
        if status is not SessionStatus.OPEN:
            raise RefusalError(HTTPStatus.BAD_REQUEST, f"Session is {status}")

    def checkout_settings(self, session: CheckoutSession) -> CheckoutSettings:
        return self.settings.checkout(session.store, session.checkout)

    def account_of(self, request: SessionRequest, country: str) -> str:
        """A buyer's account is known by its id, else by its e-mail, else made."""
        customer = request.customer
        contact = customer.bill_to_contact
        email = "" if contact is UNSET or contact.email is UNSET else contact.email
        account = short_id() if customer.account_id is UNSET else customer.account_id
        if email:
            account = self.account_by_email.setdefault(email, account)
            self.country_by_account.setdefault(account, country)
        return account


def account_in(world: WorldDependency) -> FastSpring:
    return world.part(FastSpring)


FastSpringDependency = NamedDependency[SkipValidation[FastSpring]]
DEPENDENCIES = {"fastspring": Provide(account_in, sync_to_thread=False)}
