"""What a provider's module is made of: its settings, the fields it can express, and how to build its adapter."""

import re
from collections.abc import Callable, Iterator
from itertools import compress
from typing import Annotated, Generic, TypeVar

from msgspec import Meta, Struct
from msgspec.structs import astuple

from service.checkout.acceptance import Expectations
from service.checkout.errors import FieldError, UnsupportedFieldError
from service.checkout.models import Customer, Item, OrderRequest, Pricing
from service.checkout.ports import Clock, Provider, SessionEditor, UpstreamRequest, Verifier
from service.checkout.settings import CheckoutSettings
from service.config.secret import Secret
from service.config.types import LATER, Count, HttpsUrl, Name, OptionalCount, Timeout, url_fault
from service.providers.http import UpstreamClient

VERIFY_SECONDS = 1.5
"""How long a `Verifier` may take at most: a create may have to follow within the 8 seconds that a buyer waits."""


class UpstreamSettings(Struct, frozen=True, kw_only=True):
    """`[upstreams.NAME]`: one account at a provider. Timeouts are in seconds; `total_timeout` covers the whole call."""

    provider: Name
    base_url: HttpsUrl
    webhook_secrets: Annotated[tuple[Secret, ...], LATER] = ()
    connect_timeout: Timeout = 1.0
    read_timeout: Timeout = 5.0
    total_timeout: Timeout = 6.5
    max_attempts: Annotated[int, Meta(ge=1, le=5)] = 2
    max_concurrency: Count = 64
    rate_limit_per_minute: OptionalCount = 240
    reconcile: Annotated[bool, LATER] = False

    def faults(self) -> Iterator[tuple[str, str]]:
        """Rules over several keys."""
        if fault := url_fault(self.base_url):
            yield "base_url", fault
        if not _BASE_URL.fullmatch(self.base_url):
            yield "base_url", "must be scheme, host and at most a plain path: remove the rest"
        if self.connect_timeout > self.total_timeout or self.read_timeout > self.total_timeout:
            yield "total_timeout", "is shorter than a part of it: raise it, or lower the connect and read timeouts"

    def authorizations(self) -> tuple[str, ...]:
        """The `Authorization` header of each credential generation, newest first."""
        raise NotImplementedError


# Everything behind the host is sent as it stands here, so nothing may be left to a library's reading.
_BASE_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]+)*/?")

U = TypeVar("U", bound=UpstreamSettings)
C = TypeVar("C", bound=CheckoutSettings)


class ProviderModule(Struct, Generic[U, C], frozen=True, kw_only=True):
    """Everything the service knows of a provider.

    `no_use_for` names common checkout keys that would have no effect here, so that setting one is an error. `advice`
    yields (key, advice) on a checkout's settings. `edit` is None where a session cannot be changed after it was
    made, `verify` where the provider has no way to ask what became of one. `probe` is a request that changes nothing
    and is granted to good credentials alone. `calls_per_session` is how many calls the making of one may take.
    """

    name: str
    upstream_settings: type[U]
    checkout_settings: type[C]
    build: Callable[[C, UpstreamClient, Clock], Provider]
    no_use_for: frozenset[str] = frozenset()
    advice: Callable[[C], Iterator[tuple[str, str]]] = lambda _: iter(())
    edit: Callable[[C, UpstreamClient], SessionEditor] | None = None
    verify: Callable[[C, UpstreamClient], Verifier] | None = None
    probe: Callable[[C], UpstreamRequest] | None = None
    calls_per_session: int = 1
    expectations: Callable[[C, U], Expectations] = lambda _checkout, _upstream: Expectations(hosts=())


class Vocabulary:
    """Which of our fields a provider can express. Every other field that is set is refused, never dropped."""

    def __init__(
        self, *, order: frozenset[str], customer: frozenset[str], item: frozenset[str], pricing: frozenset[str]
    ) -> None:
        self._order = _Others(OrderRequest, order | _HANDLED_BEFORE)
        self._customer = _Others(Customer, customer)
        self._item = _Others(Item, item | {"pricing"})
        self._pricing = _Others(Pricing, pricing)

    def check(self, request: OrderRequest, *, only_mode: bool | None = None) -> None:
        """Pass a request that can be expressed whole.

        `only_mode` is the `live` of the checkout, where the provider's request has no word for it.

        Raises:
            UnsupportedFieldError: names every field that cannot.
        """
        unsupported = self._order.set_in(request)
        if only_mode is not None and request.live not in (None, only_mode):
            unsupported.append("live")
        if request.customer:
            unsupported += [f"customer.{name}" for name in self._customer.set_in(request.customer)]
        for index, item in enumerate(request.items):
            unsupported += [f"items[{index}].{name}" for name in self._item.set_in(item)]
            if item.pricing:
                unsupported += [f"items[{index}].pricing.{name}" for name in self._pricing.set_in(item.pricing)]
        if unsupported:
            refuse_fields(unsupported)


def refuse_fields(fields: list[str]) -> None:
    """Refuse fields (paths in our vocabulary) that the provider cannot express.

    Raises:
        UnsupportedFieldError: always.
    """
    detail = "The provider of this checkout has no such field: leave it out."
    errors = tuple(FieldError(field=field, detail=detail) for field in fields)
    raise UnsupportedFieldError("The provider of this checkout cannot express a field.", errors=errors)


# Fields that the service itself acts on, whatever the provider: texts are in the request's language, for one.
_HANDLED_BEFORE = frozenset(
    {"checkout", "items", "live", "language", "quote", "challenge", "fresh", "return_url", "cancel_url", "order_tags"}
)


class _Others:
    """The fields of a struct that a provider cannot express."""

    def __init__(self, kind: type[Struct], expressed: frozenset[str]) -> None:
        self._is_other = tuple(name not in expressed for name in kind.__struct_fields__)
        self._names = tuple(compress(kind.__struct_encode_fields__, self._is_other))
        self._unset = (None,) * len(self._names)

    def set_in(self, struct: Struct) -> list[str]:
        """Which of them have a value, as a request spells them. Usually none has: seen without looking at each."""
        values = tuple(compress(astuple(struct), self._is_other))
        if values == self._unset:
            return []
        return [name for name, value in zip(self._names, values, strict=True) if value not in (None, ())]
