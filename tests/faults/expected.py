"""What must be answered next, as far as that is certain: by what the store holds after all that was done to it."""

from datetime import timedelta
from typing import Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from service.checkout.buyer import Buyer
from service.checkout.models import Item, OrderRequest
from service.checkout.outcome import Outcome
from service.checkout.settings import CheckoutSettings
from tests.support.replicas import HASHER
from tests.support.truth import Truth

Answer = Literal["present", "replayed", "new", "completing", "ended", "mismatch", "unsure"]
Certain = tuple[Answer, Outcome | str | None]  # with the session id, or the whole outcome, that it has to be
_GREY = timedelta(seconds=100)  # more than any clock is wrong


class Wanted(NamedTuple):
    """One request of one buyer, as the provider would see it."""

    buyer: str | None
    checkout: str
    quantity: int
    live: bool
    channel: str


class Ask(Struct, frozen=True):
    """One request as it is sent."""

    buyer: Buyer
    checkout: str
    quantity: int
    fresh: bool = False
    key: str | None = None

    @property
    def request(self) -> OrderRequest:
        items = (Item(product="pro-license", quantity=self.quantity),)
        return OrderRequest(checkout=self.checkout, items=items, country="DE", fresh=self.fresh)

    @property
    def key_id(self) -> tuple[str | None, ...] | None:
        """Whose idempotency key it is."""
        return (self.buyer.caller, None if self.buyer.caller else self.buyer.key, self.checkout, self.key)

    def wanted(self, settings: CheckoutSettings) -> Wanted:
        return Wanted(self.buyer.key, self.checkout, self.quantity, settings.live, settings.order_tags["channel"])


