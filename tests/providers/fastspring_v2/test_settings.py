"""What a shop configures for FastSpring v2."""

import msgspec
import pytest
from msgspec.structs import replace

from service.config.secret import Secret
from service.providers.fastspring import BasicCredentials, FastSpringUpstream
from service.providers.fastspring_v2.settings import (
    FastSpringV2Checkout,
    advice,
    expectations,
)

UPSTREAM = FastSpringUpstream(
    provider="fastspring_v2",
    credentials=(
        BasicCredentials(username=Secret("new"), password=Secret("pässword:1")),
        BasicCredentials(username=Secret("old"), password=Secret("x")),
    ),
)
CHECKOUT = FastSpringV2Checkout(upstream="acme", live=True, path="acme/popup-checkout")


def test_credentials_are_basic_newest_first() -> None:
    """Each generation is `Basic` of UTF-8, in the order of the file."""
    assert ("Basic bmV3OnDDpHNzd29yZDox", "Basic b2xkOng=") == UPSTREAM.authorizations()


@pytest.mark.parametrize(
    "path", ["acme/popup-checkout", "acme/web-holiday-promo", "fastspring/main", "a.b/c_d", "../x/y"[3:]]
)
def test_path_is_two_plain_segments(path: str) -> None:
    """A store and a checkout, of the closed alphabet, are a path."""
    assert path == msgspec.convert({"upstream": "a", "live": True, "path": path}, FastSpringV2Checkout).path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "acme",
        "/popup",
        "acme/",
        "acme/popup/more",
        "acme//popup",
        "../popup",
        "./popup",
        "acme/..",
        "acme/.",
        "acme%2Fpopup",
        "acme/popup?x",
        "acme/popup#x",
        "acme/popup;x",
        "acme/pop up",
        "acme/popup\n",
        "acme\\popup",
        "acme/pöpup",
        "@evil/popup",
        "a" * 129 + "/popup",
    ],
)
def test_any_other_path_is_refused(path: str) -> None:
    """Nothing that could be read as another path gets into the configuration."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"upstream": "a", "live": True, "path": path}, FastSpringV2Checkout)


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"path": "acme.onfastspring.com/popup-checkout"}, "path", "the store's id alone"),
        ({"builder_url": "http://cdn.example/builder.js"}, "builder_url", "use https"),
        ({"attributes": ("broker_ref",)}, "attributes", "by the service alone"),
    ],
)
def test_fault_names_its_key(changes: dict[str, object], key: str, words: str) -> None:
    """A path that begins with a host, a script without TLS, and the rules of every checkout: each at its key."""
    [(found, text)] = replace(CHECKOUT, **changes).faults()

    assert key == found
    assert words in text


@pytest.mark.parametrize(
    ("live", "storefront", "warned"),
    [
        (True, "acme.onfastspring.com/popup", False),
        (False, "acme.test.onfastspring.com/popup", False),
        (True, "acme.test.onfastspring.com/popup", True),
        (False, "acme.onfastspring.com/popup", True),
        (True, None, False),
        (False, "pay.shop.example/popup", False),
    ],
)
def test_storefront_of_the_other_mode_is_warned_about(live: bool, storefront: str | None, warned: bool) -> None:  # noqa: FBT001  # a table's columns
    """A test storefront for live sessions, or the reverse, cannot take a payment; an own domain tells nothing."""
    keys = [key for key, _ in advice(replace(CHECKOUT, live=live, storefront=storefront))]

    assert (["storefront"] if warned else []) == keys


def test_expected_hosts_are_fastsprings_and_the_shops() -> None:
    """A checkout page may be at FastSpring, or where the configuration says; on this machine only for a sandbox."""
    checkout = replace(
        CHECKOUT, storefront="pay.shop.example:8443/popup", fallback_url="https://buy.shop.example/{product}"
    )

    own = expectations(checkout, UPSTREAM)
    sandbox = expectations(CHECKOUT, replace(UPSTREAM, base_url="http://127.0.0.1:8010"))

    assert ((".onfastspring.com", "buy.shop.example", "pay.shop.example"), False) == (own.hosts, own.loopback)
    assert ((".onfastspring.com",), True) == (sandbox.hosts, sandbox.loopback)
