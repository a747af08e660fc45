"""What the service adds to a request, and which rule decided."""

import pytest
from msgspec.structs import replace

from service.checkout.buyer import Buyer
from service.checkout.enrichment import (
    Choice,
    PaymentChoice,
    accepted_languages,
    choose_country,
    choose_language,
    choose_payment_methods,
    enrich,
)
from service.checkout.models import Item, Order, OrderRequest, Pricing
from service.checkout.settings import CheckoutSettings, Condition, PaymentRule
from tests.support.orders import CHECKOUT, REFERENCE, REQUEST

BUYER = Buyer(
    key="b" * 24,
    address="8.8.4.4",
    header_country="AT",
    accept_language="fr-CA, de;q=0.8",
    origin="https://shop.example",
    trusted_headers={"x-release": "r42"},
)


def enriched(checkout: CheckoutSettings, request: OrderRequest = REQUEST, buyer: Buyer = BUYER) -> Order:
    return enrich("default", checkout, request, buyer, reference=REFERENCE)


def with_tags(**templates: str) -> CheckoutSettings:
    return replace(CHECKOUT, order_tags=templates)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("web", "web"),
        ("{checkout}", "default"),
        ("{country}", "DE"),
        ("{language}", "fr"),
        ("{origin}", "https://shop.example"),
        ("{caller}", "backoffice"),
        ("{reference}", REFERENCE),
        ("{header:X-Release}", "r42"),
        ("{header:x-release}/{country}", "r42/DE"),
    ],
)
def test_tags_are_filled_from_the_request(template: str, text: str) -> None:
    """Each variable of a tag's template stands for what is known of this very request."""
    order = enriched(with_tags(tag=template), buyer=replace(BUYER, caller="backoffice"))

    assert {"tag": text, "broker_ref": REFERENCE} == order.order_tags


@pytest.mark.parametrize("template", ["", "{caller}", "{quote}", "{header:X-Other}"])
def test_tag_that_comes_out_empty_is_left_out(template: str) -> None:
    """A tag without a text is not sent at all."""
    assert {"broker_ref": REFERENCE} == enriched(with_tags(tag=template)).order_tags


def test_header_that_no_trusted_proxy_sent_is_empty() -> None:
    """Without a trusted proxy there are no trusted headers, so a template of one has no text."""
    assert {"broker_ref": REFERENCE} == enriched(with_tags(tag="{header:X-Release}"), buyer=Buyer()).order_tags


def test_tags_of_a_caller_win_by_key() -> None:
    """Tags merge: a caller's text replaces the configured one, the others stay, and `broker_ref` stays ours."""
    request = replace(REQUEST, order_tags={"channel": "phone", "desk": "7", "broker_ref": "forged"})

    tags = enriched(with_tags(channel="web", release="{header:X-Release}"), request).order_tags

    assert {"channel": "phone", "release": "r42", "desk": "7", "broker_ref": REFERENCE} == tags


@pytest.mark.parametrize(
    ("source", "asked", "header", "chosen"),
    [
        (("request", "header"), "us", "AT", Choice("US", "request")),
        (("request", "header"), None, "AT", Choice("AT", "server.country_header")),
        (("request", "header"), None, None, Choice("DE", "default_country")),
        (("header", "request"), "US", "AT", Choice("AT", "server.country_header")),
        (("header", "request"), "US", None, Choice("US", "request")),
        (("header", "request"), "US", "FR", Choice("US", "request")),
        (("request", "header"), None, "FR", Choice("DE", "default_country")),
        (("header",), "US", None, Choice("DE", "default_country")),
        (("request",), None, "AT", Choice("DE", "default_country")),
    ],
)
def test_country_by_source(source: tuple[str, ...], asked: str | None, header: str | None, chosen: Choice) -> None:
    """The sources are asked in their order; a header's country that is not served is ignored; then the default."""
    checkout = replace(CHECKOUT, country_source=source, countries=("US", "DE", "AT"), default_country="DE")

    assert chosen == choose_country(checkout, replace(REQUEST, country=asked), replace(BUYER, header_country=header))


