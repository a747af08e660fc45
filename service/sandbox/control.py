"""The hand on the sandbox: faults, clock, credentials, requests seen, reset. Reachable on loopback only."""

from http import HTTPStatus

from litestar import Controller, Response, delete, get, post, put
from msgspec import Struct

from service.sandbox.bodies import PlainRequest, body_as, response
from service.sandbox.clock import iso_milliseconds
from service.sandbox.documents import Document
from service.sandbox.faults import Fault
from service.sandbox.refusal import RefusalError
from service.sandbox.world import Credentials, World, WorldDependency


class ClockChange(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    advance_seconds: float


class ControlRoutes(Controller):
    path = "/_sandbox"

    @get("/faults")
    async def faults(self, world: WorldDependency) -> Response[bytes]:
        return response([{"fault": armed.fault, "used": armed.used} for armed in world.faults.armed])

    @put("/faults")
    async def set_faults(self, request: PlainRequest, world: WorldDependency) -> Response[bytes]:
        faults = await body_as(request, list[Fault])
        require_known_kinds(faults, world)
        world.faults.set(faults)
        return response(faults)

    @delete("/faults")
    async def clear_faults(self, world: WorldDependency) -> None:
        world.faults.set([])

    @get("/clock")
    async def clock(self, world: WorldDependency) -> Response[bytes]:
        return response(now(world))

    @post("/clock", status_code=HTTPStatus.OK)
    async def advance_clock(self, request: PlainRequest, world: WorldDependency) -> Response[bytes]:
        world.clock.advance((await body_as(request, ClockChange)).advance_seconds)
        return response(now(world))

    @put("/credentials")
    async def set_credentials(self, request: PlainRequest, world: WorldDependency) -> Response[bytes]:
        world.credentials = await body_as(request, list[Credentials])
        return response({"accepted": len(world.credentials)})

    @get("/requests")
    async def requests(self, world: WorldDependency) -> Response[bytes]:
        return response(world.requests.all())

    @delete("/requests")
    async def clear_requests(self, world: WorldDependency) -> None:
        world.requests.clear()

    @post("/reset", status_code=HTTPStatus.NO_CONTENT)
    async def reset(self, world: WorldDependency) -> None:
        world.reset()


def now(world: World) -> Document:
    return {"now": iso_milliseconds(world.clock.now())}


def require_known_kinds(faults: list[Fault], world: World) -> None:
    unknown = sorted({fault.kind for fault in faults} - world.fault_kinds)
    if unknown:
        known = ", ".join(sorted(world.fault_kinds))
        raise RefusalError(HTTPStatus.BAD_REQUEST, f"No such kind of fault: {', '.join(unknown)}. Known: {known}")
