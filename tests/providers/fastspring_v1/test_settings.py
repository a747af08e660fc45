"""What a shop configures for FastSpring v1."""

import msgspec
import pytest
from msgspec.structs import replace

from service.checkout.models import Address, Customer, Item, OrderRequest
from service.config.secret import Secret
from service.providers.fastspring import BasicCredentials, FastSpringUpstream
from service.providers.fastspring_v1 import PROVIDER
from service.providers.fastspring_v1.settings import FastSpringV1Checkout, advice, expectations

UPSTREAM = FastSpringUpstream(
    provider="fastspring_v1", credentials=(BasicCredentials(username=Secret("u"), password=Secret("p")),)
)
CHECKOUT = FastSpringV1Checkout(upstream="acme", live=True, storefront="acme.onfastspring.com")
ADA = Customer(email="ada@example.org", first_name="Ada", last_name="Muster", company="Muster AG", phone="1")
STOREFRONT = {"upstream": "a", "live": True}


def test_account_is_the_same_as_for_v2() -> None:
    """One FastSpring account, with the same credentials, serves both versions; a session lives for a day."""
    assert FastSpringUpstream is PROVIDER.upstream_settings
    assert (1, ("email",)) == (CHECKOUT.expiration_days, CHECKOUT.browser_contact)


@pytest.mark.parametrize(
    ("storefront", "page"),
    [
        ("acme.onfastspring.com", "https://acme.onfastspring.com/session/b3Jk"),
        ("acme.onfastspring.com/popup-checkout", "https://acme.onfastspring.com/session/b3Jk"),
        ("pay.shop.example:8443", "https://pay.shop.example:8443/session/b3Jk"),
        ("127.0.0.1:8010/popup-checkout", "http://127.0.0.1:8010/session/b3Jk"),
        ("localhost:8010", "http://localhost:8010/session/b3Jk"),
    ],
)
def test_page_of_a_session(storefront: str, page: str) -> None:
    """The page is on the storefront's host, over https anywhere but on this machine."""
    checkout = msgspec.convert(STOREFRONT | {"storefront": storefront}, FastSpringV1Checkout)

    assert page == checkout.page_of("b3Jk")


@pytest.mark.parametrize(
    "storefront",
    [
        "",
        "https://acme.onfastspring.com",
        "acme.onfastspring.com/",
        "acme.onfastspring.com/a/b",
        "acme.onfastspring.com/..",
        "acme.onfastspring.com/popup?x",
        "acme..onfastspring.com",
        ".onfastspring.com",
        "acme.onfastspring.com:port",
        "me@acme.onfastspring.com",
        "Acme.onfastspring.com",
        "acme.onfastspring.com\n",
        "acme.onfastspring.com/popup\n",
        "acme\\.onfastspring.com",
    ],
)
def test_any_other_storefront_is_refused(storefront: str) -> None:
    """Nothing gets into the configuration that would make another address of it."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(STOREFRONT | {"storefront": storefront}, FastSpringV1Checkout)


@pytest.mark.parametrize(
    "members",
    [
        {"expiration_days": 0},
        {"expiration_days": 8},
        {"browser_contact": ["address"]},
        {"browser_contact": ["first_name"]},
    ],
)
def test_limits(members: dict[str, object]) -> None:
    """A session lives for one to seven days, and a contact has five fields."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(STOREFRONT | {"storefront": "a.example"} | members, FastSpringV1Checkout)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"builder_url": "http://cdn.example/builder.js"}, "builder_url"),
        ({"attributes": ("broker_ref",)}, "attributes"),
    ],
)
def test_fault_names_its_key(changes: dict[str, object], key: str) -> None:
    """A script without TLS and the rules of every checkout: each at its key."""
    assert [key] == [found for found, _ in replace(CHECKOUT, **changes).faults()]


@pytest.mark.parametrize(
    ("browser_contact", "refused"),
    [
        ((), ["email", "firstName", "lastName", "company", "phone"]),
        (("email",), ["firstName", "lastName", "company", "phone"]),
        (("email", "lastName", "phone"), ["firstName", "company"]),
        (("email", "firstName", "lastName", "company", "phone"), []),
    ],
)
def test_browser_contact(browser_contact: tuple[str, ...], refused: list[str]) -> None:
    """Each contact field that is not listed is for callers alone, as it would change an account that is known."""
    checkout = replace(CHECKOUT, browser_contact=browser_contact)

    assert [f"customer.{field}" for field in refused] == list(
        checkout.refused_from_browsers(OrderRequest(customer=ADA))
    )


def test_what_else_a_browser_may_say() -> None:
    """Country and language are open, an attribute needs its list; what v1 has no word for is refused elsewhere."""
    item = Item(product="a", attributes={"license-name": "Ada", "other": "x"})
    customer = Customer(email="ada@example.org", address=Address(city="Berlin"))
    request = OrderRequest(items=(item,), country="DE", language="de", customer=customer)

    assert ["items[0].attributes.other"] == list(
        replace(CHECKOUT, attributes=("license-name",)).refused_from_browsers(request)
    )


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({}, []),
        ({"reuse_seconds": None}, ["reuse_seconds"]),
        ({"reuse_seconds": 1800}, []),
        ({"browser_contact": ()}, []),
        ({"browser_contact": ("email", "phone")}, ["browser_contact"]),
        ({"browser_contact": ("company",)}, ["browser_contact"]),
        ({"live": False}, ["storefront"]),
        ({"live": False, "storefront": "acme.test.onfastspring.com"}, []),
    ],
)
def test_advice(changes: dict[str, object], keys: list[str]) -> None:
    """More than the e-mail from browsers, a storefront of the other mode and re-use to the end are warned about."""
    assert keys == [key for key, _ in advice(replace(CHECKOUT, **({"reuse_seconds": 0} | changes)))]


def test_advice_names_what_is_open() -> None:
    """Whoever reads the warning sees which fields it is about."""
    texts = dict(advice(replace(CHECKOUT, browser_contact=("email", "phone", "company"))))

    assert "can change phone, company of that account" in texts["browser_contact"]
    assert "a paid one may be handed out again" in texts["reuse_seconds"]


def test_expected_host_is_the_storefronts() -> None:
    """A page is on the storefront's host and no other; on this machine only for a sandbox."""
    own = expectations(replace(CHECKOUT, storefront="pay.shop.example:8443/popup"), UPSTREAM)
    sandbox = expectations(CHECKOUT, replace(UPSTREAM, base_url="http://127.0.0.1:8010"))

    assert (("pay.shop.example",), False) == (own.hosts, own.loopback)
    assert (("acme.onfastspring.com",), True) == (sandbox.hosts, sandbox.loopback)
