"""The rest of a FastSpring v2 session's life: read, and changed in whole or in part, by its id."""

from http import HTTPStatus

from msgspec.structs import replace

from service.checkout.errors import (
    SessionEndedError,
    UpstreamInvalidError,
    UpstreamRejectedError,
    UpstreamThrottledError,
)
from service.checkout.models import Customer, Item, Order, ProviderSession
from service.checkout.ports import UpstreamRequest
from service.checkout.session import PaymentMethodChoice
from service.providers.fastspring_v2 import requests
from service.providers.fastspring_v2.answers import (
    is_unknown_session,
    read_payment_methods,
    read_refusal,
    read_session,
)
from service.providers.fastspring_v2.settings import FastSpringV2Checkout
from service.providers.http import UpstreamClient

# Where in a session that stands which a call is about: in their words, and in ours.
_PLACES = {"": ("", ""), "customer": ("customer.", "customer."), "cart": ("cart.lineItems[0].", "items[0].")}


class FastSpringV2Editor:
    """The calls that take a session's id. All need the seller's credentials for what a browser must not set."""

    def __init__(self, checkout: FastSpringV2Checkout, client: UpstreamClient, deadline: float | None = None) -> None:
        self._checkout = checkout
        self._client = client
        self._deadline = deadline
        self._segments = checkout.segments()

    def for_one_change(self) -> "FastSpringV2Editor":
        """The same, with one deadline for everything that is asked of it."""
        return FastSpringV2Editor(self._checkout, self._client, self._client.deadline())

    async def read(self, session_id: str) -> ProviderSession:
        """`GET /{id}`."""
        session = read_session(await self.document(session_id))
        if session.session_id != session_id:
            raise UpstreamInvalidError("The provider answered with another session.")
        return session

    async def payment_methods(self, session_id: str) -> PaymentMethodChoice:
        """`GET /{id}` too, as the endpoint for the methods alone leaves the hidden ones out."""
        return read_payment_methods(await self.document(session_id))

    async def document(self, session_id: str) -> bytes:
        """`GET /{id}`, not read yet."""
        return await self._call("GET", session_id)

    async def replace(self, session_id: str, order: Order) -> None:
        """`PUT /{id}`: overwrites customer, items and custom prices with what is sent."""
        await self._call("PUT", session_id, body=requests.encode(requests.session_request(order)))

    async def replace_customer(self, session_id: str, customer: Customer) -> None:
        """`PUT /{id}/customer`."""
        body = requests.customer_request(Order(reference="", customer=customer)) or requests.Customer()
        await self._call("PUT", session_id, "customer", body=requests.encode(body))

    async def add_item(self, session_id: str, item: Item, *, reference: str) -> None:
        """`POST /{id}/cart/items`."""
        body = requests.encode(requests.line_request(item, reference))
        await self._call("POST", session_id, "cart", "items", body=body)

    async def update_item(self, session_id: str, item: Item, *, reference: str) -> None:
        """`PUT /{id}/cart/items/{product}`."""
        body = requests.encode(requests.line_request(item, reference))
        await self._call("PUT", session_id, "cart", "items", product=item.product, body=body)

    async def remove_item(self, session_id: str, product: str) -> None:
        """`DELETE /{id}/cart/items/{product}`: 204, and 400 when the product is not in the cart."""
        await self._call("DELETE", session_id, "cart", "items", product=product)

    async def _call(
        self, method: str, session_id: str, *parts: str, product: str | None = None, body: bytes = b""
    ) -> bytes:
        """The body of a success.

        Raises:
            SessionEndedError: FastSpring does not know the session (any more).
            ProviderError: there is no usable answer, by kind; fields are named as in what was given.
        """
        products = () if product is None else (product,)
        request = UpstreamRequest(
            method=method,
            segments=(*self._segments, session_id, *parts, *products),
            route=(*self._segments, "{session}", *parts, *("{product}" for _ in products)),
            body=body,
        )
        answer = await self._client.send(request, deadline=self._deadline)
        if answer.status in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}:
            return answer.body
        if answer.status == HTTPStatus.BAD_REQUEST:
            raise _refusal(answer.body, *_PLACES["".join(parts[:1])])
        if answer.status == HTTPStatus.NOT_FOUND:
            if is_unknown_session(answer.body):
                raise SessionEndedError("The provider does not know this session any more.")
            # The session was made at this checkout, so the path is right, also where this process has not used it yet.
            raise UpstreamThrottledError(
                "The provider asks for fewer calls.", retry_after_seconds=answer.retry_after_seconds
            )
        raise self._client.refusal(request, answer)


def _refusal(body: bytes, theirs: str, ours: str) -> UpstreamRejectedError:
    """A 400 to a part of a session; a field that the part does not have is not named."""
    refusal = read_refusal(body, theirs)
    refusal.errors = tuple(
        replace(error, field=error.field.removeprefix(ours)) for error in refusal.errors if error.field.startswith(ours)
    )
    return refusal
