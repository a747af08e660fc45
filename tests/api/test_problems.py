"""Every error as one table, and a failure of our own that tells nothing."""

import json
from http import HTTPStatus

import httpx
import pytest
from litestar import Litestar, get
from litestar.exceptions import HTTPException, ServiceUnavailableException
from structlog.testing import capture_logs

from service.api.edge import Edge
from service.api.problems import PROBLEMS, of_http_exception
from service.checkout.errors import CheckoutError
from service.resources import Seams
from tests.conftest import MakeBroker
from tests.support.running import running
from tests.support.servers import Sandbox

CART = {"items": [{"product": "pro-license"}]}
CANARY = "canary-2f6c@example.org"


class Exploding(httpx.AsyncBaseTransport):
    """A network that fails as nobody expects, with a message full of private things."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise LookupError(f"{CANARY} {request.headers['authorization']}")


def test_unexpected_failure_shows_nothing(make_broker: MakeBroker) -> None:
    """The last resort is a 500 without a word of the exception; the log has its kind and place under the same id."""
    broker = make_broker(None, Seams(create_transport=lambda _: Exploding()))
    with capture_logs() as lines:
        answer = broker.post("/checkout", json=CART | {"customer": {"email": CANARY}})
    [failure] = [line for line in lines if line["event"] == "request.failed"]

    assert (500, "/problems/internal-error") == (answer.status_code, answer.json()["type"])
    assert {"type", "title", "status", "detail", "instance"} == answer.json().keys()
    assert "canary" not in answer.text + json.dumps(lines)
    assert {"event", "log_level", "error", "place", "request_id"} == failure.keys()
    assert ("LookupError", answer.headers["request-id"]) == (failure["error"], failure["request_id"])
    assert failure["place"].startswith("test_problems:") or ".test_problems:" in failure["place"]


async def test_frameworks_own_failure_shows_nothing() -> None:
    """A 5xx that the framework itself raises is the same 500, whatever its text."""

    @get("/")
    async def fail() -> None:
        raise ServiceUnavailableException(CANARY)

    handlers = {HTTPException: of_http_exception}
    app = Litestar([fail], exception_handlers=handlers, openapi_config=None, logging_config=None)  # type: ignore[arg-type]  # of one error
    async with running(Edge(app, lambda _: False)) as client:
        answer = await client.get("/")

    assert (500, "/problems/internal-error") == (answer.status_code, answer.json()["type"])
    assert "canary" not in answer.text


def _slugs(kind: type[CheckoutError]) -> set[str]:
    own = {kind.slug} if "slug" in vars(kind) else set[str]()
    return own.union(*(_slugs(child) for child in kind.__subclasses__()))


def test_every_error_has_its_row() -> None:
    """Each error of the core is a problem of the table, and each status of the table is one that HTTP knows."""
    assert set() == _slugs(CheckoutError) - PROBLEMS.keys()
    assert all(HTTPStatus(problem.status) for problem in PROBLEMS.values())


TABLE = {
    400: "invalid-request invalid-idempotency-key",
    401: "unauthenticated",
    403: "restricted-field origin-not-allowed scope-missing invalid-quote challenge-required",
    404: "unknown-checkout unknown-session not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    408: "request-timeout",
    409: "idempotency-in-progress session-completing session-ended",
    413: "payload-too-large",
    414: "uri-too-long",
    415: "unsupported-media-type",
    422: "idempotency-mismatch product-not-allowed cart-not-allowed country-not-allowed return-url-not-allowed"
    " unsupported-by-provider-field upstream-rejected",
    429: "rate-limited",
    431: "headers-too-large",
    500: "internal-error",
    501: "unsupported-by-provider",
    502: "upstream-mismatch upstream-invalid upstream-credentials upstream-misconfigured",
    503: "upstream-unavailable upstream-throttled overloaded store-required",
    504: "upstream-timeout",
}


def test_table_is_whole() -> None:
    """Slugs and their statuses are what clients are promised, no more and no fewer."""
    promised = {slug: status for status, slugs in TABLE.items() for slug in slugs.split()}

    assert promised == {slug: problem.status for slug, problem in PROBLEMS.items()}


@pytest.mark.parametrize(
    ("fault", "options", "slug"),
    [
        ("bad_request", {}, "upstream-rejected"),
        ("unauthorized", {}, "upstream-credentials"),
        ("forbidden", {}, "upstream-credentials"),
        ("throttled_404", {}, "upstream-misconfigured"),
        ("too_many", {"retryAfter": 7}, "upstream-throttled"),
        ("error_500", {}, "upstream-unavailable"),
        ("unavailable_503", {"retryAfter": 7}, "upstream-unavailable"),
        ("cut_json", {}, "upstream-invalid"),
        ("wrong_live", {}, "upstream-mismatch"),
    ],
)
def test_providers_failure_as_a_problem(
    make_broker: MakeBroker, sandbox: Sandbox, fault: str, options: dict[str, object], slug: str
) -> None:
    """Each failure has its slug; a wait is told in header and body, a way around where the checkout has one."""
    sandbox.put_fault(fault, **options)
    answer = make_broker().post("/checkout", json=CART)
    problem = answer.json()
    status = PROBLEMS[slug].status

    assert (status, f"/problems/{slug}") == (answer.status_code, problem["type"])
    assert (options.get("retryAfter"), str(options.get("retryAfter"))) == (
        problem.get("retryAfter"),
        answer.headers.get("retry-after", "None"),
    )
    assert (None if status < 500 else "https://acme.onfastspring.com/pro-license") == problem.get("fallbackUrl")


def test_nobody_known_is_asked_for_a_key(broker: httpx.Client) -> None:
    """A 401 says how to identify oneself, as HTTP wants it."""
    assert "Bearer" == broker.get("/internal/client-ip").headers["www-authenticate"]


def test_names_that_the_asker_made_up_are_not_logged(
    make_broker: MakeBroker, sandbox: Sandbox, caller_headers: dict[str, str]
) -> None:
    """A tag may be named anything: the access line says in which map something was wrong, and no name of it."""
    broker = make_broker()
    sandbox.put_fault("missing_tag")
    tags = {"channel": "web", CANARY: "x", "4111111111111111": "y"}
    with capture_logs() as lines:
        answer = broker.post("/internal/checkout", json=CART | {"orderTags": tags}, headers=caller_headers)
    [access] = [line for line in lines if line.get("route") == "/internal/checkout"]

    assert (502, "/problems/upstream-mismatch") == (answer.status_code, answer.json()["type"])
    assert {"orderTags"} == set(access["fields"].split())
    assert "canary" not in answer.text + json.dumps(lines)
    assert "4111" not in answer.text + json.dumps(lines)
