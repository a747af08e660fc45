"""Our wire format where it differs from the core's words: what a browser may send, and what we answer."""

from datetime import datetime
from operator import attrgetter
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from service.checkout.models import Item, ItemFields, Money, Opener, OrderRequest, RequestFields
from service.checkout.outcome import Outcome
from service.checkout.preview import FieldRule, Preview
from service.checkout.session import BrowserState, PlacedOrder, Session, State, TimelineEntry

Restricted = Raw | UnsetType
"""A field that only servers may set: any value of it is taken in, so that it can be refused by name."""


class BrowserItem(ItemFields, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """An item as a browser may send it."""

    pricing: Restricted = UNSET
    quantity_behavior: Restricted = UNSET
    quantity_default: Restricted = UNSET
    custom_price: Restricted = UNSET
    descriptions: Restricted = UNSET
    subscription_overrides: Restricted = UNSET
    inline_product: Restricted = UNSET
    payout_splits: Restricted = UNSET
    metadata: Restricted = UNSET
    gift_to_customer_id: Restricted = UNSET

    def to_item(self) -> Item:
        """The item without anything restricted."""
        return Item(
            product=self.product,
            quantity=self.quantity,
            attributes=self.attributes,
            subscription=self.subscription,
            trial=self.trial,
            gift_to=self.gift_to,
            game_server=self.game_server,
            custom_variables=self.custom_variables,
        )


class BrowserRequest(RequestFields, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """The body of `POST /checkout`."""

    items: Annotated[tuple[BrowserItem, ...], Meta(max_length=100)] = ()
    order_tags: Restricted = UNSET
    buyer_ip: Restricted = UNSET
    payment_methods_order: Restricted = UNSET
    hide_payment_methods: Restricted = UNSET
    live: Restricted = UNSET
    account_id: Restricted = UNSET
    external_account_id: Restricted = UNSET
    account_tags: Restricted = UNSET
    lookup: Restricted = UNSET
    expiration_days: Restricted = UNSET
    customer_id: Restricted = UNSET
    customer_token: Restricted = UNSET
    coupon_id: Restricted = UNSET
    metadata: Restricted = UNSET
    auto_redirect: Restricted = UNSET

    def to_order_request(self) -> OrderRequest:
        """The request without anything restricted: each member that passes is named, so nothing slips through."""
        return OrderRequest(
            checkout=self.checkout,
            coupon=self.coupon,
            customer=self.customer,
            country=self.country,
            language=self.language,
            quote=self.quote,
            challenge=self.challenge,
            return_url=self.return_url,
            cancel_url=self.cancel_url,
            affiliate_code=self.affiliate_code,
            promo_codes=self.promo_codes,
            fresh=self.fresh,
            items=tuple([item.to_item() for item in self.items]),
        )

    def restricted_fields(self) -> list[str]:
        """The fields that are set although only servers may, as paths of the body."""
        fields = _REQUEST_RESTRICTED.set_in(self)
        for index, item in enumerate(self.items):
            fields += [f"items[{index}].{name}" for name in _ITEM_RESTRICTED.set_in(item)]
        return fields


class _Restricted:
    """The restricted members of a kind of struct."""

    def __init__(self, kind: type[Struct]) -> None:
        fields = [field for field in msgspec.structs.fields(kind) if field.default is UNSET]
        self._names = [field.encode_name for field in fields]
        self._values_of = attrgetter(*(field.name for field in fields))
        self._none_set = (UNSET,) * len(fields)

    def set_in(self, struct: Struct) -> list[str]:
        """The names of those that are set."""
        values = self._values_of(struct)
        if values == self._none_set:
            return []
        return [name for name, value in zip(self._names, values, strict=True) if value is not UNSET]


_REQUEST_RESTRICTED = _Restricted(BrowserRequest)
_ITEM_RESTRICTED = _Restricted(BrowserItem)


class WarningAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """Something of the request that the provider ignored, in our words."""

    code: str
    field: str | None
    message: str


class CheckoutAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer of `POST /checkout`: what a page needs to open the session."""

    reference: str
    provider: str
    session_id: str
    token: str | None
    checkout_url: str
    opener: Opener | None
    live: bool | None
    country: str | None
    currency: str | None
    total: Money | None
    expires_at: datetime
    reused: bool
    warnings: tuple[WarningAnswer, ...]

    @classmethod
    def of(cls, outcome: Outcome, warnings: tuple[WarningAnswer, ...]) -> "CheckoutAnswer":
        """The answer for a session that was made or found."""
        session = outcome.session
        return cls(
            reference=session.reference,
            provider=session.provider,
            session_id=session.session_id,
            token=session.token,
            checkout_url=session.checkout_url,
            opener=outcome.opener,
            live=session.live,
            country=session.country,
            currency=session.currency,
            total=session.total,
            expires_at=session.expires_at,
            reused=outcome.reused,
            warnings=warnings,
        )


class BrowserOrder(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """The order as its buyer may see it."""

    id: str
    reference: str | None = None


class BrowserSession(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """The answer of `GET /checkout/{reference}`."""

    reference: str
    state: BrowserState
    order: BrowserOrder | None = None
    return_url: str | None = None


class RecordItem(Struct, frozen=True, kw_only=True, rename="camel"):
    """A line of a record."""

    product: str
    quantity: int


class Record(Struct, frozen=True, kw_only=True, rename="camel"):
    """A session as callers see it."""

    reference: str
    checkout: str
    provider: str
    session_id: str
    state: State
    live: bool | None
    country: str | None
    currency: str | None
    total: Money | None
    items: tuple[RecordItem, ...]
    tags: dict[str, str]
    caller: str | None
    quote: str | None
    created_at: datetime
    expires_at: datetime
    order: PlacedOrder | None
    alarms: tuple[str, ...]
    timeline: tuple[TimelineEntry, ...]

    @classmethod
    def of(cls, session: Session, now: datetime) -> "Record":
        """The record of a stored session at this moment."""
        values = {name: getattr(session, name) for name in cls.__struct_fields__}
        items = tuple(RecordItem(product=item.product, quantity=item.quantity) for item in session.items)
        return cls(**values | {"items": items, "state": session.state_at(now)})


class ReplacementRequest(OrderRequest, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """The body of `PUT /internal/sessions/{reference}`: what the session shall hold from now on."""

    checkout: Annotated[str, Meta(max_length=64, description="That of the session, or left out.")] = ""


class ItemReplacement(Item, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """The body of `PUT /internal/sessions/{reference}/items/{product}`."""

    product: Annotated[str, Meta(max_length=256, description="That of the path, or left out.")] = ""


class UpstreamRequestAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """The upstream request of a preview; secrets are masked, `body` is the JSON as it would be sent.

    `customer` names the provider's customer where that is looked up first: its id then joins the body.
    """

    method: str
    url: str
    headers: dict[str, str]
    body: Raw
    customer: str | None = None


class PreviewAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer of `POST /internal/checkout/preview`."""

    request: UpstreamRequestAnswer
    fields: tuple[FieldRule, ...]

    @classmethod
    def of(cls, preview: Preview) -> "PreviewAnswer":
        """The answer for a preview."""
        shown = preview.request
        request = UpstreamRequestAnswer(
            method=shown.method,
            url=shown.url,
            headers=shown.headers,
            body=Raw(shown.body or b"null"),
            customer=shown.customer,
        )
        return cls(request=request, fields=preview.fields)


class ClientIpAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer of `GET /internal/client-ip`."""

    address: str | None
    source: str
    steps: tuple[str, ...]
