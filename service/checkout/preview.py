"""What would be sent, and why: which rule set each field of an order; pure."""

from collections.abc import Callable, Iterator

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from service.checkout.buyer import Buyer
from service.checkout.enrichment import choose_country, choose_language, choose_payment_methods
from service.checkout.errors import RequestRefusedError
from service.checkout.models import Order, OrderRequest
from service.checkout.ports import UpstreamRequest
from service.checkout.quotes.claims import Quote
from service.checkout.settings import BROKER_REFERENCE, CheckoutSettings

# Not the provider's: what chooses the checkout, or asks this service alone for something.
_OUR_OWN = frozenset({"checkout", "fresh", "quote", "challenge", "reference", "pseudonym"})


class ShownRequest(Struct, frozen=True, kw_only=True):
    """An upstream request to look at: the address in full, secrets masked.

    `customer` names the provider's customer, who is looked up before the call and is missing in the request until then.
    """

    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    customer: str | None = None


class FieldRule(Struct, frozen=True, kw_only=True):
    """A field in our vocabulary, and what set it: a key of the configuration, a header, or one of three words.

    These are `request`, `quote` and `service`.
    """

    path: str
    rule: str


class Preview(Struct, frozen=True, kw_only=True):
    """The request that would be sent, with the rule of each field."""

    request: ShownRequest
    fields: tuple[FieldRule, ...]


def explain(  # noqa: PLR0913, PLR0917  # each is another source of what stands in an order
    name: str,
    checkout: CheckoutSettings,
    request: OrderRequest,
    buyer: Buyer,
    order: Order,
    render: Callable[[Order], UpstreamRequest],
    quote: Quote | None = None,
) -> tuple[FieldRule, ...]:
    """The rule behind each field of an order that `enrich` made of these, as far as it changes what is sent."""
    key = f"checkouts.{name}"
    country = choose_country(checkout, request, buyer, quote)
    language = choose_language(checkout, request, buyer)
    unnamed = replace(request, payment_methods_order=None, hide_payment_methods=None)
    payment = choose_payment_methods(checkout, unnamed, country.value, language.value).rule
    rules = {
        "live": "request" if request.live is not None else f"{key}.live",
        "country": _of_checkout(key, country.rule),
        "language": _of_checkout(key, language.rule),
        "buyerIp": "request" if request.buyer_ip else "server.client_ip_header",
        "paymentMethodsOrder": "request" if request.payment_methods_order is not None else _of_checkout(key, payment),
        "hidePaymentMethods": "request" if request.hide_payment_methods is not None else _of_checkout(key, payment),
        **{f"orderTags.{tag}": f"{key}.order_tags.{tag}" for tag in checkout.order_tags},
        **{f"orderTags.{tag}": "request" for tag in request.order_tags or ()},
        f"orderTags.{BROKER_REFERENCE}": "service",
        **{
            f"items[{index}].quantityBehavior": f"{key}.lock_quantity"
            for index, item in enumerate(request.items)
            if item.quantity_behavior is None
        },
    }
    sent = frozenset(_sent(order, render))
    return tuple(FieldRule(path=path, rule=rules.get(path, "request")) for path in _paths(order, sent))


def naming_quote(rules: tuple[FieldRule, ...], request: OrderRequest, quoted: OrderRequest) -> tuple[FieldRule, ...]:
    """The rules with `quote` at what stands in the quote and not in the request."""
    added = _said(quoted) - _said(request)
    return tuple(replace(one, rule="quote") if one.rule == "request" and one.path in added else one for one in rules)


def _said(request: OrderRequest) -> set[str]:
    return {path for name, value in msgspec.to_builtins(request).items() for path in _leaves(name, value)}


def _of_checkout(key: str, rule: str) -> str:
    """Rules name a key of the checkout, or something outside of it."""
    return rule if rule in {"request", "Accept-Language", "server.country_header"} else f"{key}.{rule}"


def _sent(order: Order, render: Callable[[Order], UpstreamRequest]) -> Iterator[str]:
    """The members of an order without which, or with another value of which, something else would be sent."""
    whole = render(order)
    for name, spelled in zip(order.__struct_fields__, order.__struct_encode_fields__, strict=True):
        value = getattr(order, name)
        if spelled == "items":
            yield spelled
        elif spelled not in _OUR_OWN and value is not None:
            other = not value if isinstance(value, bool) else None
            if _differs(replace(order, **{name: other}), render, whole):
                yield spelled


def _differs(order: Order, render: Callable[[Order], UpstreamRequest], whole: UpstreamRequest) -> bool:
    try:
        return render(order) != whole
    except RequestRefusedError:  # without it there is no request at all
        return True


def _paths(order: Order, sent: frozenset[str]) -> Iterator[str]:
    for name, value in msgspec.to_builtins(order).items():
        if name in sent:
            yield from _leaves(name, value)


def _leaves(path: str, value: object) -> Iterator[str]:
    """Every place of a document that holds a value; a list of texts is one."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _leaves(f"{path}.{name}", one)
    elif isinstance(value, (list, tuple)) and any(isinstance(one, dict) for one in value):
        for index, one in enumerate(value):
            yield from _leaves(f"{path}[{index}]", one)
    elif value is not None:
        yield path
