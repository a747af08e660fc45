"""The sandbox as one application: every provider found beside this module, and routes to control it."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from http import HTTPStatus
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, TypeAlias

from litestar import Litestar, Response
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.types import ControllerRouterHandler, Scope

from service.sandbox.bodies import PlainRequest, response
from service.sandbox.clock import utc_now
from service.sandbox.control import ControlRoutes
from service.sandbox.gate import Gate
from service.sandbox.misbehaviour import KINDS
from service.sandbox.provider import ProviderSandbox, provider_for
from service.sandbox.refusal import RefusalError
from service.sandbox.world import Credentials, Setup, World

Handler: TypeAlias = Callable[[PlainRequest, Any], Response[bytes]]  # Any: each handler has its own exception
log = logging.getLogger(__name__)
PACKAGE = "service.sandbox"


def create_sandbox(
    *,
    clock: Callable[[], datetime] = utc_now,
    public_url: str | None = None,
    credentials: Sequence[Credentials] = (("sandbox", "sandbox"),),
    settings: Sequence[object] = (),
    extra_handlers: Sequence[ControllerRouterHandler] = (),
) -> Litestar:
    """`public_url` is where browsers find it (default: where a request came to)."""
    providers = discover()
    kinds = KINDS.union(*(provider.lies for provider in providers))
    setup = Setup(clock=clock, public_url=public_url, credentials=credentials, settings=settings, fault_kinds=kinds)
    return application(World(setup), providers, extra_handlers)


def discover() -> list[ProviderSandbox]:
    names = [module.name for module in iter_modules([str(Path(__file__).parent)]) if not module.ispkg]
    found = (getattr(import_module(f"{PACKAGE}.{name}"), "SANDBOX", None) for name in sorted(names))
    return [sandbox for sandbox in found if isinstance(sandbox, ProviderSandbox)]


def application(
    world: World, providers: Sequence[ProviderSandbox], extra_handlers: Sequence[ControllerRouterHandler]
) -> Litestar:
    handlers = [handler for provider in providers for handler in provider.handlers]
    app = Litestar(
        [ControlRoutes, *handlers, *extra_handlers],
        dependencies={"world": Provide(lambda: world, sync_to_thread=False)},
        exception_handlers=exception_handlers(world, providers),
        after_exception=[log_unexpected],
        logging_config=None,  # the default would take over the logging of a process that only hosts the sandbox
        openapi_config=None,
    )
    # The framework's own middleware comes after routing and never sees a request to an unknown path.
    app.asgi_handler = Gate(app.asgi_handler, world, providers)
    return app


def exception_handlers(world: World, providers: Sequence[ProviderSandbox]) -> dict[int | type[Exception], Handler]:
    def refused(request: PlainRequest, refusal: RefusalError) -> Response[bytes]:
        provider = provider_for(request.scope["path"], providers)
        if provider is None:
            return response({"message": refusal.message}, refusal.status)
        answer = provider.refused(world, refusal)
        return Response(answer.body, status_code=answer.status, headers=dict(answer.headers))

    def refused_by_router(request: PlainRequest, error: HTTPException) -> Response[bytes]:
        return refused(request, RefusalError(HTTPStatus(error.status_code), error.detail))

    return {RefusalError: refused, HTTPException: refused_by_router}


def log_unexpected(error: Exception, _: Scope) -> None:
    if not isinstance(error, RefusalError | HTTPException):
        log.error("The sandbox itself failed", exc_info=error)
