"""The call to FastSpring v1, one checkout each."""

from http import HTTPStatus

from service.checkout.errors import UpstreamRejectedError
from service.checkout.models import Opener, Order, OrderRequest, ProviderSession
from service.checkout.ports import UpstreamRequest
from service.checkout.session import Session
from service.providers.fastspring import popup
from service.providers.fastspring_v1.answers import read_refusal, read_session
from service.providers.fastspring_v1.requests import encode, session_request
from service.providers.fastspring_v1.settings import FastSpringV1Checkout
from service.providers.fastspring_v1.vocabulary import check_request
from service.providers.http import UpstreamClient


class FastSpringV1:
    """Sessions of one checkout."""

    name = "fastspring_v1"

    def __init__(self, checkout: FastSpringV1Checkout, client: UpstreamClient) -> None:
        self._checkout = checkout
        self._client = client

    def check(self, request: OrderRequest) -> None:
        """Refuse what v1 cannot express, or does not take together.

        Raises:
            UnsupportedFieldError: names every field, or value, that has no counterpart in v1.
            InvalidRequestError: names what needs another member, or excludes one.
        """
        check_request(request, live=self._checkout.live)

    def render(self, order: Order) -> UpstreamRequest:
        """The create call."""
        body = encode(session_request(order, expiration_days=self._checkout.expiration_days))
        return UpstreamRequest(method="POST", segments=("sessions",), body=body)

    async def create(self, order: Order) -> ProviderSession:
        """Make a session. A refusal is read for its fields, whichever status of the 4xx it comes with.

        Raises:
            ProviderError: there is no usable answer, by kind.
        """
        request = self.render(order)
        answer = await self._client.send(request)
        if answer.status == HTTPStatus.OK:
            return read_session(answer.body, self._checkout)
        refusal = self._client.refusal(request, answer)
        raise read_refusal(answer.body) if isinstance(refusal, UpstreamRejectedError) else refusal

    def opener(self, session: Session) -> Opener | None:
        """The Store Builder Library's popup; None where the storefront is a host alone, so that the page redirects."""
        if "/" not in self._checkout.storefront:
            return None
        return popup(self._checkout.storefront, self._checkout.builder_url, session.session_id)
