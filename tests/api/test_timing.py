"""What the time of an answer tells: nothing of a key, and nothing of what there is.

Times of a busy machine prove nothing, so the figures are of the run in full alone; that the same work is done for each
credential is counted in test_callers.py.
"""

import asyncio
import gc
import math
import random
import statistics
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

import pytest

from service.api.callers import Callers
from service.api.settings import CallerSettings
from service.app import create_app
from service.checkout.errors import UnauthenticatedError
from service.store.embedded import EmbeddedStore
from tests.support.config import PLAIN_CHECKOUT, default_toml, settings_of
from tests.support.full import IN_FULL
from tests.support.running import running
from tests.support.servers import Sandbox

pytestmark = pytest.mark.skipif(not IN_FULL, reason="times are measured in full runs, on an idle machine")

SAMPLES, CALLS = 100_000, 2_000
LIMIT = 4.5
KEYS = [f"{number:02}-{sha256(str(number).encode()).hexdigest()}" for number in range(50)]


@contextmanager
def no_collection() -> Generator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def nanoseconds(work: Callable[[str], object], arms: tuple[str, str], samples: int) -> tuple[list[int], list[int]]:
    """How long each of two inputs takes, each time in an order that is drawn."""
    order = random.Random(7)  # noqa: S311  # an order, not a secret
    taken: tuple[list[int], list[int]] = [], []
    texts = [arm.encode() for arm in arms]
    with no_collection():
        for _ in range(samples):
            for arm in (0, 1) if order.random() < 0.5 else (1, 0):
                asked = texts[arm].decode()  # both at the same place in memory, which can be seen as well
                started = time.perf_counter_ns()
                work(asked)
                taken[arm].append(time.perf_counter_ns() - started)
    return taken


def welch(first: list[int], second: list[int]) -> float:
    """The t of two samples, without the slowest tenth of all, which the machine made."""
    longest = sorted(first + second)[len(first + second) * 9 // 10]
    kept = [[one for one in sample if one <= longest] for sample in (first, second)]
    means, variances = [statistics.fmean(one) for one in kept], [statistics.variance(one) for one in kept]
    return (means[0] - means[1]) / math.sqrt(sum(v / len(one) for v, one in zip(variances, kept, strict=True)))


def by_letter(known: str) -> Callable[[str], bool]:
    """How not to compare: up to the first difference."""

    def compare(asked: str) -> bool:
        return all(one == other for one, other in zip(known, asked, strict=True))

    return compare


@pytest.fixture(scope="module")
def authenticate() -> Callable[[str], object]:
    """The way of a credential through fifty callers."""
    settings = {key: CallerSettings(key_sha256=(sha256(key.encode()).hexdigest(),)) for key in KEYS}
    callers = Callers(settings)

    def ask(key: str) -> None:
        with suppress(UnauthenticatedError):
            callers.authenticate(f"Bearer {key}")

    return ask


FIRST_WRONG, LAST_WRONG, UNKNOWN = f"X{KEYS[0][1:]}", f"{KEYS[0][:-1]}X", "u" * len(KEYS[0])


@pytest.mark.parametrize(
    "arms",
    [(FIRST_WRONG, LAST_WRONG), (LAST_WRONG, UNKNOWN)],
    ids=["first or last letter wrong", "close or far"],
)
def test_keys(authenticate: Callable[[str], object], arms: tuple[str, str]) -> None:
    """How close a key comes cannot be read off the time that the answer takes."""
    t = welch(*nanoseconds(authenticate, arms, SAMPLES))
    print(f"t = {t:.2f} of {SAMPLES} each")  # noqa: T201  # the figure

    assert abs(t) < LIMIT


@pytest.mark.parametrize("other", [KEYS[-1], KEYS[25]], ids=["last", "middle"])
def test_callers(authenticate: Callable[[str], object], other: str) -> None:
    """Which caller somebody is makes no difference that leaves the machine: medians are within a hundredth.

    In the process ten nanoseconds can be seen, from where the caller lies in memory.
    """
    first, second = (statistics.median(one) for one in nanoseconds(authenticate, (KEYS[0], other), SAMPLES // 10))
    print(f"{first:.0f} and {second:.0f} ns")  # noqa: T201  # as above

    assert abs(first - second) < 0.01 * first


def test_a_careless_comparison_would_be_seen() -> None:
    """The control: the same measurement tells a comparison that ends early from the first sample's thousands on."""
    t = welch(*nanoseconds(by_letter(KEYS[0]), (FIRST_WRONG, LAST_WRONG), SAMPLES // 10))
    print(f"t = {t:.2f} of {SAMPLES // 10} each")  # noqa: T201  # as above

    assert abs(t) > LIMIT


def test_unknown_and_forbidden_take_as_long(store: EmbeddedStore, sandbox: Sandbox, tmp_path: Path) -> None:
    """To a site and to a caller, a checkout that is not theirs takes as long as one that there is not: medians within
    5 %.
    """
    digest = sha256(b"outsider").hexdigest()
    toml = default_toml(sandbox.url)
    toml += f'\n[checkouts.other]\n{PLAIN_CHECKOUT}allowed_origins = ["https://other.example"]\n'
    toml += f'[callers.outsider]\nkey_sha256 = ["{digest}"]\nscopes = ["checkout:create"]\ncheckouts = ["other"]\n'
    site = "/checkout", {"Origin": "https://shop.example"}, ("other", "never")
    caller = "/internal/checkout", {"Authorization": "Bearer outsider"}, ("default", "nothing")

    async def medians(path: str, headers: dict[str, str], names: tuple[str, str]) -> list[float]:
        taken: dict[str, list[float]] = {name: [] for name in names}
        async with running(create_app(settings_of(toml, tmp_path), embedded=store.directory)) as client:
            with no_collection():
                for _ in range(CALLS):
                    for name, times in taken.items():
                        body = {"items": [{"product": "pro-license"}], "checkout": name}
                        started = time.perf_counter()
                        answer = await client.post(path, json=body, headers=headers)
                        times.append(time.perf_counter() - started)
                        assert 404 == answer.status_code
        return [statistics.median(times) for times in taken.values()]

    for case in (site, caller):
        forbidden, unknown = asyncio.run(medians(*case))
        print(f"forbidden {forbidden * 1e6:.0f} us, unknown {unknown * 1e6:.0f} us")  # noqa: T201  # as above
        assert abs(forbidden / unknown - 1) < 0.05