@pytest.mark.parametrize("source", [("header", "request"), ("header",), ()])
def test_country_that_a_caller_names_outranks_the_sources(source: tuple[str, ...]) -> None:
    """`country_source` is about browsers: a caller knows its buyer's country."""
    checkout = replace(CHECKOUT, country_source=source, default_country="DE")
    buyer = replace(BUYER, caller="backoffice")

    assert Choice("US", "request") == choose_country(checkout, replace(REQUEST, country="us"), buyer)


def test_country_without_any_source() -> None:
    """Where nothing names a country the provider decides."""
    order = enriched(CHECKOUT, replace(REQUEST, country=None), Buyer())

    assert order.country is None


@pytest.mark.parametrize(
    ("languages", "asked", "header", "chosen"),
    [
        (("en", "de"), "de-AT", None, Choice("de", "request")),
        (("en", "de"), "DE", None, Choice("de", "request")),
        (("en", "de-CH"), "de", None, Choice("de", "request")),
        (("en", "de"), "fr", "de", Choice("en", "languages")),
        (("en", "de"), None, "fr, de-CH;q=0.5, en", Choice("en", "Accept-Language")),
        (("en", "de"), None, "fr, en;q=0.1, de-CH;q=0.9", Choice("de", "Accept-Language")),
        (("en", "de"), None, "fr", Choice("en", "languages")),
        (("en", "de"), None, None, Choice("en", "languages")),
        ((), "fr-CA", "de", Choice("fr", "request")),
        ((), None, "de-AT,en", Choice("de", "Accept-Language")),
        ((), None, None, Choice(None, "languages")),
        ((), "fil", None, Choice(None, "languages")),
        (("fil", "en"), "fil", None, Choice("fil", "request")),
    ],
)
def test_language_by_primary_tag(
    languages: tuple[str, ...], asked: str | None, header: str | None, chosen: Choice
) -> None:
    """The first preference that the checkout speaks, by primary tag; none matches: its first language."""
    checkout = replace(CHECKOUT, languages=languages)

    assert chosen == choose_language(checkout, replace(REQUEST, language=asked), Buyer(accept_language=header))


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        (None, []),
        ("", []),
        ("*", []),
        ("de-AT;q=0.9, EN", ["en", "de"]),
        ("fr;q=0.5, de ; q=0.7, en;q=0.7", ["de", "en", "fr"]),
        ("de;q=2, fr;q=x, en;q=0.1234", []),
        ("de;q=0, en ; q=0.000 ,fr", ["fr"]),
        ("x-klingon, zz9, d1, ü-ü, äö, ;;, de", ["de"]),
        (",".join(["fil"] * 16 + ["de"]), []),
    ],
)
def test_accept_language_is_read_with_care(header: str | None, languages: list[str]) -> None:
    """The most wanted first; only well-formed two-letter tags that are not refused count, of sixteen parts at most."""
    assert languages == accepted_languages(header)


RULES = (
    PaymentRule(when=Condition(country=("DE", "AT"), product=("team-*",), language=("de",)), order=("SEPA",)),
    PaymentRule(when=Condition(country=("DE", "AT")), order=("PAYPAL",), hide=("WIRE",)),
    PaymentRule(when=Condition(product=("pro-*", "team-*")), hide=("PAYPAL",)),
    PaymentRule(when=Condition(language=("fr-CA",)), order=("CARD",)),
)


