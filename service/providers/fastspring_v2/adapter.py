"""The call that makes a session at FastSpring v2, one checkout each."""

from http import HTTPStatus

from service.checkout.models import Opener, Order, OrderRequest, ProviderSession
from service.checkout.ports import UpstreamRequest
from service.checkout.session import Session
from service.providers.fastspring import popup
from service.providers.fastspring_v2.answers import read_refusal, read_session
from service.providers.fastspring_v2.requests import VOCABULARY, encode, session_request
from service.providers.fastspring_v2.settings import FastSpringV2Checkout
from service.providers.http import UpstreamClient


class FastSpringV2:
    """Sessions of one checkout."""

    name = "fastspring_v2"

    def __init__(self, checkout: FastSpringV2Checkout, client: UpstreamClient) -> None:
        self._checkout = checkout
        self._client = client
        self._segments = checkout.segments()

    def check(self, request: OrderRequest) -> None:
        """Refuse what has no counterpart in v2.

        Raises:
            UnsupportedFieldError: names every such field.
        """
        VOCABULARY.check(request)

    def render(self, order: Order) -> UpstreamRequest:
        """The create call.

        Raises:
            UnsupportedFieldError: a currency or language has no counterpart in v2.
        """
        return UpstreamRequest(method="POST", segments=self._segments, body=encode(session_request(order)))

    async def create(self, order: Order) -> ProviderSession:
        """Make a session; everything that is needed stands in the 201.

        Raises:
            ProviderError: there is no usable answer, by kind.
        """
        request = self.render(order)
        answer = await self._client.send(request)
        if answer.status == HTTPStatus.CREATED:
            return read_session(answer.body)
        if answer.status == HTTPStatus.BAD_REQUEST:
            raise read_refusal(answer.body)
        raise self._client.refusal(request, answer)

    def opener(self, session: Session) -> Opener | None:
        """The Store Builder Library's popup; None without a storefront, or in the mode that is not the storefront's."""
        if self._checkout.storefront is None or session.live != self._checkout.live:
            return None
        return popup(self._checkout.storefront, self._checkout.builder_url, session.session_id)
