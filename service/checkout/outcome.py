"""What an asker is given, and what is kept of it for whoever asks again with the same idempotency key."""

from msgspec import Struct

from service.checkout.models import Opener
from service.checkout.session import Session


class Outcome(Struct, frozen=True, kw_only=True):
    """A session. `reused` when it was there before, `replayed` when this is what was answered to the key before."""

    session: Session
    opener: Opener | None
    reused: bool
    replayed: bool = False


class Replay(Struct, frozen=True, kw_only=True):
    """The first answer to an idempotency key, and the request that it was for."""

    fingerprint: str
    outcome: Outcome
