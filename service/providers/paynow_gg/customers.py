"""PayNow's ids and tokens of a store's customers: looked up, made where there is none, remembered.

Neither call has an idempotency key: two replicas that meet a new buyer at the same moment may make two customers.
"""

from http import HTTPStatus

import msgspec

from service.checkout.errors import (
    FieldError,
    ProviderError,
    UpstreamMisconfiguredError,
    UpstreamRejectedError,
)
from service.checkout.ports import UpstreamRequest
from service.providers.http import UpstreamAnswer, UpstreamClient
from service.providers.paynow_gg.answers import read_customer, read_refusal, read_token
from service.providers.paynow_gg.people import Person
from service.providers.paynow_gg.remembered import Found, Remembered

REFUSALS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY})
_encode = msgspec.json.Encoder().encode


class UnknownCustomerError(UpstreamRejectedError):
    """There is no customer with this id."""


class Customers:
    """The customers of one store, whichever client asks for them."""

    def __init__(self, store_id: str) -> None:
        self._store_id = store_id
        self._ids = Remembered()
        self._tokens = Remembered()

    async def id_of(self, person: Person, client: UpstreamClient, deadline: float) -> Found:
        """The id of a person's customer, who is made where there is none.

        Raises:
            UpstreamRejectedError: there is none, and none can be made of them.
            ProviderError: no usable answer came, by kind.
        """
        return await self._ids.get(person.label, lambda: self._find_or_make(person, client, deadline))

    async def token_of(self, customer_id: str, client: UpstreamClient, deadline: float) -> Found:
        """A token of a customer.

        Raises:
            UnknownCustomerError: there is no such customer.
            ProviderError: no usable answer came, by kind.
        """
        return await self._tokens.get(customer_id, lambda: self._mint(customer_id, client, deadline))

    def forget(self, person: Person, customer_id: str) -> None:
        """PayNow knows no such customer any more."""
        self._ids.forget(person.label, customer_id)

    def forget_token(self, customer_id: str, token: str) -> None:
        """PayNow does not take this token any more."""
        self._tokens.forget(customer_id, token)

    async def _find_or_make(self, person: Person, client: UpstreamClient, deadline: float) -> str:
        found = await self._find(person, client, deadline)
        if found is None and person.new:
            request = UpstreamRequest(method="POST", segments=self._path(), body=_encode(person.new))
            return read_customer((await self._send(request, person, client, deadline)).body, self._store_id)
        if found is None and person.sign_in:
            await self._send(self._sign_in(person.sign_in), person, client, deadline)
            found = await self._find(person, client, deadline)
        if found is None:
            raise _refused(person, UpstreamRejectedError("The provider knows no such player."))
        return found

    async def _find(self, person: Person, client: UpstreamClient, deadline: float) -> str | None:
        request = UpstreamRequest(method="GET", segments=self._path("lookup"), query=(person.query,))
        answer = await client.send(request, deadline=deadline)
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        _require_success(client, request, answer, person)
        name = person.query[1] if person.query[0] == "name" else None
        return read_customer(answer.body, self._store_id, name=name)

    async def _mint(self, customer_id: str, client: UpstreamClient, deadline: float) -> str:
        request = UpstreamRequest(
            method="POST", segments=self._path(customer_id, "tokens"), route=self._path("CUSTOMER", "tokens")
        )
        answer = await client.send(request, deadline=deadline)
        if answer.status == HTTPStatus.NOT_FOUND:
            raise UnknownCustomerError("The provider knows no such customer.")
        _require_success(client, request, answer, None)
        return read_token(answer.body)

    async def _send(
        self, request: UpstreamRequest, person: Person, client: UpstreamClient, deadline: float
    ) -> UpstreamAnswer:
        answer = await client.send(request, deadline=deadline)
        if answer.status == HTTPStatus.NOT_FOUND:
            raise with_case_of(read_refusal(answer.body), unknown_store())
        _require_success(client, request, answer, person)
        return answer

    def _path(self, *below: str) -> tuple[str, ...]:
        return ("v1", "stores", self._store_id, "customers", *below)

    def _sign_in(self, claim: dict[str, str]) -> UpstreamRequest:
        """A Minecraft name may be claimed, and PayNow then makes the customer (docs: signing customers in).

        The call is one of the storefront's, and would need no key.
        """
        return UpstreamRequest(
            method="POST",
            segments=("v1", "store", "customer", "auth"),
            headers={"x-paynow-store-id": self._store_id},
            body=_encode(claim),
        )


def _require_success(
    client: UpstreamClient, request: UpstreamRequest, answer: UpstreamAnswer, person: Person | None
) -> None:
    if answer.status == HTTPStatus.OK:
        return
    refusal = read_refusal(answer.body)
    if answer.status in REFUSALS:
        raise _refused(person, refusal)
    raise with_case_of(refusal, client.refusal(request, answer))


def _refused(person: Person | None, refusal: UpstreamRejectedError) -> UpstreamRejectedError:
    """The refusal, naming where the request says who buys."""
    if person and person.field:
        refusal.errors = (FieldError(field=person.field, detail="The provider knows no such player."),)
    return refusal


def unknown_store() -> ProviderError:
    """What a 404 means for a customer who was known a moment ago."""
    return UpstreamMisconfiguredError("The provider does not know this shop's store.")


def with_case_of(refusal: UpstreamRejectedError, error: ProviderError) -> ProviderError:
    """The error, with PayNow's own id of the failure."""
    error.provider_case = refusal.provider_case
    return error
