"""What a shop configures for FastSpring v1: the storefront that buyers go to, and what a browser may say of a buyer."""

from collections.abc import Iterator
from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta

from service.checkout.acceptance import Expectations
from service.checkout.errors import member_of
from service.checkout.models import OrderRequest
from service.checkout.settings import CheckoutSettings
from service.config.types import HttpsUrl, is_loopback_host, url_fault
from service.providers.fastspring import BUILDER_URL, FastSpringUpstream, mode_advice

ContactField = Literal["email", "firstName", "lastName", "company", "phone"]
CONTACT_FIELDS: dict[ContactField, str] = {
    "email": "email",
    "firstName": "first_name",
    "lastName": "last_name",
    "company": "company",
    "phone": "phone",
}
Storefront = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]{1,5})?(/[A-Za-z0-9_-][A-Za-z0-9._-]*)?$(?!\n)",
        examples=["acme.onfastspring.com"],
    ),
]


class FastSpringV1Checkout(CheckoutSettings, frozen=True, kw_only=True):
    """A storefront: its host alone, or `host/popup-NAME` for the popup that is opened over the page.

    `browser_contact` says which contact fields a browser may set, as a contact updates the account of its e-mail.
    """

    storefront: Storefront
    builder_url: HttpsUrl = BUILDER_URL
    expiration_days: Annotated[int, Meta(ge=1, le=7)] = 1
    browser_contact: tuple[ContactField, ...] = ("email",)

    def page_of(self, session_id: str) -> str:
        """The hosted page of a session: v1 answers with no address. Plain http on this machine, for a sandbox."""
        host = self.storefront.partition("/")[0]
        scheme = "http" if is_loopback_host(_name_of(host)) else "https"
        return f"{scheme}://{host}/session/{session_id}"

    def refused_from_browsers(self, request: OrderRequest) -> Iterator[str]:
        """Attributes outside the list, and what would change the account of somebody whose e-mail is known."""
        yield from CheckoutSettings.refused_from_browsers(self, request)
        for field, name in CONTACT_FIELDS.items():
            if field not in self.browser_contact and getattr(request.customer, name, None) is not None:
                yield member_of("customer", field)

    def faults(self) -> Iterator[tuple[str, str]]:
        """Rules over several keys."""
        yield from CheckoutSettings.faults(self)
        if fault := url_fault(self.builder_url):
            yield "builder_url", fault


def _name_of(host: str) -> str:
    """A host without its port."""
    return urlsplit(f"//{host}").hostname or ""


def advice(checkout: FastSpringV1Checkout) -> Iterator[tuple[str, str]]:
    """What `check` warns about: a storefront of the other mode, accounts that anybody could change, paid sessions."""
    yield from mode_advice(checkout.storefront, live=checkout.live)
    if more := [field for field in checkout.browser_contact if field != "email"]:
        fields = ", ".join(more)
        text = f"whoever knows a buyer's e-mail can change {fields} of that account: leave it to callers"
        yield "browser_contact", text
    if checkout.reuse_seconds is None:
        text = "v1 cannot be asked what became of a session, so a paid one may be handed out again until it expires"
        yield "reuse_seconds", f"{text}: set it"


def expectations(checkout: FastSpringV1Checkout, upstream: FastSpringUpstream) -> Expectations:
    """The one host that a checkout page is on."""
    return Expectations(
        hosts=(_name_of(checkout.storefront),),
        loopback=is_loopback_host(urlsplit(upstream.base_url).hostname or ""),
    )
