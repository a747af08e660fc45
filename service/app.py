"""The composition root: settings → resources → the application; what opens, closes."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from service import __version__
from service.api.asker import named_address
from service.api.callers import Callers
from service.api.client_ip import ProxyTrust
from service.api.direct import Direct
from service.api.edge import Application, Edge
from service.api.health import metrics_for_callers, open_metrics, probes
from service.api.internal import internal
from service.api.listeners import Listeners
from service.api.openapi import document_of
from service.api.pages import Documents, documentation, explanations
from service.api.problems import of_checkout_error, of_http_exception, of_unexpected_error
from service.api.runtime import Current, Runtime
from service.api.sessions import sessions
from service.api.storefront import storefront
from service.checkout.changes import SessionChanges
from service.checkout.configured import Checkout
from service.checkout.errors import CheckoutError
from service.checkout.fingerprint import Hasher
from service.checkout.limits import Limits
from service.checkout.paid_ratio import PaidRatio
from service.checkout.ports import Clock
from service.checkout.quotes.quotes import Quotes
from service.checkout.service import CheckoutService, SharedFlights
from service.checkout.sessions import SessionService
from service.observability import metrics
from service.observability.logging import reporting
from service.providers.http import UpstreamClient
from service.reload import Watcher
from service.resources import Resources, Seams
from service.settings import Settings

PUBLIC_ROUTES = (storefront,)
INTERNAL_ROUTES = (internal, sessions, documentation)
SHARED_ROUTES = (probes, explanations)  # a load balancer asks the port that it sends buyers to
ROUTES = (*PUBLIC_ROUTES, *INTERNAL_ROUTES, *SHARED_ROUTES, metrics_for_callers)
"""Everything on one listener."""

_EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    CheckoutError: of_checkout_error,
    HTTPException: of_http_exception,
    Exception: of_unexpected_error,
}


def create_app(
    settings: Settings,
    *,
    embedded: Path | None = None,
    internal_port: int | None = None,
    watcher: Watcher | None = None,
    seams: Seams | None = None,
) -> Edge:
    """The whole application.

    `embedded` is the directory of a running bundled store, when that is used; `internal_port` the port of the internal
    listener, when there is one.
    """
    seams = seams or Seams()
    metrics.BUILD.labels(__version__).set(1)
    current = Current()
    flights = SharedFlights()

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncGenerator[None]:
        async with Resources(embedded, seams) as resources:

            def put_into_force(wanted: Settings) -> None:
                current.runtime = runtime_of(wanted, resources, seams.clock, flights)
                resources.close_unused(wanted)

            with reporting("start.failed"):
                put_into_force(settings)
            watching = asyncio.create_task(watcher.watch(put_into_force)) if watcher else None
            yield
            if watching:
                watching.cancel()

    def application(*routes: Router) -> Litestar:
        return Litestar(
            route_handlers=routes,
            lifespan=[lifespan],
            state=State({"current": current}),
            exception_handlers=_EXCEPTION_HANDLERS,
            request_max_body_size=settings.server.max_body_bytes,
            openapi_config=None,
            logging_config=None,
        )

    return Edge(_on_listeners(application, internal_port), current.knows_origin)


def _on_listeners(application: Callable[..., Litestar], internal_port: int | None) -> Application:
    """One application of all routes, or one for each listener; the document is of all routes in either case."""

    @cache  # few ever ask for it
    def documents() -> Documents:
        return Documents.of(document_of(application(*ROUTES)))

    if internal_port is None:
        whole = application(*ROUTES)
        whole.state["documents"] = documents
        return Direct(whole)
    public = application(*PUBLIC_ROUTES, *SHARED_ROUTES)
    inner = application(*INTERNAL_ROUTES, *SHARED_ROUTES, open_metrics)
    inner.state["documents"] = documents
    return Listeners(Direct(public), inner, internal_port)


def runtime_of(settings: Settings, resources: Resources, clock: Clock, flights: SharedFlights) -> Runtime:
    """Everything that the routes need of one configuration."""
    store = resources.store(settings.store)
    hasher, trust = Hasher(store.hash_key), ProxyTrust(settings.server)
    callers = callers_of(settings, clock)
    limits = Limits(
        settings.limits,
        store.limits(workers=settings.server.workers),
        PaidRatio(settings.limits.paid_ratio_floor, store.paid, hasher),
        hasher,
        resources.challenge(settings),
    )
    checkouts = {
        name: checkout_of(name, settings, resources.client(checkout.upstream, settings), clock)
        for name, checkout in settings.checkouts.items()
    }
    quotes = quotes_of(settings, callers, trust, clock)
    origins = {name: frozenset(one.allowed_origins) for name, one in settings.checkouts.items()}
    return Runtime(
        server=settings.server,
        service=CheckoutService(
            checkouts,
            store.sessions,
            store.replays,
            hasher,
            clock,
            burned=store.quotes,
            quotes=quotes,
            limits=limits,
            flights=flights,
        ),
        sessions=SessionService(store.sessions, hasher, clock),
        changes=SessionChanges(checkouts, store.sessions, clock),
        trust=trust,
        callers=callers,
        origins=frozenset().union(*origins.values()),
        origins_of=origins,
        clock=clock,
    )


def callers_of(settings: Settings, clock: Clock) -> Callers:
    """Who may call, by key or by token."""
    if settings.jwt is None:
        return Callers(settings.callers)
    # A library for tokens takes its time to load, and few have callers with tokens.
    from service.api.tokens import Tokens  # noqa: PLC0415  # see above

    return Callers(settings.callers, Tokens(settings.jwt, clock))


def quotes_of(settings: Settings, callers: Callers, trust: ProxyTrust, clock: Clock) -> Quotes:
    """What signs and verifies quotes, by the rights that callers have now."""
    return Quotes(settings.quotes, callers.may_quote, lambda address: named_address(address, trust), clock)


def checkout_of(name: str, settings: Settings, client: UpstreamClient, clock: Clock) -> Checkout:
    """A configured checkout with its provider's adapter on a client of its upstream."""
    checkout, module = settings.checkouts[name], settings.module_of(name)
    upstream = settings.upstreams[checkout.upstream]
    return Checkout(
        name=name,
        settings=checkout,
        provider=module.build(checkout, client, clock),
        expectations=module.expectations(checkout, upstream),
        show=client.show,
        editor=module.edit(checkout, client) if module.edit else None,
        verifier=module.verify(checkout, client) if module.verify else None,
        calls_per_minute=upstream.rate_limit_per_minute,
        calls_per_session=module.calls_per_session,
    )
