"""Why a checkout was not created. Branch by what the asker can do; HTTP statuses stand in `api/problems.py` alone.

CheckoutError
├── RequestRefusedError               we say no                       → mend the request
│   ├── InvalidRequestError           not a request at all
│   ├── RestrictedFieldError          a browser set what only servers may
│   ├── OriginNotAllowedError         the page may not ask
│   ├── UnknownCheckoutError          no such checkout, or not for this asker
│   ├── UnknownSessionError           no such session, or not for this asker
│   ├── UnauthenticatedError          no caller has this key
│   ├── ScopeMissingError             the caller may not do this
│   ├── InvalidIdempotencyKeyError, IdempotencyMismatchError, IdempotencyInProgressError
│   ├── InvalidQuoteError
│   ├── QuotesNotOfferedError         no key is configured that signs
│   ├── ProductNotAllowedError, CartNotAllowedError, CountryNotAllowedError, ReturnUrlNotAllowedError
│   ├── SessionCompletingError        a payment of the session is under way
│   ├── SessionEndedError             the session is over
│   ├── UnsupportedFieldError         the provider has no word for a field
│   └── UnsupportedByProviderError    the provider has no such operation
├── StoreRequiredError                the store is down, and this cannot be done without it
└── ProviderError                     the provider gave no usable session
    ├── UpstreamRejectedError         it says no to this request      → mend the request
    ├── UpstreamCredentialsError, UpstreamMisconfiguredError          → the operator mends the configuration
    ├── UpstreamMismatchError         it answered something else than was asked
    ├── UpstreamInvalidError          its answer cannot be read
    ├── UpstreamUnavailableError, UpstreamThrottledError, UpstreamTimeoutError  → a later try may help
    └── OverloadedError               not asked: we are at our own limit    → a later try may help

Two more refusals, of those who are over a limit, stand in `limit_errors.py`.
"""

import re
from collections.abc import Generator
from contextlib import contextmanager
from traceback import clear_frames
from typing import ClassVar

from msgspec import Struct


class FieldError(Struct, frozen=True, kw_only=True):
    """Which member of the request is at fault, and how to mend it."""

    field: str
    detail: str


_PLAIN_NAME = re.compile(r"(?!(?:\D*\d){7})[A-Za-z][\w .-]{0,63}")


def member_of(path: str, name: str) -> str:
    """The path of a member. A name that may be anything, an address or a card number included, is left out."""
    return ".".join(part for part in (path, name if _PLAIN_NAME.fullmatch(name) else "") if part)


