"""Every error as RFC 9457 `application/problem+json`: the one table from a slug to its status and explanation."""

import re
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import NamedTuple

import msgspec
import structlog
from litestar import Response
from litestar.connection.base import empty_receive
from litestar.exceptions import HTTPException
from litestar.response.base import ASGIResponse
from litestar.types import HTTPScope
from msgspec import Struct
from msgspec.structs import replace

from service.api.access import note
from service.api.asked import Asked, BareRequest
from service.api.json_answer import JsonAnswer
from service.checkout.errors import CheckoutError, FieldError, ProviderError, forget_frames
from service.checkout.limit_errors import ChallengeRequiredError, ShownChallenge
from service.observability.logging import place_of

PROBLEM_JSON = "application/problem+json"
log = structlog.get_logger()


class Explanation(NamedTuple):
    """What a problem is and how to mend it."""

    status: int
    title: str
    mend: str


PROBLEMS: Mapping[str, Explanation] = MappingProxyType(
    {
        "invalid-request": Explanation(
            400,
            "The request cannot be read",
            "The body is not the documented JSON: a member is unknown, missing, twice there or of another type."
            " `errors` names it.",
        ),
        "invalid-idempotency-key": Explanation(
            400,
            "The idempotency key cannot be used",
            "Send 1 to 255 printable ASCII characters, and a Buyer-Key beside it.",
        ),
        "unauthenticated": Explanation(
            401,
            "No caller is known by this key",
            "Send a configured caller's key, or a token of its `jwt_subject`, as `Authorization: Bearer …`.",
        ),
        "restricted-field": Explanation(
            403,
            "A field that only servers may set",
            "Leave the named fields out, or send the request from a back end to POST /internal/checkout.",
        ),
        "origin-not-allowed": Explanation(
            403,
            "This site may not ask for a checkout",
            "Add the page's exact origin (scheme, host, port) to `allowed_origins` of its checkout.",
        ),
        "scope-missing": Explanation(403, "The caller may not do this", "Add the scope to the caller's `scopes`."),
        "invalid-quote": Explanation(
            403,
            "The quote is not valid",
            "Ask the back end for a new quote: this one is forged, over, used, or for something else.",
        ),
        "challenge-required": Explanation(
            403,
            "A challenge must be solved first",
            "Show the widget named in `challenge` and send its answer as `challenge`.",
        ),
        "unknown-checkout": Explanation(
            404,
            "There is no such checkout",
            "Check the name against [checkouts], and that this site or caller may use it.",
        ),
        "unknown-session": Explanation(
            404,
            "There is no such session",
            "Check the reference. A session can be seen by the browser that made it, or by a caller of its checkout.",
        ),
        "not-found": Explanation(404, "There is nothing here", "Check the address against /openapi.json."),
        "method-not-allowed": Explanation(
            405, "This method is not known here", "The `Allow` header names those that are."
        ),
        "not-acceptable": Explanation(406, "No such form of the answer", "Accept application/json."),
        "request-timeout": Explanation(408, "The request came too slowly", "Send the whole body within 5 seconds."),
        "idempotency-in-progress": Explanation(
            409, "The first request with this key still runs", "Try again after `retryAfter` seconds."
        ),
        "session-completing": Explanation(
            409, "A payment of this session is under way", "Wait for it, or ask for another session with `fresh: true`."
        ),
        "session-ended": Explanation(409, "The session is over", "Ask for another one with `fresh: true`."),
        "payload-too-large": Explanation(413, "The body is too large", "Send less than `server.max_body_bytes`."),
        "uri-too-long": Explanation(414, "The address is too long", "Put data into the body."),
        "unsupported-media-type": Explanation(415, "The body is not JSON", "Send `Content-Type: application/json`."),
        "idempotency-mismatch": Explanation(
            422, "The key belongs to another request", "Use a new Idempotency-Key for a new request."
        ),
        "product-not-allowed": Explanation(
            422, "A product is not sold here", "Order products of the checkout's `products` list."
        ),
        "cart-not-allowed": Explanation(
            422, "The cart is outside of the rules", "Mind `max_items` and `max_quantity`; name each product once."
        ),
        "country-not-allowed": Explanation(
            422,
            "The country is not served",
            "Name a country by its ISO 3166-1 code, one of the checkout's `countries`.",
        ),
        "return-url-not-allowed": Explanation(
            422, "The return address is not allowed", "Use an address on the checkout's `return_urls`."
        ),
        "unsupported-by-provider-field": Explanation(
            422, "The provider has no such field", "Leave the named fields out for this checkout's provider."
        ),
        "upstream-rejected": Explanation(
            422,
            "The provider refuses this request",
            "Mend the fields that `errors` names; the provider does not take them as they are.",
        ),
        "rate-limited": Explanation(429, "Too many requests", "Try again after `retryAfter` seconds."),
        "headers-too-large": Explanation(431, "The headers are too large", "Send smaller headers."),
        "internal-error": Explanation(
            500,
            "The service failed",
            "Report it with the request id in `instance`; the log line of that id says where.",
        ),
        "unsupported-by-provider": Explanation(
            501, "The provider has no such operation", "Use a checkout of a provider that has it."
        ),
        "upstream-mismatch": Explanation(
            502,
            "The provider's session is not what was asked for",
            "`errors` names what differs. Compare the checkout's configuration with the provider's settings.",
        ),
        "upstream-invalid": Explanation(
            502, "The provider's answer cannot be read", "Try again; tell the operator if it stays."
        ),
        "upstream-credentials": Explanation(
            502, "The provider refuses the shop's credentials", "The operator checks `credentials` of the upstream."
        ),
        "upstream-misconfigured": Explanation(
            502, "The provider does not know the checkout", "The operator checks `path` or `store_id` of the checkout."
        ),
        "upstream-unavailable": Explanation(
            503, "The provider cannot be reached", "Try again later, or use `fallbackUrl`."
        ),
        "upstream-throttled": Explanation(
            503, "The provider asks for fewer calls", "Try again after `retryAfter` seconds, or use `fallbackUrl`."
        ),
        "overloaded": Explanation(503, "The service is at its limit", "Try again after `retryAfter` seconds."),
        "store-required": Explanation(
            503, "The store cannot be reached", "Try again later; new checkouts go on meanwhile."
        ),
        "upstream-timeout": Explanation(504, "The provider did not answer in time", "Try again, or use `fallbackUrl`."),
    }
)

