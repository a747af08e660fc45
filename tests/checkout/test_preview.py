"""Which rule set each field of an order, and that a preview shows what would be sent."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from service.checkout.buyer import Buyer
from service.checkout.enrichment import enrich
from service.checkout.errors import (
    CartNotAllowedError,
    CheckoutError,
    InvalidQuoteError,
    InvalidRequestError,
    UnknownCheckoutError,
    UnsupportedFieldError,
)
from service.checkout.models import Identity, Item, Order, OrderRequest, Pricing
from service.checkout.ports import UpstreamRequest
from service.checkout.preview import explain
from service.checkout.settings import CheckoutSettings, Condition, PaymentRule
from tests.support.changing import BUYER, CALLER, ChangingWorld
from tests.support.orders import CHECKOUT, REFERENCE, REQUEST
from tests.support.samples import LEVELS, with_member

NOT_SENT = {"checkout", "fresh", "quote", "challenge"}
SETTINGS = replace(
    CHECKOUT,
    default_country="US",
    languages=("en", "de"),
    order_tags={"channel": "web", "release": "{header:X-Release}"},
    lock_quantity=True,
    payment_methods=(
        PaymentRule(when=Condition(country=("DE",)), order=("SEPA", "CARD"), hide=("WIRE",)),
        PaymentRule(order=("CARD",), hide=("WIRE",)),
    ),
)
BARE = OrderRequest(items=(Item(product="pro-license"),))


def whole(order: Order) -> UpstreamRequest:
    """What a provider that has a word for everything would be sent."""
    return UpstreamRequest(method="POST", segments=("sessions",), body=msgspec.json.encode(order))


def rules(request: OrderRequest, buyer: Buyer = CALLER, checkout: CheckoutSettings = SETTINGS) -> dict[str, str]:
    """The rule of each path."""
    order = enrich("shop", checkout, request, buyer, reference=REFERENCE)
    fields = explain("shop", checkout, request, buyer, order, whole)
    assert len(fields) == len({field.path for field in fields})
    return {field.path: field.rule for field in fields}


def fullest() -> OrderRequest:
    """A request with every member at every level."""
    document: dict[str, Any] = {
        "items": [{"product": "sample"}],
        "returnUrl": "https://a.b/",
        "cancelUrl": "https://c.d/",
    }
    for _, path, values in LEVELS:
        for member, value in values.items():
            document = with_member(document, path, member, value)
    return msgspec.json.decode(msgspec.json.encode(document | {"language": "de"}), type=OrderRequest)


def test_every_member_that_a_request_names() -> None:
    """Each is listed to its last leaf and says `request`, whatever the configuration says; `broker_ref` is ours."""
    found = rules(fullest())
    tags = {"orderTags.channel", "orderTags.broker_ref"}

    assert {"orderTags.channel": "checkouts.shop.order_tags.channel", "orderTags.broker_ref": "service"} == {
        path: rule for path, rule in found.items() if path in tags
    }
    assert {"request"} == {rule for path, rule in found.items() if path not in tags}
    names = set(OrderRequest.__struct_encode_fields__) - NOT_SENT
    assert names == {path.partition(".")[0].partition("[")[0] for path in found}
    assert {
        "items[0].pricing.discounts[0].amount.EUR",
        "items[0].descriptions.summary.fr",
        "items[0].inlineProduct.name",
        "customer.shipTo.address.postalCode",
        "paymentMethodsOrder",
        "accountTags.sample",
        "promoCodes",
        "lookup.custom",
    } <= found.keys()


def test_what_the_configuration_adds() -> None:
    """A cart alone gets everything else by a key of the checkout, which is named in full."""
    assert {
        "items[0].product": "request",
        "items[0].quantity": "request",
        "items[0].quantityBehavior": "checkouts.shop.lock_quantity",
        "live": "checkouts.shop.live",
        "country": "checkouts.shop.default_country",
        "language": "checkouts.shop.languages",
        "paymentMethodsOrder": "checkouts.shop.payment_methods[1]",
        "hidePaymentMethods": "checkouts.shop.payment_methods[1]",
        "orderTags.channel": "checkouts.shop.order_tags.channel",
        "orderTags.broker_ref": "service",
    } == rules(BARE)


@pytest.mark.parametrize(
    ("request_changes", "buyer_changes", "rule"),
    [
        ({"country": "DE"}, {"header_country": "AT"}, "request"),
        ({}, {"header_country": "AT"}, "server.country_header"),
        ({}, {}, "checkouts.shop.default_country"),
        ({"country": "DE"}, {"header_country": "AT", "caller": "backoffice"}, "request"),
    ],
)
def test_country(request_changes: dict[str, str], buyer_changes: dict[str, str], rule: str) -> None:
    """It comes from the request, a network's header, or the configuration."""
    assert rule == rules(replace(BARE, **request_changes), replace(BUYER, **buyer_changes))["country"]


