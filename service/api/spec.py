"""What the OpenAPI document says of each route, kept beside the routes as `opt={"operation": ...}`."""

from typing import Any, Literal, TypedDict

from msgspec import Struct

from service.api import examples
from service.api.schemas import (
    BrowserRequest,
    BrowserSession,
    CheckoutAnswer,
    ClientIpAnswer,
    ItemReplacement,
    PreviewAnswer,
    Record,
    ReplacementRequest,
)
from service.checkout.models import Customer, Item, OrderRequest
from service.checkout.quotes.claims import QuoteRequest, SignedQuote
from service.checkout.session import PaymentMethodChoice

OPT_KEY = "operation"
Header = Literal["Buyer-Key", "BuyerKeyRequired", "Idempotency-Key"]


class Answer(Struct, frozen=True, kw_only=True):
    """One documented success: what it means, an example, and its `kind` when it is one of ours; a text by default."""

    description: str
    example: Any
    kind: type[Struct] | None = None
    schema: dict[str, Any] | None = None
    media_type: str = "application/json"
    headers: tuple[str, ...] = ()


class Operation(Struct, frozen=True, kw_only=True):
    """One documented operation; problems are slugs."""

    id: str
    answers: dict[int, Answer]
    problems: tuple[str, ...] = ()
    body: type[Struct] | None = None
    body_example: Any = None
    headers: tuple[Header, ...] = ()
    for_callers: bool = False


class HandlerOptions(TypedDict):
    """What a route decorator takes."""

    opt: dict[str, Operation]


def _options(operation: Operation) -> HandlerOptions:
    return {"opt": {OPT_KEY: operation}}


_ALWAYS = ("method-not-allowed", "uri-too-long", "headers-too-large", "internal-error")
_BODY = ("invalid-request", "request-timeout", "payload-too-large", "unsupported-media-type")
_CALLER = ("unauthenticated", "scope-missing")
_QUOTED = (
    "restricted-field",
    "unknown-checkout",
    "product-not-allowed",
    "cart-not-allowed",
    "country-not-allowed",
    "return-url-not-allowed",
    "unsupported-by-provider-field",
)
_REFUSED = (*_QUOTED, "invalid-idempotency-key", "invalid-quote", "unsupported-by-provider")
_CREATE = (
    *_REFUSED,
    "idempotency-in-progress",
    "idempotency-mismatch",
    "session-completing",
    "session-ended",
    "store-required",
    "upstream-rejected",
    "upstream-mismatch",
    "upstream-invalid",
    "upstream-credentials",
    "upstream-misconfigured",
    "upstream-unavailable",
    "upstream-throttled",
    "overloaded",
    "upstream-timeout",
)
_CREATED = {
    201: Answer(description="A new session.", kind=CheckoutAnswer, example=examples.CHECKOUT_ANSWER),
    200: Answer(
        description="The present session again, or the first answer to an `Idempotency-Key`.",
        kind=CheckoutAnswer,
        example=examples.REUSED_ANSWER,
        headers=("Idempotent-Replayed",),
    ),
}

CREATE = _options(
    Operation(
        id="createCheckout",
        answers=_CREATED,
        problems=(*_BODY, "origin-not-allowed", "challenge-required", *_CREATE, "rate-limited", *_ALWAYS),
        body=BrowserRequest,
        body_example=examples.BROWSER_REQUEST,
        headers=("Buyer-Key", "Idempotency-Key"),
    )
)
READ = _options(
    Operation(
        id="readCheckout",
        answers={200: Answer(description="Its state.", kind=BrowserSession, example=examples.BROWSER_SESSION)},
        problems=("origin-not-allowed", "unknown-session", "store-required", *_ALWAYS),
        headers=("BuyerKeyRequired",),
    )
)
CREATE_INTERNAL = _options(
    Operation(
        id="createCheckoutForBuyer",
        answers=_CREATED,
        problems=(*_BODY, *_CALLER, *_CREATE, *_ALWAYS),
        body=OrderRequest,
        body_example=examples.ORDER_REQUEST,
        headers=("Buyer-Key", "Idempotency-Key"),
        for_callers=True,
    )
)
PREVIEW = _options(
    Operation(
        id="previewCheckout",
        answers={200: Answer(description="The request and its rules.", kind=PreviewAnswer, example=examples.PREVIEW)},
        problems=(*_BODY, *_CALLER, *_REFUSED, *_ALWAYS),
        body=OrderRequest,
        body_example=examples.ORDER_REQUEST,
        headers=("Buyer-Key",),
        for_callers=True,
    )
)
QUOTE = _options(
    Operation(
        id="signQuote",
        answers={201: Answer(description="The signed quote.", kind=SignedQuote, example=examples.SIGNED_QUOTE)},
        problems=(*_BODY, *_CALLER, "not-found", *_QUOTED, *_ALWAYS),
        body=QuoteRequest,
        body_example=examples.QUOTE_REQUEST,
        for_callers=True,
    )
)
READ_INTERNAL = _options(
    Operation(
        id="readSession",
        answers={200: Answer(description="The record.", kind=Record, example=examples.RECORD)},
        problems=(*_CALLER, "unknown-session", "store-required", *_ALWAYS),
        for_callers=True,
    )
)
_CHANGE = (
    *_CALLER,
    "invalid-request",
    "unknown-session",
    "session-completing",
    "session-ended",
    "upstream-rejected",
    "unsupported-by-provider",
    "upstream-mismatch",
    "upstream-invalid",
    "upstream-credentials",
    "upstream-misconfigured",
    "upstream-unavailable",
    "upstream-throttled",
    "overloaded",
    "store-required",
    "upstream-timeout",
    *_ALWAYS,
)
_CART = ("restricted-field", "product-not-allowed", "cart-not-allowed", "unsupported-by-provider-field")
_CHANGED = {200: Answer(description="The record after it.", kind=Record, example=examples.RECORD)}


