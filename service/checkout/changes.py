"""What a caller can change of a session after it was made, where its provider lets it."""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from service.checkout.buyer import Buyer
from service.checkout.configured import Checkout
from service.checkout.enrichment import enrich, with_locks
from service.checkout.errors import (
    CartNotAllowedError,
    FieldError,
    InvalidRequestError,
    SessionEndedError,
    UnsupportedByProviderError,
    at_upstream,
)
from service.checkout.fields import fields_under
from service.checkout.models import Customer, Item, Order, OrderRequest, SessionItem
from service.checkout.policy import admit, check_card_numbers
from service.checkout.ports import Clock, SessionEditor, SessionStore
from service.checkout.session import PaymentMethodChoice, Session
from service.checkout.session_writer import Plan, SessionWriter

Lines = tuple[SessionItem, ...]


class SessionChanges:
    """Admits changes as policy does new sessions, and plans them."""

    def __init__(self, checkouts: Mapping[str, Checkout], sessions: SessionStore, clock: Clock) -> None:
        self._checkouts = checkouts
        self._writer = SessionWriter(sessions, clock)

    async def payment_methods(self, session: Session) -> PaymentMethodChoice:
        """Which payment methods the session's buyer is offered.

        Raises:
            UnsupportedByProviderError: the provider does not say.
            ProviderError: there is no usable answer, by kind.
        """
        _, editor = self._editable(session)
        with at_upstream(session.upstream):
            return await editor.payment_methods(session.session_id)

    async def replace(self, session: Session, request: OrderRequest, buyer: Buyer) -> Session:
        """Put another customer and cart in the place of the session's; its tags and its mode stay.

        Raises:
            RequestRefusedError: policy says no, or the session is not open.
            ProviderError: the provider did not make the change, or another one.
            StoreRequiredError: the store is down.
        """
        checkout, _ = self._editable(session)
        _refuse_what_a_session_keeps(request, session)
        admit(request, checkout.settings)
        checkout.provider.check(request)

        def plan(record: Session) -> Plan:
            order = _replacement(checkout, record, request, buyer)
            checkout.provider.render(order)  # refuses values that the provider has no words for
            return Plan(lambda editor: editor.replace(record.session_id, order), lambda _: order)

        return await self._change(session, plan)

    async def replace_customer(self, session: Session, customer: Customer) -> Session:
        """Put another customer in the place of the session's; raises like `replace`."""
        checkout, _ = self._editable(session)
        with fields_under("customer."):
            request = OrderRequest(customer=customer)
            check_card_numbers(request)
            checkout.provider.check(request)

        def plan(record: Session) -> Plan:
            return Plan(
                lambda editor: editor.replace_customer(record.session_id, customer),
                lambda lines: _wanted(record, _kept(record, lines)),
            )

        return await self._change(session, plan)

    async def add_item(self, session: Session, item: Item) -> Session:
        """Add a product to the cart; raises like `replace`."""
        checkout, _ = self._editable(session)
        item = _admitted(checkout, session, item)

        def plan(record: Session) -> Plan:
            if not _is_unknown(record) and item.product in {line.product for line in record.items}:
                raise _outside_of_the_rules("This product stands in the cart already: change its quantity instead.")
            if len(record.items) >= (maximum := checkout.settings.max_items):
                raise _outside_of_the_rules(f"At most {maximum} items are allowed.")
            return Plan(
                lambda editor: editor.add_item(record.session_id, item, reference=record.reference),
                lambda lines: _wanted(record, (*_kept(record, lines, but=item.product), _unpriced(item))),
            )

        return await self._change(session, plan)

    async def update_item(self, session: Session, item: Item) -> Session:
        """Put an item in the place of the line of the same product; raises like `replace`."""
        checkout, _ = self._editable(session)
        item = _admitted(checkout, session, item)

        def plan(record: Session) -> Plan:
            if not _is_unknown(record) and item.product not in {line.product for line in record.items}:
                raise _outside_of_the_rules("This product is not in the cart: add it instead.")
            return Plan(
                lambda editor: editor.update_item(record.session_id, item, reference=record.reference),
                lambda lines: _wanted(record, (*_kept(record, lines, but=item.product), _unpriced(item))),
            )

        return await self._change(session, plan)

    async def remove_item(self, session: Session, product: str) -> Session:
        """Take a product out of the cart; raises like `replace`."""

        def plan(record: Session) -> Plan:
            if not _is_unknown(record) and {line.product for line in record.items} == {product}:
                raise _outside_of_the_rules("The last item cannot be removed: retire the session instead.")
            return Plan(
                lambda editor: editor.remove_item(record.session_id, product),
                lambda lines: _wanted(record, _kept(record, lines, but=product)),
            )

        return await self._change(session, plan)

    async def _change(self, session: Session, plan: Callable[[Session], Plan]) -> Session:
        checkout, editor = self._editable(session)
        return await self._writer.change(session, editor, checkout.expectations, plan)

    def _editable(self, session: Session) -> tuple[Checkout, SessionEditor]:
        checkout = self._checkouts.get(session.checkout)
        if (
            checkout is None
            or checkout.settings.upstream != session.upstream
            or checkout.provider.name != session.provider
        ):
            raise SessionEndedError("The checkout that this session was made with is not configured any more.")
        if checkout.editor is None:
            raise UnsupportedByProviderError("The provider of this session has no such operation.")
        return checkout, checkout.editor


