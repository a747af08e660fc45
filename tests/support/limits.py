"""The limits' ports played by small real classes, and what a test wants to know of them."""

from collections import Counter
from collections.abc import Awaitable, Sequence

from prometheus_client import REGISTRY

from service.checkout.buyer import Buyer
from service.checkout.errors import CheckoutError
from service.checkout.fingerprint import Hasher
from service.checkout.limit_errors import ShownChallenge
from service.checkout.limits import Challenge, Limit, Limits, LimitsSettings
from service.checkout.paid_ratio import Happening, Hour, PaidRatio

OFF = LimitsSettings(per_ip_per_minute=0, per_product_per_minute=0, per_email_per_hour=0, per_checkout_per_minute=0)
SHOWN = ShownChallenge(provider="turnstile", site_key="0x4AAA")


class MemoryLimits:
    """Counts without a clock: what was taken stays taken."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.asked: list[tuple[Limit, ...]] = []

    async def take(self, limits: Sequence[Limit]) -> Sequence[float]:
        self.asked.append(tuple(limits))
        waits = [30.5 if self.taken[limit.key] >= limit.most else 0.0 for limit in limits]
        if not any(wait and limit.holds for limit, wait in zip(limits, waits, strict=True)):
            self.taken.update(limit.key for limit in limits)
        return waits

    def of(self, kind: str) -> int:
        """How much was taken under all limits of a kind."""
        keys = {limit.key for limits in self.asked for limit in limits if limit.kind == kind}
        return sum(self.taken[key] for key in keys)


class MemoryPaid:
    """One hour that never ends."""

    def __init__(self) -> None:
        self.hours: dict[str, Counter[str]] = {}

    async def note(self, key: str, happening: Happening) -> None:
        self.hours.setdefault(key, Counter())[happening] += 1

    async def last_hour(self, key: str) -> Hour:
        hour = self.hours.get(key, Counter())
        return Hour(hour["minted"], hour["paid"], ever_paid=hour["paid"] > 0)


class KnownAnswers:
    """A challenge to which each of some answers is right once."""

    shown = SHOWN

    def __init__(self, *answers: str) -> None:
        self._answers = set(answers)
        self.asked: list[str | None] = []

    async def is_solved(self, answer: str | None, buyer: Buyer) -> bool:
        self.asked.append(answer)
        if answer not in self._answers:
            return False
        self._answers.remove(answer)
        return True


def limits_of(
    settings: LimitsSettings = OFF,
    store: MemoryLimits | None = None,
    paid: MemoryPaid | None = None,
    challenge: Challenge | None = None,
) -> Limits:
    """Limits in memory; all off when nothing is said."""
    hasher = Hasher(b"k" * 32)
    ratio = PaidRatio(settings.paid_ratio_floor, paid or MemoryPaid(), hasher)
    return Limits(settings, store or MemoryLimits(), ratio, hasher, challenge)


def exceeded() -> Counter[tuple[str, str]]:
    """How often each kind of limit was exceeded so far, by what became of it."""
    metric = next(one for one in REGISTRY.collect() if one.name == "checkout_limits_exceeded")
    samples = (one for one in metric.samples if one.name.endswith("_total"))
    return Counter({(one.labels["kind"], one.labels["verdict"]): int(one.value) for one in samples})


async def refusal(asking: Awaitable[object]) -> type[CheckoutError] | None:
    """The kind of error that it ends with."""
    try:
        await asking
    except CheckoutError as error:
        return type(error)
    return None
