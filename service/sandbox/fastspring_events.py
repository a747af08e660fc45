"""FastSpring's events API: what was not acknowledged yet can be fetched, and marked as processed."""

from http import HTTPStatus

from litestar import Controller, Response, get, post
from litestar.params import FromPath
from msgspec import Struct

from service.sandbox.access import is_seller, require_user_agent
from service.sandbox.bodies import PlainRequest, body_as, response
from service.sandbox.fastspring.account import DEPENDENCIES, FastSpring, FastSpringDependency
from service.sandbox.fastspring.events import folded
from service.sandbox.fastspring.sender import mark_processed
from service.sandbox.fastspring_v1 import refused
from service.sandbox.provider import ProviderSandbox
from service.sandbox.refusal import RefusalError


class Mark(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    processed: bool = True


class Marks(Struct, frozen=True, forbid_unknown_fields=True):
    events: list[Mark]


class EventRoutes(Controller):
    path = "/events"
    dependencies = DEPENDENCIES

    @get("/unprocessed")
    async def unprocessed(self, request: PlainRequest, fastspring: FastSpringDependency) -> Response[bytes]:
        require_seller(request, fastspring)
        events = [folded(event) for event in fastspring.events if not event["processed"]]
        return response({"action": "events.getall", "result": "success", "more": False, "events": events})

    @post(status_code=HTTPStatus.OK)
    async def mark(self, request: PlainRequest, fastspring: FastSpringDependency) -> Response[bytes]:
        require_seller(request, fastspring)
        marks = await body_as(request, Marks)
        known = mark_processed(fastspring, [mark.id for mark in marks.events if mark.processed])
        return response({"events": [{"id": event_id, "result": "success"} for event_id in known]})

    @post("/{event_id:str}", status_code=HTTPStatus.OK)
    async def mark_one(
        self, event_id: FromPath[str], request: PlainRequest, fastspring: FastSpringDependency
    ) -> Response[bytes]:
        require_seller(request, fastspring)
        if not mark_processed(fastspring, [event_id]):
            raise RefusalError(HTTPStatus.NOT_FOUND, "event not found")
        return response({"id": event_id, "processed": True})


def require_seller(request: PlainRequest, fastspring: FastSpring) -> None:
    require_user_agent(request.headers)
    if not is_seller(request.headers, fastspring.world.credentials):
        raise RefusalError(HTTPStatus.UNAUTHORIZED, "Authentication is required")


SANDBOX = ProviderSandbox(name="fastspring_events", api_prefixes=("/events",), handlers=(EventRoutes,), refused=refused)