def _change(operation_id: str, body: type[Struct], example: Any, *problems: str) -> HandlerOptions:  # noqa: ANN401  # JSON
    return _options(
        Operation(
            id=operation_id,
            answers=_CHANGED,
            problems=tuple(sorted({*_BODY, *problems, *_CHANGE})),
            body=body,
            body_example=example,
            for_callers=True,
        )
    )


REPLACE = _change(
    "replaceSession",
    ReplacementRequest,
    examples.REPLACEMENT,
    *_CART,
    "country-not-allowed",
    "invalid-idempotency-key",
)
REPLACE_CUSTOMER = _change("replaceCustomer", Customer, examples.CUSTOMER, "unsupported-by-provider-field")
ADD_ITEM = _change("addItem", Item, examples.ITEM, *_CART)
UPDATE_ITEM = _change("updateItem", ItemReplacement, {"quantity": 3}, *_CART)
REMOVE_ITEM = _options(
    Operation(id="removeItem", answers=_CHANGED, problems=("cart-not-allowed", *_CHANGE), for_callers=True)
)
RETIRE = _options(
    Operation(
        id="retireSession",
        answers={204: Answer(description="It is handed out no more.", example=None, media_type="")},
        problems=(*_CALLER, "unknown-session", "store-required", *_ALWAYS),
        for_callers=True,
    )
)
PAYMENT_METHODS = _options(
    Operation(
        id="readPaymentMethods",
        answers={
            200: Answer(
                description="Offered and hidden methods.", kind=PaymentMethodChoice, example=examples.PAYMENT_METHODS
            )
        },
        problems=_CHANGE,
        for_callers=True,
    )
)
CLIENT_IP = _options(
    Operation(
        id="explainClientIp",
        answers={
            200: Answer(description="The address and the reasons.", kind=ClientIpAnswer, example=examples.CLIENT_IP)
        },
        problems=("unauthenticated", *_ALWAYS),
        for_callers=True,
    )
)


def plain(operation_id: str, answer: Answer, *problems: str, for_callers: bool = False) -> HandlerOptions:
    """A route that answers with a text, a page or a document."""
    return _options(
        Operation(id=operation_id, answers={200: answer}, problems=(*problems, *_ALWAYS), for_callers=for_callers)
    )


CLIENT = plain(
    "storefrontClient", Answer(description="The script.", example=examples.SCRIPT, media_type="text/javascript")
)
_PAGE = Answer(description="A page.", example="<!doctype html>", media_type="text/html")
DOCS = plain("docs", _PAGE)
EXPLAIN_PROBLEM = plain("explainProblem", _PAGE, "not-found")
DOCUMENT = plain(
    "openapi",
    Answer(description="The OpenAPI 3.1 document.", example={"openapi": "3.1.0"}, schema={"type": "object"}),
)
_PROBE = {"type": "object", "properties": {"status": {"const": "ok"}}, "required": ["status"]}
LIVE = plain("livez", Answer(description="The process answers.", example={"status": "ok"}, schema=_PROBE))
READY = plain("readyz", Answer(description="Requests may be sent.", example={"status": "ok"}, schema=_PROBE))
METRICS = plain(
    "metrics",
    Answer(description="Prometheus text.", example=examples.METRICS, media_type="text/plain"),
    "unauthenticated",
    "scope-missing",
    for_callers=True,
)