def _admitted(checkout: Checkout, session: Session, item: Item) -> Item:
    """The item as policy and the provider's vocabulary let it pass; fields are named as the item has them."""
    request = OrderRequest(items=(item,))
    with fields_under("items[0]."):
        admit(request, checkout.settings)
        checkout.provider.check(request)
        checkout.provider.render(Order(reference=session.reference, items=request.items))
    return with_locks(request.items)[0] if checkout.settings.lock_quantity else item


def _replacement(checkout: Checkout, record: Session, request: OrderRequest, buyer: Buyer) -> Order:
    """The order that takes the place of the session's: what belongs to the session and is not named stays as it is."""
    request = replace(
        request,
        country=request.country or record.country,
        language=request.language or record.language,
        live=record.live,
        order_tags=record.tags | (request.order_tags or {}),
    )
    return enrich(checkout.name, checkout.settings, request, buyer, reference=record.reference)


def _refuse_what_a_session_keeps(request: OrderRequest, session: Session) -> None:
    named = {
        "quote": request.quote is not None,
        "challenge": request.challenge is not None,
        "fresh": request.fresh,
        "live": request.live not in (None, session.live),
        "returnUrl": request.return_url is not None,
        "cancelUrl": request.cancel_url is not None,
    }
    errors = tuple(
        FieldError(field=field, detail="This is decided when a session is made: leave it out.")
        for field, is_set in named.items()
        if is_set
    )
    if errors:
        raise InvalidRequestError("A session cannot change in this.", errors=errors)


def _wanted(record: Session, items: tuple[Item, ...]) -> Order:
    """What a session must be whose cart or customer changed: tags and mode are the record's."""
    return Order(reference=record.reference, items=items, order_tags=record.tags, live=record.live is True)


def _kept(record: Session, lines: Lines, *, but: str | None = None) -> tuple[Item, ...]:
    """What must still be in the cart: each product of the record, in the quantity that it has now.

    A buyer may have changed that in the popup meanwhile, unless it is locked: then it is the record's.
    """
    now = {line.product: line.quantity for line in lines}
    known = lines if _is_unknown(record) else record.items
    return tuple(
        Item(product=line.product, quantity=line.quantity, quantity_behavior="lock")
        if line.locked
        else Item(product=line.product, quantity=now.get(line.product, line.quantity))
        for line in known
        if line.product != but
    )


def _is_unknown(record: Session) -> bool:
    """Whether nobody knows what the cart holds, after a change that failed on the way: then the provider decides."""
    return record.total is None


def _unpriced(item: Item) -> Item:
    """Without its price: a coupon, which the buyer may have typed, has a say in the total."""
    behavior = item.quantity_behavior or (item.pricing and item.pricing.quantity_behavior)
    return replace(item, pricing=None, quantity_behavior=behavior)


def _outside_of_the_rules(detail: str) -> CartNotAllowedError:
    return CartNotAllowedError(detail, errors=(FieldError(field="product", detail=detail),))
