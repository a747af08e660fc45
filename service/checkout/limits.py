"""How often a provider may be asked for a session: by address, product, e-mail address, checkout and upstream.

All are sliding windows. Only what is about to make a session is charged, and nothing where it is refused: a session
handed out again, a replay and a follower of somebody else's create cost nothing.

The address limit is the only one that refuses, and it refuses that address alone. Every other one can be filled by a
stranger. So over it a browser is asked for a challenge where one is configured; else, and for callers, the request
passes, is counted, and raises an alarm. An upstream's limits are half of the calls that it grants in a minute for
sessions, and a quarter for questions about sessions that are handed out again: the rest is for callers, and for
browsers whose buyer solved a challenge. `observe` counts, and asks and refuses nobody.
"""

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Annotated, Literal, Protocol
from unicodedata import normalize

from msgspec import Meta, Struct
from msgspec.structs import replace

from service.checkout.asked import Asked
from service.checkout.buyer import Buyer
from service.checkout.errors import FieldError
from service.checkout.fingerprint import Hasher
from service.checkout.limit_errors import ChallengeRequiredError, RateLimitedError, ShownChallenge
from service.checkout.models import Order
from service.checkout.paid_ratio import AS_USUAL, PaidRatio, Step
from service.checkout.payer import has_solved, note_solved
from service.config.types import OptionalCount
from service.observability import alarms, metrics

Kind = Literal["address", "product", "email", "checkout", "upstream", "verification"]
_PART_FOR_SESSIONS, _PART_FOR_QUESTIONS = 2, 4  # a half and a quarter of an upstream's calls
_MINUTE = 60
_HOUR = 3600
_KNOWN_KEYS = 4096  # those of the few products and checkouts are always among them


class LimitsSettings(Struct, frozen=True, kw_only=True):
    """`[limits]`: sliding windows over what would call upstream; 0 turns one off."""

    mode: Literal["enforce", "observe"] = "enforce"
    per_ip_per_minute: OptionalCount = 20
    per_product_per_minute: OptionalCount = 600
    per_email_per_hour: OptionalCount = 20
    per_checkout_per_minute: OptionalCount = 1200
    paid_ratio_floor: Annotated[float, Meta(ge=0, le=1)] = 0.0


class Limit(Struct, frozen=True, kw_only=True):
    """At most `most` in any `seconds` under a key. Where one that `holds` is full, nothing is taken from any."""

    kind: Kind
    key: str
    most: int
    seconds: int
    holds: bool


class LimitStore(Protocol):
    """Where the windows are kept; without the store, in this process for its share."""

    async def take(self, limits: Sequence[Limit]) -> Sequence[float]:
        """One from each, or nothing from any, in one step; of each the seconds until it has room, 0 where it had."""
        ...


class Challenge(Protocol):
    """Who tells people from machines."""

    shown: ShownChallenge

    async def is_solved(self, answer: str | None, buyer: Buyer) -> bool:
        """Whether the answer is good; each is good once."""
        ...


class Strictness(Struct, frozen=True, kw_only=True):
    """How strict to be with one request: what its address limit is divided by, and whether it has to solve a challenge.

    That is `at_once` or `over_limits`, not both: one answer is enough. Where neither is set none is asked for.
    """

    divisor: int
    at_once: Challenge | None
    over_limits: Challenge | None


