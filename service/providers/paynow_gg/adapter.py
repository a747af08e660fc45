"""The call that makes a session at PayNow, one checkout each: with the store's key, or as its customer."""

from datetime import datetime, timedelta
from http import HTTPStatus

from service.checkout.errors import (
    FieldError,
    ProviderError,
    UpstreamCredentialsError,
    UpstreamMisconfiguredError,
    UpstreamRejectedError,
)
from service.checkout.models import Opener, Order, OrderRequest, ProviderSession, Script
from service.checkout.ports import Clock, UpstreamRequest
from service.checkout.session import Session
from service.providers.http import UpstreamAnswer, UpstreamClient
from service.providers.paynow_gg.answers import read_refusal, read_session
from service.providers.paynow_gg.customers import (
    REFUSALS,
    Customers,
    UnknownCustomerError,
    unknown_store,
    with_case_of,
)
from service.providers.paynow_gg.people import person_of
from service.providers.paynow_gg.remembered import Found
from service.providers.paynow_gg.requests import management_request, storefront_request
from service.providers.paynow_gg.settings import PayNowCheckout
from service.providers.paynow_gg.vocabulary import MANAGEMENT, STOREFRONT, check_request


class OutOfDateError(UpstreamMisconfiguredError):
    """What was remembered of a customer is true no more, it seems. It was forgotten, so another attempt asks anew."""

    customer = ""


