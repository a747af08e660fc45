"""What a shop configures for PayNow: keys as they are pasted, rules, warnings, and who may claim to be whom."""

import msgspec
import pytest
from msgspec.structs import replace

from service.checkout.models import Customer, Identity, Item, OrderRequest
from service.config.reader import Reader
from service.config.secret import Secret
from service.providers.paynow_gg.settings import ApiKey, PayNowCheckout, PayNowUpstream, advice, expectations

STORE = "411486491630370816"
CHECKOUT = PayNowCheckout(upstream="games", live=True, store_id=STORE, browser_identities=("minecraft_java_name",))
UPSTREAM = PayNowUpstream(provider="paynow_gg", credentials=(ApiKey(api_key=Secret("pnapi_v1_x")),))


@pytest.mark.parametrize("key", ["pnapi_v1_x", "APIKey pnapi_v1_x", "apikey  pnapi_v1_x", "APIKEY pnapi_v1_x"])
def test_key_is_sent_with_its_prefix_once(key: str) -> None:
    """A key is taken with or without the prefix that the documentation shows, in either case."""
    upstream = replace(UPSTREAM, credentials=(ApiKey(api_key=Secret(key)),))

    assert ("APIKey pnapi_v1_x",) == upstream.authorizations()


def test_keys_are_tried_newest_first() -> None:
    """Each generation is a header of its own, in the order of the file."""
    upstream = replace(UPSTREAM, credentials=(ApiKey(api_key=Secret("new")), ApiKey(api_key=Secret("old"))))

    assert ("APIKey new", "APIKey old") == upstream.authorizations()


@pytest.mark.parametrize("key", ["a\r\nX: 1", "a\nb", "a b", "clé", "APIKey ", "Bearer pnapi_v1_x", "a\x00"])
def test_key_that_no_header_carries_is_a_fault(key: str) -> None:
    """A key with line ends, spaces or special letters is named at its place in the file, and not repeated."""
    reader = Reader({"KEY": key})
    reader.struct(
        PayNowUpstream, {"provider": "paynow_gg", "credentials": [{"api_key": {"env": "KEY"}}]}, "upstreams.games"
    )
    [fault] = reader.faults

    assert "upstreams.games.credentials[0].api_key" == fault.path
    assert key not in fault.text


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({}, None),
        ({"live": False}, "live"),
        ({"attributes": ("broker_ref",)}, "attributes"),
        ({"store_id": "9223372036854775808"}, "store_id"),
        ({"session_seconds": 300}, "session_seconds"),
        ({"expiry_margin_seconds": 3600}, "session_seconds"),
        ({"session_seconds": 301}, None),
        ({"builder_url": "http://cdn.example/bundle.js"}, "builder_url"),
    ],
)
def test_rules_over_several_keys(changes: dict[str, object], key: str | None) -> None:
    """There is no test mode, a store's id is 64 bits, a session outlives the margin, and common rules hold too."""
    assert ([key] if key else []) == [found for found, _ in replace(CHECKOUT, **changes).faults()]


@pytest.mark.parametrize("store", ["", "abc", "1" * 20, "-1", "411486491630370816\n", "../1"])
def test_store_is_digits(store: str) -> None:
    """A store's id goes into a path, so it is digits alone."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"upstream": "a", "live": True, "store_id": store}, PayNowCheckout)


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({}, []),
        ({"browser_identities": ()}, ["customer_identity"]),
        ({"browser_identities": (), "customer_identity": "name"}, []),
        ({"browser_identities": ("minecraft", "steam")}, ["browser_identities[1]"]),
        ({"browser_identities": ("paynow_name", "paynow")}, ["browser_identities[0]", "browser_identities[1]"]),
        ({"mode": "storefront"}, ["default_country"]),
        ({"mode": "storefront", "default_country": "DE"}, []),
    ],
)
def test_advice(changes: dict[str, object], keys: list[str]) -> None:
    """Warned about: no way for a browser to buy, identities that anybody can claim, a buyer from nowhere."""
    assert keys == [key for key, _ in advice(replace(CHECKOUT, **changes))]


def test_a_browser_claims_only_what_is_listed() -> None:
    """An identity of another platform is named; so is an attribute, by the common rule."""
    items = (Item(product="1", attributes={"a": "b"}),)
    listed = Customer(identity=Identity(platform="minecraft_java_name", id="notch"))
    other = Customer(identity=Identity(platform="steam", id="76561198152492642"))

    assert [] == list(CHECKOUT.refused_from_browsers(OrderRequest(customer=listed)))
    assert [] == list(CHECKOUT.refused_from_browsers(OrderRequest(customer=Customer(email="ada@example.org"))))
    assert ["items[0].attributes.a", "customer.identity"] == list(
        CHECKOUT.refused_from_browsers(OrderRequest(customer=other, items=items))
    )


def test_expected_host_is_paynows() -> None:
    """A checkout page is at PayNow; on this machine only for a sandbox."""
    own = expectations(CHECKOUT, UPSTREAM)
    sandbox = expectations(CHECKOUT, replace(UPSTREAM, base_url="http://127.0.0.1:8010"))

    assert (("checkout.paynow.gg",), False) == (own.hosts, own.loopback)
    assert (("checkout.paynow.gg",), True) == (sandbox.hosts, sandbox.loopback)