_SLUG_OF_STATUS = {
    400: "invalid-request",
    401: "unauthenticated",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    408: "request-timeout",
    413: "payload-too-large",
    414: "uri-too-long",
    415: "unsupported-media-type",
    429: "rate-limited",
    431: "headers-too-large",
}
_PASSED_ON = frozenset({"allow", "connection"})


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """The body of every error. `type` leads to the explanation, `instance` is the request id."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: tuple[FieldError, ...] = ()
    retry_after: int | None = None
    fallback_url: str | None = None
    challenge: ShownChallenge | None = None


class ProblemAnswer(Response[bytes]):
    """A problem as the framework takes an answer to an error."""

    def to_asgi_response(self, *_args: object, **_options: object) -> ASGIResponse:
        """Ready to be sent."""
        return self.ready()

    def ready(self) -> ASGIResponse:
        """Ready to be sent, whoever asked."""
        headers = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
        return JsonAnswer(self.content, self.status_code or 0, *headers, media_type=PROBLEM_JSON.encode())


_encode = msgspec.json.Encoder().encode


def of_checkout_error(asked: Asked, error: CheckoutError) -> ProblemAnswer:
    """The answer to an error of ours."""
    if isinstance(error, ProviderError):
        note(asked, **_why(error))
    forget_frames(error)
    problem = replace(
        _problem(asked, error.slug, error.detail),
        errors=error.errors,
        retry_after=error.retry_after_seconds,
        fallback_url=error.fallback_url,
        challenge=error.challenge if isinstance(error, ChallengeRequiredError) else None,
    )
    headers = {"Retry-After": str(problem.retry_after)} if problem.retry_after is not None else {}
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return _respond(problem, headers)


# The asker's own names, of a tag for one, may be anything: the line says in which map.
_OWN_NAME = re.compile(r"\b(orderTags|accountTags|metadata|attributes|customVariables)\..*")


def _why(error: ProviderError) -> dict[str, str]:
    """What an operator needs to find the cause of a provider's failure: names and kinds, nothing of the request."""
    facts = {
        "upstream": error.upstream,
        "cause": type(error.__cause__).__name__ if error.__cause__ else None,
        "fields": " ".join(_OWN_NAME.sub(r"\1", one.field) for one in error.errors),
        "provider_case": error.provider_case,
    }
    return {name: fact for name, fact in facts.items() if fact}


def of_http_exception(asked: Asked, error: HTTPException) -> ProblemAnswer:
    """The answer to an error of the framework; its own text stays inside."""
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return of_unexpected_error(asked, error)
    slug = _SLUG_OF_STATUS.get(error.status_code, "invalid-request")
    headers = {name: value for name, value in (error.headers or {}).items() if name.lower() in _PASSED_ON}
    return _respond(_problem(asked, slug, PROBLEMS[slug].mend), headers)


def refusal(scope: HTTPScope, slug: str) -> Callable[..., Awaitable[None]]:
    """The answer, as an ASGI application, to a request that is not even shown to the framework."""
    problem = _problem(BareRequest(scope, empty_receive), slug, PROBLEMS[slug].mend)
    return _respond(problem, {}).ready()


def of_unexpected_error(asked: Asked, error: Exception) -> ProblemAnswer:
    """The answer when the service itself failed.

    The log gets the kind and the place alone, as the message of an exception may hold anything.
    """
    request_id = asked.scope["state"]["request_id"]
    log.error("request.failed", error=type(error).__name__, place=place_of(error), request_id=request_id)
    return _respond(_problem(asked, "internal-error", PROBLEMS["internal-error"].mend), {})


def encoded_problem(slug: str, request_id: str) -> bytes:
    """The body of a problem that no request object came to be for."""
    return _encode(_problem_of(slug, PROBLEMS[slug].mend, request_id))


def _problem(asked: Asked, slug: str, detail: str) -> Problem:
    note(asked, problem=slug)
    return _problem_of(slug, detail, asked.scope["state"]["request_id"])


def _problem_of(slug: str, detail: str, request_id: str) -> Problem:
    explanation = PROBLEMS[slug]
    return Problem(
        type=f"/problems/{slug}",
        title=explanation.title,
        status=explanation.status,
        detail=detail,
        instance=request_id,
    )


def _respond(problem: Problem, headers: dict[str, str]) -> ProblemAnswer:
    body = _encode(problem)
    return ProblemAnswer(body, status_code=problem.status, media_type=PROBLEM_JSON, headers=headers)