_SAYS_NO_TO_A_TOKEN = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class PayNow:
    """Sessions of one checkout."""

    name = "paynow_gg"

    def __init__(self, checkout: PayNowCheckout, client: UpstreamClient, clock: Clock) -> None:
        self._checkout = checkout
        self._client = client
        self._clock = clock
        self._customers = client.keep(("customers", checkout.store_id), lambda: Customers(checkout.store_id))
        self._is_managed = checkout.mode == "management"

    def check(self, request: OrderRequest) -> None:
        """Refuse what the checkout's mode has no place for, and ids that cannot be PayNow's.

        Raises:
            UnsupportedFieldError: names every such field.
            InvalidRequestError: names every such id.
        """
        check_request(request, MANAGEMENT if self._is_managed else STOREFRONT, live=self._checkout.live)

    def render(self, order: Order) -> UpstreamRequest:
        """The create call. A customer who is looked up first is named beside it, not in it.

        Raises:
            InvalidRequestError: nothing says who buys.
        """
        if self._is_managed:
            return management_request(order, self._checkout, order.customer_id)
        return storefront_request(order, self._checkout)

    async def create(self, order: Order) -> ProviderSession:
        """Make a session, and its customer before it where that is needed, within one deadline.

        Raises:
            ProviderError: there is no usable answer, by kind.
        """
        deadline, expires_at = self._client.deadline(), self._expiry()
        attempt = self._as_store if self._is_managed else self._as_customer
        try:
            answer = await attempt(order, deadline, "")
        except OutOfDateError as error:
            answer = await attempt(order, deadline, error.customer)
        return read_session(answer.body, expires_at)

    def opener(self, session: Session) -> Opener | None:
        """PayNow.js, which needs the token alone (github.com/paynow-gg/PayNow.js)."""
        if session.token is None:
            return None
        return Opener(
            script=Script(src=self._checkout.builder_url, attributes={}),
            call="PayNow.checkout.open",
            arguments=({"token": session.token},),
            closed={"on": "PayNow.checkout.on", "completed": "completed", "closed": "closed"},
        )

    def _expiry(self) -> datetime:
        return self._clock().replace(microsecond=0) + timedelta(seconds=self._checkout.session_seconds)

    async def _as_store(self, order: Order, deadline: float, doubted: str) -> UpstreamAnswer:
        customer = await self._customer(order, deadline, doubted)
        request = management_request(order, self._checkout, customer.value)
        answer = await self._client.send(request, deadline=deadline)
        if answer.status == HTTPStatus.OK:
            return answer
        raise self._failure(request, answer, order, customer)

    async def _as_customer(self, order: Order, deadline: float, doubted: str) -> UpstreamAnswer:
        request = storefront_request(order, self._checkout)
        if order.customer_token:
            customer, token = Found("", remembered=False), Found(order.customer_token, remembered=False)
        else:
            customer = await self._customer(order, deadline, doubted)
            token = await self._token(order, customer, deadline)
        answer = await self._client.send(request, deadline=deadline, authorization=f"Customer {token.value}")
        if answer.status == HTTPStatus.OK:
            return answer
        if answer.status in _SAYS_NO_TO_A_TOKEN:
            raise with_case_of(read_refusal(answer.body), self._refused_token(order, customer, token))
        raise self._failure(request, answer, order, customer)

    async def _customer(self, order: Order, deadline: float, doubted: str) -> Found:
        """Whose checkout it is. Where a 404 spoke of `doubted`, and that is found again, it spoke of something else."""
        if order.customer_id:
            return Found(order.customer_id, remembered=False)
        found = await self._customers.id_of(person_of(order, self._checkout), self._client, deadline)
        if found.value == doubted:
            raise UpstreamRejectedError("The provider does not know something that this request names.")
        return found

    async def _token(self, order: Order, customer: Found, deadline: float) -> Found:
        try:
            return await self._customers.token_of(customer.value, self._client, deadline)
        except UnknownCustomerError as error:
            raise self._unknown(order, customer) from error

    def _failure(
        self, request: UpstreamRequest, answer: UpstreamAnswer, order: Order, customer: Found
    ) -> ProviderError:
        """By status; a 404 that names a field is about that field, any other about the customer or the store."""
        refusal = read_refusal(answer.body, order)
        if answer.status in REFUSALS:
            return refusal
        if answer.status != HTTPStatus.NOT_FOUND:
            return with_case_of(refusal, self._client.refusal(request, answer))
        if any(error.field != "customerId" for error in refusal.errors):
            return refusal
        unknown = self._unknown(order, customer, _gifted(order))
        if isinstance(unknown, OutOfDateError):
            unknown.customer = customer.value
        return with_case_of(refusal, unknown)

    def _unknown(self, order: Order, customer: Found, gifted: tuple[str, ...] = ()) -> ProviderError:
        """Who is not known: whom the order names, who was remembered, or nobody in this store."""
        if order.customer_token or order.customer_id:
            return _refused("The provider knows no such customer.", _buyer_field(order), *gifted)
        if customer.remembered:
            self._forget(order, customer)
            return OutOfDateError("The provider does not know this customer any more.")
        return _refused("The provider knows no such customer.", *gifted) if gifted else unknown_store()

    def _refused_token(self, order: Order, customer: Found, token: Found) -> ProviderError:
        if order.customer_token:
            return _refused("The provider does not accept this token.", _buyer_field(order))
        self._customers.forget_token(customer.value, token.value)
        if not token.remembered:
            return UpstreamCredentialsError("The provider does not accept the token that it made.")
        self._forget(order, customer)  # whose tokens may have ended with them
        return OutOfDateError("The provider does not accept this customer's token any more.")

    def _forget(self, order: Order, customer: Found) -> None:
        if not order.customer_id:
            self._customers.forget(person_of(order, self._checkout), customer.value)


def _buyer_field(order: Order) -> str:
    return "customerToken" if order.customer_token else "customerId"


def _gifted(order: Order) -> tuple[str, ...]:
    """The fields that name other customers than the buyer."""
    named = (f"items[{index}].giftToCustomerId" for index, item in enumerate(order.items) if item.gift_to_customer_id)
    return tuple(named)


def _refused(detail: str, *fields: str) -> UpstreamRejectedError:
    return UpstreamRejectedError(detail, errors=tuple(FieldError(field=field, detail=detail) for field in fields))
