"""The hand on the played FastSpring: settings, sessions, payments without a browser, webhooks."""

from http import HTTPStatus

from litestar import Controller, Response, get, post, put
from litestar.params import FromPath
from msgspec import structs

from service.sandbox.bodies import PlainRequest, body_as, response
from service.sandbox.fastspring.account import DEPENDENCIES, FastSpringDependency
from service.sandbox.fastspring.answers import session_document
from service.sandbox.fastspring.orders import Payment, pay
from service.sandbox.fastspring.sender import Delivery, deliver, send_if_automatic
from service.sandbox.fastspring.settings import FastSpringSettings, WebhookTarget


class FastSpringControl(Controller):
    path = "/_sandbox"
    dependencies = DEPENDENCIES

    @get("/fastspring/settings")
    async def settings(self, fastspring: FastSpringDependency) -> Response[bytes]:
        return response(fastspring.settings)

    @put("/fastspring/settings")
    async def set_settings(self, request: PlainRequest, fastspring: FastSpringDependency) -> Response[bytes]:
        fastspring.settings = await body_as(request, FastSpringSettings)
        fastspring.country_by_account.update(fastspring.settings.accounts)
        return response(fastspring.settings)

    @get("/sessions")
    async def sessions(self, fastspring: FastSpringDependency) -> Response[bytes]:
        now = fastspring.now
        return response([session_document(session, now, to_seller=True) for session in fastspring.sessions.values()])

    @post("/sessions/{session_id:str}/pay", status_code=HTTPStatus.OK)
    async def pay(
        self, session_id: FromPath[str], request: PlainRequest, fastspring: FastSpringDependency
    ) -> Response[bytes]:
        payment = await body_as(request, Payment)
        session, event = pay(fastspring, fastspring.session(session_id), payment)
        receipts = await send_if_automatic(fastspring, event) if payment.send else []
        shown = session_document(session, fastspring.now, to_seller=True)
        return response({"session": shown, "order": session.order, "event": event, "deliveries": receipts})

    @get("/webhooks/fastspring/events")
    async def events(self, fastspring: FastSpringDependency) -> Response[bytes]:
        return response(fastspring.events)

    @put("/webhooks/fastspring/target")
    async def set_target(self, request: PlainRequest, fastspring: FastSpringDependency) -> Response[bytes]:
        target = await body_as(request, WebhookTarget)
        fastspring.settings = structs.replace(fastspring.settings, webhook=target)
        return response(target)

    @post("/webhooks/fastspring/deliveries", status_code=HTTPStatus.OK)
    async def deliver(self, request: PlainRequest, fastspring: FastSpringDependency) -> Response[bytes]:
        return response(await deliver(fastspring, await body_as(request, Delivery)))
