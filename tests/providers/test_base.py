"""What every provider's module is made of."""

import pytest
from msgspec.structs import replace

from service.checkout.errors import UnsupportedFieldError
from service.checkout.models import Customer, Identity, Item, Pricing
from service.providers.base import UpstreamSettings, Vocabulary
from tests.support.orders import ORDER

UPSTREAM = UpstreamSettings(provider="any", base_url="https://api.provider.example")
VOCABULARY = Vocabulary(
    order=frozenset({"country", "customer"}),
    customer=frozenset({"email"}),
    item=frozenset({"product", "quantity"}),
    pricing=frozenset({"price"}),
)


def test_every_field_that_cannot_be_expressed_is_named() -> None:
    """A refusal lists all such fields at every level, as the request spells them."""
    order = replace(
        ORDER,
        country="DE",
        buyer_ip="8.8.4.4",
        payment_methods_order=("CARD",),
        customer=Customer(email="ada@example.org", tax_id="1", identity=Identity(platform="steam", id="1")),
        items=(
            Item(product="a", subscription=False),
            Item(product="b", pricing=Pricing(price={"EUR": "1"}, trial=0, interval_length=2)),
        ),
    )

    with pytest.raises(UnsupportedFieldError) as refused:
        VOCABULARY.check(order)

    assert [
        "buyerIp",
        "paymentMethodsOrder",
        "customer.taxId",
        "customer.identity",
        "items[0].subscription",
        "items[1].pricing.trial",
        "items[1].pricing.intervalLength",
    ] == [error.field for error in refused.value.errors]


def test_what_the_service_does_itself_is_never_refused() -> None:
    """Fields that the service acts on, whatever the provider, and lists that are empty are no fault."""
    VOCABULARY.check(
        replace(
            ORDER,
            live=True,
            fresh=True,
            return_url="https://shop.example/",
            cancel_url="https://shop.example/",
            challenge="answer",
            payment_methods_order=(),
            customer=Customer(email="ada@example.org"),
            items=(Item(product="a", pricing=Pricing(price={"EUR": "1"})),),
        )
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://api.provider.example",
        "https://api.provider.example/",
        "https://api.provider.example:8443/base/v1.2/",
        "https://API.provider.example/...",
        "http://127.0.0.1:8010/a~b",
        "http://[::1]:8010",
        "http://localhost",
    ],
)
def test_good_base_url(url: str) -> None:
    """https anywhere, or plain http on this machine, with at most a plain path."""
    assert [] == list(replace(UPSTREAM, base_url=url).faults())


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://api.provider.example", "use https"),
        ("https://api.provider.example/?a=b", "plain path"),
        ("https://api.provider.example?a", "plain path"),
        ("https://api.provider.example/a//b", "plain path"),
        ("https://api.provider.example//", "plain path"),
        ("https://api.provider.example/a/../b", "plain path"),
        ("https://api.provider.example/..", "plain path"),
        ("https://api.provider.example/.", "plain path"),
        ("https://api.provider.example/%2e%2e/b", "plain path"),
        ("https://api.provider.example/a;b", "plain path"),
        ("https://api.provider.example/ü", "plain path"),
        ("https://ünicode.example", "plain path"),
    ],
)
def test_base_url_that_could_be_read_differently(url: str, words: str) -> None:
    """Queries, dot segments, empty segments and encodings are refused before anything is sent there."""
    [(key, text)] = replace(UPSTREAM, base_url=url).faults()

    assert "base_url" == key
    assert words in text


@pytest.mark.parametrize(
    ("connect", "read", "total", "faults"),
    [(1.0, 5.0, 6.5, 0), (1.0, 1.0, 1.0, 0), (2.0, 1.0, 1.5, 1), (1.0, 2.0, 1.5, 1)],
)
def test_the_whole_call_is_no_shorter_than_its_parts(connect: float, read: float, total: float, faults: int) -> None:
    """A total timeout below the connect or read timeout is a fault."""
    settings = replace(UPSTREAM, connect_timeout=connect, read_timeout=read, total_timeout=total)

    assert ["total_timeout"] * faults == [key for key, _ in settings.faults()]


def test_credentials_are_the_providers_own() -> None:
    """The base has no way to write an `Authorization`; each provider says how."""
    with pytest.raises(NotImplementedError):
        UPSTREAM.authorizations()