class Limits:
    """Lets a request pass to the provider, or does not."""

    def __init__(
        self,
        settings: LimitsSettings,
        store: LimitStore,
        paid: PaidRatio,
        hasher: Hasher,
        challenge: Challenge | None = None,
    ) -> None:
        self.paid = paid
        self._settings = settings
        self._enforces = settings.mode == "enforce"
        self._store = store
        self._hasher = hasher
        self._challenge = challenge
        self._key = lru_cache(_KNOWN_KEYS)(hasher.limit)

    def payer(self, buyer: Buyer) -> str | None:
        """On whose account calls to a provider are made; a caller's are on nobody's, and so are all while observing."""
        return self._key("address", buyer.network) if buyer.network and self._enforces else None

    async def admit(self, asked: Asked, order: Order) -> None:
        """Charge a session that is about to be made.

        Raises:
            RateLimitedError: the address has had its share.
            ChallengeRequiredError: the browser has to show first that a person asks.
        """
        step = await self.paid.step(asked.checkout.name)
        strictness = self._strictness(asked.buyer, step)
        if step.asks:
            await self._pass({"paid_ratio"}, strictness.at_once, asked)
        limits = tuple(self._limits_of(asked, order, strictness))
        over = await self._take(limits, asked)
        if over:
            await self._pass(over, strictness.over_limits, asked)
        if over and strictness.over_limits:
            await self._take([replace(limit, holds=limit.kind == "address") for limit in limits], asked)

    async def admit_question(self, asked: Asked) -> None:
        """Charge a question to the provider about a session that is there already.

        Raises:
            ChallengeRequiredError: the browser has to show first that a person asks.
        """
        calls = asked.checkout.calls_per_minute
        if not calls:
            return
        challenge = self._strictness(asked.buyer, AS_USUAL).over_limits
        upstream = asked.checkout.settings.upstream
        most = max(1, calls // _PART_FOR_QUESTIONS)
        limit = self._limit("verification", most, _MINUTE, upstream, holds=challenge is not None)
        if over := await self._take([limit], asked):
            await self._pass(over, challenge, asked)

    def _strictness(self, buyer: Buyer, step: Step) -> Strictness:
        challenge = self._challenge if self._enforces and buyer.caller is None else None
        at_once, over_limits = (challenge, None) if step.asks else (None, challenge)
        return Strictness(divisor=step.divisor, at_once=at_once, over_limits=over_limits)

    async def _take(self, limits: Sequence[Limit], asked: Asked) -> set[str]:
        """Charge all, or none where one that holds is full; the kinds, apart from the address, that have no room.

        Raises:
            RateLimitedError: the address has none.
        """
        waits = await self._store.take(limits) if limits else ()
        over = {limit.kind: wait for limit, wait in zip(limits, waits, strict=True) if wait > 0}
        wait_seconds = over.pop("address", None)
        if wait_seconds is not None:
            verdict: alarms.Verdict = "refused" if self._enforces else "would_be_refused"
            alarms.limit_exceeded("address", verdict, asked.checkout.name)
            if self._enforces:
                detail = "Too many checkouts were asked for from this network."
                raise RateLimitedError(detail, retry_after_seconds=max(1, math.ceil(wait_seconds)))
        return {*over}

    def _limits_of(self, asked: Asked, order: Order, strictness: Strictness) -> Iterator[Limit]:
        settings, buyer, checkout = self._settings, asked.buyer, asked.checkout
        upstream, holds = checkout.settings.upstream, strictness.over_limits is not None
        if buyer.network and settings.per_ip_per_minute:
            most = max(1, settings.per_ip_per_minute // strictness.divisor)
            yield self._limit("address", most, _MINUTE, buyer.network, holds=self._enforces)
        elif buyer.caller is None and settings.per_ip_per_minute:
            metrics.LIMITS_WITHOUT_ADDRESS.inc()
        if settings.per_product_per_minute:
            for product in dict.fromkeys(item.product for item in order.items):
                most = settings.per_product_per_minute
                yield self._limit("product", most, _MINUTE, upstream, product, holds=holds)
        if settings.per_email_per_hour and order.customer and order.customer.email:
            mailbox = mailbox_of(order.customer.email)
            yield self._limit("email", settings.per_email_per_hour, _HOUR, mailbox, holds=holds)
        if settings.per_checkout_per_minute:
            yield self._limit("checkout", settings.per_checkout_per_minute, _MINUTE, checkout.name, holds=holds)
        if checkout.calls_per_minute:
            most = max(1, checkout.calls_per_minute // _PART_FOR_SESSIONS // checkout.calls_per_session)
            yield self._limit("upstream", most, _MINUTE, upstream, holds=holds)

    def _limit(self, kind: Kind, most: int, seconds: int, *named: str, holds: bool) -> Limit:
        key_of = self._hasher.limit if kind == "email" else self._key  # no address is remembered here
        return Limit(kind=kind, key=key_of(kind, *named), most=most, seconds=seconds, holds=holds)

    async def _pass(self, kinds: set[str], challenge: Challenge | None, asked: Asked) -> None:
        """Let whoever is over these limits pass: with a solved challenge where one is asked for, else with an alarm.

        Raises:
            ChallengeRequiredError: it was not solved.
        """
        if challenge:
            await _ask(challenge, asked, kinds)
            return
        would_ask = self._challenge is not None and not self._enforces and asked.buyer.caller is None
        for kind in sorted(kinds):
            alarms.limit_exceeded(kind, "would_be_challenged" if would_ask else "passed", asked.checkout.name)


def mailbox_of(email: str) -> str:
    """What is the same for the usual spellings of one address: case, forms of a letter, quotes, `+tag`, a last dot."""
    local, _, host = normalize("NFKC", email).casefold().rpartition("@")
    return local.strip('"').partition("+")[0] + "@" + host.rstrip(".")


async def _ask(challenge: Challenge, asked: Asked, kinds: set[str]) -> None:
    """Pass whoever has solved the challenge.

    Raises:
        ChallengeRequiredError: it was not.
    """
    answer = asked.request.challenge or None
    is_solved = has_solved() or await challenge.is_solved(answer, asked.buyer)
    for kind in sorted(kinds):
        alarms.limit_exceeded(kind, "solved" if is_solved else "challenged", asked.checkout.name)
    if not is_solved:
        error = FieldError(field="challenge", detail="Was not accepted: each answer is good once, for a short time.")
        detail = "Please show that you are human, and send the answer as `challenge`."
        refusal = ChallengeRequiredError(detail, errors=(error,) if answer else ())
        refusal.challenge = challenge.shown
        raise refusal
    note_solved()