class CheckoutError(Exception):
    """Base of everything that ends a checkout; `detail` is ours and holds no upstream text and no personal data."""

    slug: ClassVar[str]

    def __init__(
        self,
        detail: str,
        *,
        errors: tuple[FieldError, ...] = (),
        retry_after_seconds: int | None = None,
        fallback_url: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors
        self.retry_after_seconds = retry_after_seconds
        self.fallback_url = fallback_url


class RequestRefusedError(CheckoutError):
    """We say no; the same request will be refused again."""


class InvalidRequestError(RequestRefusedError):
    """The body cannot be read as the documented request."""

    slug = "invalid-request"


class RestrictedFieldError(RequestRefusedError):
    """A browser set a field that only servers may set."""

    slug = "restricted-field"


class OriginNotAllowedError(RequestRefusedError):
    """The page that asks belongs to no checkout."""

    slug = "origin-not-allowed"


class UnknownCheckoutError(RequestRefusedError):
    """There is no such checkout for this asker; the same words whether it exists or not."""

    slug = "unknown-checkout"

    def __init__(self) -> None:
        super().__init__("There is no such checkout for this site or caller.")


class UnknownSessionError(RequestRefusedError):
    """There is no such session for this asker; the same words whether it exists or not."""

    slug = "unknown-session"

    def __init__(self) -> None:
        super().__init__("There is no such session for you.")


class UnauthenticatedError(RequestRefusedError):
    """No caller is known by these credentials."""

    slug = "unauthenticated"


class ScopeMissingError(RequestRefusedError):
    """The caller is known, and may not do this."""

    slug = "scope-missing"


class InvalidIdempotencyKeyError(RequestRefusedError):
    """The `Idempotency-Key` is malformed, or came without a `Buyer-Key`."""

    slug = "invalid-idempotency-key"


class IdempotencyMismatchError(RequestRefusedError):
    """The `Idempotency-Key` belongs to another request."""

    slug = "idempotency-mismatch"


class IdempotencyInProgressError(RequestRefusedError):
    """The first request with this `Idempotency-Key` still runs."""

    slug = "idempotency-in-progress"


class InvalidQuoteError(RequestRefusedError):
    """The quote is not one of ours, or not for this use; the same words whatever is wrong with it."""

    slug = "invalid-quote"

    def __init__(self, detail: str = "This quote cannot be accepted.") -> None:
        super().__init__(detail)


class QuotesNotOfferedError(RequestRefusedError):
    """No key is configured that signs quotes."""

    slug = "not-found"

    def __init__(self, detail: str = "This service signs no quotes: name a key in `quotes.sign_with`.") -> None:
        super().__init__(detail)


class ProductNotAllowedError(RequestRefusedError):
    """A product is not on the checkout's list."""

    slug = "product-not-allowed"


class CartNotAllowedError(RequestRefusedError):
    """Too many items, too large a quantity, or a product twice."""

    slug = "cart-not-allowed"


class CountryNotAllowedError(RequestRefusedError):
    """The named country is not served by this checkout."""

    slug = "country-not-allowed"


class ReturnUrlNotAllowedError(RequestRefusedError):
    """A return or cancel URL is not on the checkout's list."""

    slug = "return-url-not-allowed"


class SessionCompletingError(RequestRefusedError):
    """A payment of the session is under way, so it is neither changed nor handed out again."""

    slug = "session-completing"


class SessionEndedError(RequestRefusedError):
    """The session is over: paid, expired, retired, or unknown to the provider by now."""

    slug = "session-ended"


class UnsupportedFieldError(RequestRefusedError):
    """The checkout's provider cannot express a field that was set; it is not dropped in silence."""

    slug = "unsupported-by-provider-field"


class UnsupportedByProviderError(RequestRefusedError):
    """The checkout's provider has no such operation."""

    slug = "unsupported-by-provider"


class StoreRequiredError(CheckoutError):
    """The store is down, and the answer stands nowhere else."""

    slug = "store-required"


class ProviderError(CheckoutError):
    """The provider gave no usable session.

    `upstream` names the account, `provider_case` is the provider's own id of the failure, for its support. `sent` is
    False where the request provably never left.
    """

    upstream: str | None = None
    provider_case: str | None = None
    sent: bool = True


class UpstreamRejectedError(ProviderError):
    """The provider refused this request; another request may pass."""

    slug = "upstream-rejected"


class UpstreamCredentialsError(ProviderError):
    """The provider does not accept our credentials."""

    slug = "upstream-credentials"


class UpstreamMisconfiguredError(ProviderError):
    """The configured path or store has never been found at the provider."""

    slug = "upstream-misconfigured"


class UpstreamMismatchError(ProviderError):
    """The provider answered with something else than was asked for."""

    slug = "upstream-mismatch"


class UpstreamInvalidError(ProviderError):
    """The provider's answer cannot be read."""

    slug = "upstream-invalid"


class UpstreamUnavailableError(ProviderError):
    """The provider cannot be reached or failed."""

    slug = "upstream-unavailable"


class UpstreamThrottledError(ProviderError):
    """The provider asks for fewer calls."""

    slug = "upstream-throttled"


class UpstreamTimeoutError(ProviderError):
    """The provider did not answer in time; whether it made a session is unknown."""

    slug = "upstream-timeout"


class OverloadedError(ProviderError):
    """The provider was not asked, as this service is at its own limit of calls to it."""

    slug = "overloaded"


@contextmanager
def at_upstream(name: str) -> Generator[None]:
    """Say of a provider's failure which account it was."""
    try:
        yield
    except ProviderError as error:
        error.upstream = name
        raise


def forget_frames(error: BaseException | None) -> None:
    """Let go of what the calls held that an error ended, as some hold the error; nobody else may have been given it."""
    while error:
        clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