class Expected:
    """Sessions by what leads to them. None stands for what is not certain; what is not there is certainly not."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._linked: dict[Wanted, str | None] = {}
        self._latest: dict[tuple[str, str], str | None] = {}
        self._records: dict[str, Literal["open", "pending", "over"] | None] = {}
        self._kept: dict[object, tuple[Wanted, Outcome] | None] = {}

    def answer_to(self, ask: Ask, settings: CheckoutSettings) -> Certain:
        """What has to be answered now."""
        wanted = ask.wanted(settings)
        if ask.key and ask.key_id in self._kept:
            return self._answer_again(ask, wanted, settings)
        if ask.fresh or not wanted.buyer or wanted not in self._linked:
            return "new", None
        session_id = self._linked[wanted]
        fate = self._fate(session_id, settings)
        return ("new", None) if fate == "ended" else (fate, session_id)

    def _answer_again(self, ask: Ask, wanted: Wanted, settings: CheckoutSettings) -> Certain:
        kept = self._kept[ask.key_id]
        if kept is None:
            return "unsure", None
        if kept[0] != wanted:
            return "mismatch", None
        fate = self._fate(kept[1].session.session_id, settings)
        if fate == "present":
            return "replayed", replace(kept[1], replayed=True)
        if ask.fresh and fate != "unsure":
            return "new", None
        return fate, kept[1].session.session_id

    def _fate(
        self, session_id: str | None, settings: CheckoutSettings
    ) -> Literal["present", "completing", "ended", "unsure"]:
        if session_id is None or self._records[session_id] is None:
            return "unsure"
        made = self._truth.made[session_id]
        over_margin = self._truth.left_of(session_id) - timedelta(seconds=settings.expiry_margin_seconds)
        if self._records[session_id] == "over":
            return "ended"
        if self._records[session_id] == "pending" and made.state == "pending":
            return "completing"
        if abs(over_margin) <= _GREY:
            return "unsure"
        if over_margin < timedelta() or made.state not in {"open", "pending"}:
            return "ended"
        return "present" if made.state == "open" else "completing"

    def learn(self, ask: Ask, settings: CheckoutSettings, outcome: Outcome, *, is_new: bool) -> None:
        """An ask was answered, with one session, while the store was well."""
        wanted, session_id = ask.wanted(settings), outcome.session.session_id
        if self.answer_to(ask, settings)[0] == "unsure":
            self.doubt(ask.buyer.key, ask.checkout)
        self._look(self._looked_at(ask, settings), settings)
        if ask.key:
            is_long = self._truth.left_of(session_id) - timedelta(seconds=settings.expiry_margin_seconds) > _GREY
            self._kept[ask.key_id] = (wanted, replace(outcome, replayed=False)) if is_long else None
        if wanted.buyer and is_new:
            self._supersede(wanted.buyer, wanted.checkout)
            self._latest[wanted.buyer, wanted.checkout] = session_id
        self._records[session_id] = "open"
        if wanted.buyer and (is_new or not outcome.replayed):
            self._linked[wanted] = session_id

    def learn_refusal(self, ask: Ask, settings: CheckoutSettings) -> None:
        """An ask was refused while the store and the provider were well."""
        if self.answer_to(ask, settings)[0] == "unsure":
            self.doubt(ask.buyer.key, ask.checkout)
        self._look(self._looked_at(ask, settings), settings)

    def retired(self, session_id: str, buyer: str | None, checkout: str) -> None:
        """A caller had it retired."""
        self._records[session_id] = "over"
        self._unlink(session_id)
        if buyer and self._latest.get((buyer, checkout)) == session_id:
            del self._latest[buyer, checkout]

    def blur(self, ask: Ask, settings: CheckoutSettings) -> None:
        """Something was asked, and who knows what became of it."""
        wanted = ask.wanted(settings)
        self.doubt(wanted.buyer, wanted.checkout)
        if ask.key:
            self._kept[ask.key_id] = None
        if wanted.buyer:
            self._latest[wanted.buyer, wanted.checkout] = None
            same = [one for one in self._linked if one[:2] == wanted[:2]]
            self._linked.update(dict.fromkeys([wanted, *same]))

    def doubt(self, buyer: str | None, checkout: str) -> None:
        """Who knows what the records of a buyer say."""
        pseudonym = HASHER.pseudonym(buyer) if buyer else None
        for made in self._truth.made.values():
            if (made.buyer, made.checkout) == (pseudonym, checkout):
                self._records[made.session_id] = None

    def forget(self) -> None:
        """Nothing is certain any more."""
        self._linked = dict.fromkeys(self._linked)
        self._latest = dict.fromkeys(self._latest)
        self._kept = dict.fromkeys(self._kept)
        self._records = dict.fromkeys(self._truth.made)

    def lose(self) -> None:
        """The store is certainly empty."""
        self._linked, self._latest, self._kept = {}, {}, {}
        self._records = dict.fromkeys(self._truth.made)

    def _looked_at(self, ask: Ask, settings: CheckoutSettings) -> str | None:
        """The session whose provider was asked about it because of an ask."""
        wanted = ask.wanted(settings)
        kept = self._kept.get(ask.key_id) if ask.key else None
        if kept:
            return kept[1].session.session_id if kept[0] == wanted else None
        return None if ask.fresh else self._linked.get(wanted)

    def _look(self, session_id: str | None, settings: CheckoutSettings) -> None:
        """What the provider says stands in the record, and nothing leads to what is over."""
        if session_id is None or self._records[session_id] in {None, "over"}:
            return
        left, state = self._truth.left_of(session_id), self._truth.made[session_id].state
        if self._records[session_id] == "open" and left < timedelta(seconds=settings.expiry_margin_seconds):
            return  # nobody asks about what is not handed out anyway
        if state == "pending":
            self._records[session_id] = "pending"
        elif state == "open" and left > timedelta():
            self._records[session_id] = "open"
        else:
            self._records[session_id] = "over"
            self._unlink(session_id)

    def _supersede(self, buyer: str, checkout: str) -> None:
        former = self._latest.get((buyer, checkout), "")
        if former is None:
            self.doubt(buyer, checkout)
        elif former and self._records[former] == "open":
            self._records[former] = "over"
            self._unlink(former)

    def _unlink(self, session_id: str) -> None:
        self._linked = {wanted: one for wanted, one in self._linked.items() if one != session_id}
