"""What the application serves, asked of the application itself, so that no list of a test can forget a route."""

from litestar import Litestar
from litestar.routes import HTTPRoute

from service.app import ROUTES


def inventory() -> list[tuple[str, str]]:
    """Every method and path that there is on one listener, without the OPTIONS that each path has."""
    return sorted(
        (method, route.path_format)
        for route in Litestar(ROUTES, openapi_config=None, logging_config=None).routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods
        if method != "OPTIONS"
    )
