"""What became of a FastSpring v2 session, as FastSpring itself tells."""

from typing import Literal

import msgspec
from msgspec import Struct

from service.checkout.errors import SessionEndedError, UpstreamInvalidError
from service.checkout.session import Session, State
from service.providers.base import VERIFY_SECONDS
from service.providers.fastspring_v2.editor import FastSpringV2Editor
from service.providers.fastspring_v2.settings import FastSpringV2Checkout
from service.providers.http import UpstreamClient


class StateAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """What of a session speaks of its end. An unknown word makes it unreadable, as it could stand for a payment."""

    id: str
    status: Literal["OPEN", "EXPIRED", "CANCELLED", "PENDING_ORDER", "COMPLETED", "FAILED"]
    checkout_status: tuple[Literal["PRODUCTS_REQUIRED", "READY_FOR_CHECKOUT", "CONCLUDED"], ...]


# What a status says of a payment goes before what `checkoutStatus` says; the other two say nothing of one.
_STATES: dict[str, State] = {
    "PENDING_ORDER": "pending",
    "COMPLETED": "completed",
    "CANCELLED": "abandoned",
    "FAILED": "abandoned",
}
_decode = msgspec.json.Decoder(StateAnswer).decode


class FastSpringV2Verifier:
    """Asks for the sessions of one checkout, with the seller's credentials."""

    def __init__(self, checkout: FastSpringV2Checkout, client: UpstreamClient) -> None:
        self._checkout = checkout
        self._client = client

    async def state(self, session: Session) -> State:
        """`GET /{id}`; a 404 that speaks of the session is its end, any other one throttles.

        Raises:
            ProviderError: there is no usable answer, by kind.
        """
        deadline = self._client.deadline(at_most_seconds=VERIFY_SECONDS)
        editor = FastSpringV2Editor(self._checkout, self._client, deadline)
        try:
            body = await editor.document(session.session_id)
        except SessionEndedError:
            return "expired"
        return _state_of(_read(body, session.session_id))


def _read(body: bytes, session_id: str) -> StateAnswer:
    try:
        answer = _decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise UpstreamInvalidError("The provider's answer cannot be read.") from error
    if answer.id != session_id:
        raise UpstreamInvalidError("The provider answered with another session.")
    return answer


def _state_of(answer: StateAnswer) -> State:
    """`open` needs READY_FOR_CHECKOUT alone.

    Anything else that is OPEN cannot be paid as it is: the buyer, who may change a session as well, has emptied its
    cart. That is `abandoned`, which is never handed out again and still lets a late payment be noted.
    """
    if answer.status in _STATES:
        return _STATES[answer.status]
    if "CONCLUDED" in answer.checkout_status:
        return "completed"
    if answer.status == "EXPIRED":
        return "expired"
    return "open" if answer.checkout_status == ("READY_FOR_CHECKOUT",) else "abandoned"
