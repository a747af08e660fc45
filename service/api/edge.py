"""The outermost layer of every request: its id, its hardened headers, its access line, its metrics."""

import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from itertools import chain
from typing import Any, cast

import structlog
from litestar.types import HTTPScope

from service.api.access import KEY
from service.api.asked import headers_of
from service.api.problems import refusal
from service.observability import metrics

log = structlog.get_logger()

# The ASGI specification's own words; each message and scope is an open dictionary there.
Json = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Json]]
Send = Callable[[Json], Awaitable[None]]
Application = Callable[..., Awaitable[None]]

HARDENED_HEADERS = {
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"no-referrer",
    b"strict-transport-security": b"max-age=31536000; includeSubDomains",
    b"x-content-type-options": b"nosniff",
}
"""Headers of every answer that does not set its own (OWASP ASVS 5.0.0, 3.4)."""

_EXPOSED = b"Request-Id, Retry-After, Idempotent-Replayed"
_PREFLIGHT = [
    (b"access-control-allow-methods", b"GET, POST"),
    (b"access-control-allow-headers", b"Content-Type, Buyer-Key, Idempotency-Key"),
    (b"access-control-max-age", b"600"),
]


class Edge:
    """Wraps the whole application, its error answers included."""

    def __init__(self, app: Application, is_known_origin: Callable[[str], bool]) -> None:
        self._app = app
        self._is_known_origin = is_known_origin

    async def __call__(self, scope: Json, receive: Receive, send: Send) -> None:
        """Serve one request; other kinds of scope pass through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(16)
        scope.setdefault("state", {})["request_id"] = request_id
        shared = self._sharing_headers(scope)
        started, status = time.perf_counter(), CLIENT_LEFT

        def send_hardened(message: Json) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _harden(message, request_id, shared)
            return send(message)

        # Routed as it was sent: what a proxy takes for another path than ours must not be ours after decoding.
        scope["path"] = scope["raw_path"].decode("latin-1")
        refused = _oversized(scope) or _not_canonical(scope)
        app = refusal(cast("HTTPScope", scope), refused) if refused else self._app
        try:
            await app(scope, receive, send_hardened)
        finally:
            _observe(scope, status, time.perf_counter() - started)
            scope["state"].clear()  # some of it leads back to the request: nothing is to be left in a cycle

    def _sharing_headers(self, scope: Json) -> list[tuple[bytes, bytes]]:
        """CORS for the storefront's routes alone: the exact origin, or nothing, which is a browser's no."""
        if not scope["path"].startswith("/checkout"):
            return []
        headers = [(b"vary", b"Origin")]
        origin = headers_of(scope).first(b"origin")
        if origin is not None and self._is_known_origin(origin):
            allowed = b"access-control-allow-origin", origin.encode("latin-1")
            headers += [allowed, (b"access-control-expose-headers", _EXPOSED)]
            if scope["method"] == "OPTIONS":
                headers += _PREFLIGHT
        return headers


def _oversized(scope: Json) -> str | None:
    """The slug for an address or headers beyond what any proxy passes; the server itself has no such limits."""
    if len(scope["path"]) + len(scope["query_string"]) > _MAX_URI_BYTES:
        return "uri-too-long"
    if sum(map(len, chain.from_iterable(scope["headers"]))) > _MAX_HEADER_BYTES:
        return "headers-too-large"
    return None


def _not_canonical(scope: Json) -> str | None:
    """The slug for slashes that the framework would overlook in finding a route."""
    path: str = scope["path"]
    return "not-found" if "//" in path or (path.endswith("/") and path != "/") else None


def _harden(message: Json, request_id: str, shared: list[tuple[bytes, bytes]]) -> None:
    own = [(name.lower(), value) for name, value in message.get("headers", ())]
    present = {name for name, _ in own}
    own += [(name, value) for name, value in HARDENED_HEADERS.items() if name not in present]
    message["headers"] = [*own, *shared, (b"request-id", request_id.encode())]


def _observe(scope: Json, status: int, seconds: float) -> None:
    route = scope.get("path_template") or "unmatched"
    method = scope["method"] if scope["method"] in _METHODS else "other"
    fields: dict[str, str] = scope["state"].get(KEY, {})
    _requests(method, route, status).inc()
    _request_seconds(route).observe(seconds)
    if "checkout" in fields:
        outcome = fields.get("outcome") or fields.get("problem") or "left"
        _sessions(fields["checkout"], outcome).inc()
    write = log.warning if status >= _SERVER_ERROR else log.info
    write(
        "request",
        request_id=scope["state"]["request_id"],
        method=method,
        route=route,
        status=int(status),
        duration_ms=round(seconds * 1000, 2),
        **fields,
    )


# Of closed sets, and looked up for every request.
_requests = cache(metrics.REQUESTS.labels)
_request_seconds = cache(metrics.REQUEST_SECONDS.labels)
_sessions = cache(metrics.SESSIONS.labels)
_MAX_URI_BYTES = 8 * 1024
_MAX_HEADER_BYTES = 32 * 1024
CLIENT_LEFT = 499  # nginx's word for a client that left before the answer
_SERVER_ERROR = 500
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