@pytest.mark.parametrize(
    ("language", "accepted", "rule"),
    [
        ("de-AT", "en", "request"),
        (None, "fr, de;q=0.5", "Accept-Language"),
        (None, "fr", "checkouts.shop.languages"),
        ("fr", "de", "checkouts.shop.languages"),
        (None, None, "checkouts.shop.languages"),
    ],
)
def test_language(language: str | None, accepted: str | None, rule: str) -> None:
    """It comes from the request or the browser where the checkout speaks it, else from the configuration."""
    assert rule == rules(replace(BARE, language=language), replace(BUYER, accept_language=accepted))["language"]


def test_address() -> None:
    """A connection's address comes from the configured header, a caller's from its request, or there is none."""
    buyer = replace(BUYER, address="8.8.4.4")

    assert "server.client_ip_header" == rules(BARE, buyer)["buyerIp"]
    assert "request" == rules(replace(BARE, buyer_ip="9.9.9.9"), buyer)["buyerIp"]
    assert "buyerIp" not in rules(BARE)


@pytest.mark.parametrize(
    ("named", "order", "hide"),
    [
        ({}, "payment_methods[0]", "payment_methods[0]"),
        ({"payment_methods_order": ("PAYPAL",)}, "request", "payment_methods[0]"),
        ({"hide_payment_methods": ("PAYPAL",)}, "payment_methods[0]", "request"),
        ({"payment_methods_order": (), "hide_payment_methods": ()}, "request", "request"),
    ],
)
def test_payment_methods(named: dict[str, object], order: str, hide: str) -> None:
    """Each of the two lists says for itself whether the request or a rule made it."""
    found = rules(replace(BARE, country="DE", **named))

    assert [order, hide] == [
        found[name].removeprefix("checkouts.shop.") for name in ("paymentMethodsOrder", "hidePaymentMethods")
    ]


def test_tags() -> None:
    """A tag of the request says so, also where the configuration has one of that name; an empty one is not listed."""
    found = rules(replace(BARE, order_tags={"channel": "phone"}), replace(CALLER, trusted_headers={"x-release": "7"}))

    assert ("request", "checkouts.shop.order_tags.release") == (found["orderTags.channel"], found["orderTags.release"])
    assert "orderTags.release" not in rules(BARE)


def test_mode_and_lock_of_the_request() -> None:
    """What a caller decides is not the configuration's, wherever in the item it stands."""
    item = Item(product="pro-license", pricing=Pricing(quantity_behavior="allow"))
    found = rules(replace(BARE, live=True, items=(item, Item(product="a", quantity_behavior="hide"))))

    assert "items[0].quantityBehavior" not in found
    assert {"request"} == {
        found[path] for path in ("live", "items[0].pricing.quantityBehavior", "items[1].quantityBehavior")
    }


async def test_preview_is_what_create_sends() -> None:
    """The request that is shown is the one that is then sent, but for our reference; showing it asks nobody."""
    world = ChangingWorld(SETTINGS)
    buyer = replace(BUYER, address="8.8.4.4", accept_language="de", header_country="DE")

    preview = world.service.preview(BARE, buyer)
    assert ([], {}) == (world.provider.orders, world.sessions.by_reference)

    session = (await world.service.create(BARE, buyer)).session
    sent, shown = world.provider.render(world.provider.orders[0]).body, preview.request.body
    reference = msgspec.json.decode(shown)["orderTags"]["broker_ref"]
    assert sent == shown.replace(reference.encode(), session.reference.encode())
    assert reference != session.reference
    assert {field.path: field.rule for field in preview.fields} == {
        path: rule.replace(".shop.", ".default.") for path, rule in rules(BARE, buyer).items()
    }


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"checkout": "none"}, UnknownCheckoutError),
        ({"quote": "a.b.c"}, InvalidQuoteError),
        ({"items": (Item(product="pro-license", quantity=1000),)}, CartNotAllowedError),
        ({"items": (Item(product="a", gift_to=Identity(platform="steam", id="1")),)}, UnsupportedFieldError),
        ({"items": (Item(product="a", pricing=Pricing(price={"XXX": "1.00"})),)}, UnsupportedFieldError),
    ],
)
def test_what_create_refuses_preview_refuses(changes: dict[str, object], kind: type[CheckoutError]) -> None:
    """A preview of what would not be sent says why it would not."""
    with pytest.raises(kind):
        ChangingWorld().service.preview(replace(REQUEST, **changes), BUYER)


def test_what_is_not_sent_has_no_rule() -> None:
    """A field that the provider's request has no place for is not listed, although the order has it."""
    request = replace(BARE, language="de", country="DE", return_url="https://shop.example/")
    order = enrich("shop", SETTINGS, request, CALLER, reference=REFERENCE)
    fields = explain("shop", SETTINGS, request, CALLER, order, lambda one: whole(replace(one, language=None)))

    assert {"language", "country"} & {field.path for field in fields} == {"country"}


def test_what_a_request_cannot_do_without_is_sent() -> None:
    """A field without which the provider could not be asked at all has its rule like any other."""

    def render(order: Order) -> UpstreamRequest:
        if order.country is None:
            raise InvalidRequestError("no country")
        return whole(order)

    request = replace(BARE, country="DE")
    order = enrich("shop", SETTINGS, request, CALLER, reference=REFERENCE)

    assert (
        "request"
        == {field.path: field.rule for field in explain("shop", SETTINGS, request, CALLER, order, render)}["country"]
    )