@pytest.mark.parametrize(
    ("products", "country", "language", "chosen"),
    [
        (["team-1"], "DE", "de", PaymentChoice(("SEPA",), None, "payment_methods[0]")),
        (["other", "team-1"], "AT", "de", PaymentChoice(("SEPA",), None, "payment_methods[0]")),
        (["team-1"], "DE", "en", PaymentChoice(("PAYPAL",), ("WIRE",), "payment_methods[1]")),
        (["other"], "AT", "de", PaymentChoice(("PAYPAL",), ("WIRE",), "payment_methods[1]")),
        (["pro-1"], "US", "fr", PaymentChoice(None, ("PAYPAL",), "payment_methods[2]")),
        (["other"], "US", "fr", PaymentChoice(("CARD",), None, "payment_methods[3]")),
        (["other"], None, None, PaymentChoice(None, None, "provider")),
    ],
)
def test_first_payment_rule_that_holds_decides(
    products: list[str], country: str | None, language: str | None, chosen: PaymentChoice
) -> None:
    """All lists of a condition must match, a product in any line; the first rule decides alone."""
    checkout = replace(CHECKOUT, payment_methods=RULES)
    request = OrderRequest(items=tuple(Item(product=product) for product in products))

    assert chosen == choose_payment_methods(checkout, request, country, language)


@pytest.mark.parametrize(
    ("changes", "chosen"),
    [
        ({"payment_methods_order": ("CARD",)}, PaymentChoice(("CARD",), ("WIRE",), "request")),
        ({"hide_payment_methods": ()}, PaymentChoice(("PAYPAL",), (), "request")),
        (
            {"payment_methods_order": ("CARD",), "hide_payment_methods": ("UPI",)},
            PaymentChoice(("CARD",), ("UPI",), "request"),
        ),
    ],
)
def test_lists_of_a_caller_replace_the_configured_ones(changes: dict[str, object], chosen: PaymentChoice) -> None:
    """A caller's list is taken as it is, each in the place of its own."""
    checkout = replace(CHECKOUT, payment_methods=RULES)

    assert chosen == choose_payment_methods(checkout, replace(REQUEST, **changes), "DE", None)


def test_lock_quantity_spares_what_a_caller_decided() -> None:
    """Every line is locked but those whose behaviour a caller named, on the item or in its pricing."""
    items = (
        Item(product="a"),
        Item(product="b", quantity_behavior="hide"),
        Item(product="c", pricing=Pricing(quantity_behavior="allow")),
        Item(product="d", pricing=Pricing(trial=1)),
    )
    request = replace(REQUEST, items=items)

    locked = enriched(replace(CHECKOUT, lock_quantity=True), request)
    open_ones = enriched(CHECKOUT, request)

    assert ["lock", "hide", None, "lock"] == [item.quantity_behavior for item in locked.items]
    assert items == open_ones.items


@pytest.mark.parametrize(
    ("configured", "asked", "sent"), [(True, None, True), (False, None, False), (True, False, False)]
)
def test_mode_is_configured_and_a_caller_may_override_it(
    configured: bool,  # noqa: FBT001  # a table's column
    asked: bool | None,  # noqa: FBT001  # a table's column
    sent: bool,  # noqa: FBT001  # a table's column
) -> None:
    """`live` comes from the configuration unless the request, a caller's, names it."""
    assert sent is enriched(replace(CHECKOUT, live=configured), replace(REQUEST, live=asked)).live


@pytest.mark.parametrize(
    ("named", "address", "sent"), [(None, "8.8.4.4", "8.8.4.4"), ("9.9.9.9", None, "9.9.9.9"), (None, None, None)]
)
def test_address_is_the_buyers_or_absent(named: str | None, address: str | None, sent: str | None) -> None:
    """The address that a caller names, else the one of the connection's buyer, else none."""
    assert sent == enriched(CHECKOUT, replace(REQUEST, buyer_ip=named), replace(BUYER, address=address)).buyer_ip


def test_everything_else_is_taken_over() -> None:
    """Each member of a request that nothing decides about is the order's too."""
    request = replace(REQUEST, coupon="SPRING10", account_id="a1", return_url="https://shop.example/", fresh=True)

    order = enriched(CHECKOUT, request)

    assert ("SPRING10", "a1", "https://shop.example/", True) == (
        order.coupon,
        order.account_id,
        order.return_url,
        order.fresh,
    )
