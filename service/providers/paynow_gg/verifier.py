"""What became of a PayNow session, by the orders that its store has of it."""

from http import HTTPStatus

from service.checkout.errors import UpstreamInvalidError
from service.checkout.ports import UpstreamRequest
from service.checkout.session import Session, State
from service.providers.base import VERIFY_SECONDS
from service.providers.http import UpstreamClient
from service.providers.paynow_gg.answers import read_refusal, read_state
from service.providers.paynow_gg.customers import unknown_store, with_case_of
from service.providers.paynow_gg.settings import PayNowCheckout
from service.providers.paynow_gg.vocabulary import is_flake_id


class PayNowVerifier:
    """Asks for the orders of one store, with the store's key whichever call made the session."""

    def __init__(self, checkout: PayNowCheckout, client: UpstreamClient) -> None:
        self._segments = ("v1", "stores", checkout.store_id, "orders")
        self._client = client

    async def state(self, session: Session) -> State:
        """`GET .../orders?checkout_id=`, the only way to ask: a checkout itself cannot be read.

        Raises:
            ProviderError: there is no usable answer, by kind.
        """
        request = self._request(session.session_id)
        answer = await self._client.send(request, deadline=self._client.deadline(at_most_seconds=VERIFY_SECONDS))
        if answer.status == HTTPStatus.OK:
            return read_state(answer.body, session.session_id)
        # The list of a checkout without orders is empty, so a 404 is about the store.
        is_unknown = answer.status == HTTPStatus.NOT_FOUND
        failure = unknown_store() if is_unknown else self._client.refusal(request, answer)
        raise with_case_of(read_refusal(answer.body), failure)

    def _request(self, session_id: str) -> UpstreamRequest:
        if not is_flake_id(session_id):
            failure = UpstreamInvalidError("This session's id cannot be the provider's.")
            failure.sent = False
            raise failure
        return UpstreamRequest(method="GET", segments=self._segments, query=(("checkout_id", session_id),))
