"""Buyers, carts, clocks, faults and payments in any order: no session goes where it must not, none is made twice."""

import asyncio
import secrets
from collections.abc import Callable, Generator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from msgspec.structs import replace
from prometheus_client import REGISTRY
from redis import Redis

from service.checkout.buyer import Buyer
from service.checkout.errors import (
    CheckoutError,
    IdempotencyMismatchError,
    SessionCompletingError,
    SessionEndedError,
    StoreRequiredError,
)
from service.checkout.outcome import Outcome
from tests.faults.allowed import Allowed
from tests.faults.expected import Answer, Ask, Certain, Expected
from tests.faults.load import IN_FULL
from tests.support.orders import CHECKOUT
from tests.support.proxy import Proxy, proxy
from tests.support.replicas import HASHER, Replica
from tests.support.stores import store_server
from tests.support.toxics import Latency, ResetPeer, Timeout
from tests.support.truth import PAYMENTS, Truth

SKEWS = [timedelta(seconds=seconds) for seconds in (-90, 0, 90)]
SETTINGS = replace(CHECKOUT, verify_after_seconds=0, order_tags={"channel": "web"})
CALLER = Buyer(caller="backoffice")
BUYERS = [Buyer(key="a" * 24), Buyer(key="b" * 24), replace(CALLER, key="b" * 24), CALLER]
FAULTS: dict[str, Callable[[Proxy], None]] = {
    "down": Proxy.down,
    "slow": lambda p: p.add(Latency(latency_ms=250)),
    "silent": lambda p: p.add(Timeout()),
    "reset": lambda p: p.add(ResetPeer()),
}
LOSSES = ["everything", "session", "reuse", "latest", "replay"]
REFUSALS: dict[type[CheckoutError], Answer] = {
    IdempotencyMismatchError: "mismatch",
    SessionCompletingError: "completing",
    SessionEndedError: "ended",
}
ASKS = st.builds(
    Ask,
    buyer=st.sampled_from(BUYERS),
    checkout=st.sampled_from(["default", "default", "default", "other"]),
    quantity=st.sampled_from([1, 1, 1, 2]),
    fresh=st.sampled_from([False, False, False, True]),
    key=st.sampled_from([None, None, "k1", "k2"]),
)
CHANGES: list[dict[str, object]] = [
    {},
    {},
    {"live": True},
    {"live": False},
    {"order_tags": {"channel": "app"}},
    {"order_tags": {"channel": "web"}},
    {"expiry_margin_seconds": 600},
]
REPLICAS = st.integers(0, len(SKEWS) - 1)
Result = Outcome | CheckoutError


class Machine(RuleBasedStateMachine):
    """Three replicas with wrong clocks, before one store that has faults and one provider that knows the truth."""

    def __init__(self, store: Proxy, port: int) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.store, self.raw = store, Redis(port=port)
        self.prefix = secrets.token_hex(4)
        self.truth = Truth()
        self.replicas = [self.runner.run(self.started(skew)) for skew in SKEWS]
        self.expected = Expected(self.truth)
        self.last = Ask(BUYERS[0], "default", 1)
        self.is_well = True
        self.store_recovers_after = self.provider_recovers_after = 0
        self.allowed = Allowed(self.truth)

    async def started(self, skew: timedelta) -> Replica:
        return Replica(self.truth, self.store.port, self.prefix, skew=skew, settings=SETTINGS)

    @rule(ask=ASKS, at=REPLICAS)
    def somebody_asks(self, ask: Ask, at: int) -> None:
        self.last = ask
        self.asked_at_once(ask, [self.replicas[at]])

    @rule(at=REPLICAS, times=st.sampled_from([1, 1, 3, 6]))
    def the_same_one_asks_again(self, at: int, times: int) -> None:
        """On all replicas that have the settings of this one."""
        same = [one for one in self.replicas if one.settings == self.replicas[at].settings]
        self.asked_at_once(self.last, [same[index % len(same)] for index in range(times)])

    @rule(asks=st.lists(st.tuples(ASKS, REPLICAS), min_size=2, max_size=6))
    def everybody_asks_at_once(self, asks: list[tuple[Ask, int]]) -> None:
        """Whatever order they come in."""
        self.faults_go_on()
        before = set(self.truth.made)
        self.results([(ask, self.replicas[at]) for ask, at in asks], before)
        for ask, at in asks:
            self.expected.blur(ask, self.replicas[at].settings)

    @rule(seconds=st.sampled_from([1, 30, 240, 1200, 2700, 3290, 7200]))
    def time_passes(self, seconds: int) -> None:
        self.truth.clock.now += timedelta(seconds=seconds)

    @precondition(lambda self: self.allowed.sessions)
    @rule(which=st.sampled_from([0, 0, 1]), fails=st.sampled_from([False, False, True]))
    def payment_goes_on(self, which: int, *, fails: bool) -> None:
        made = self.truth.made[self.allowed.one(which).session_id]
        if made.state == "open" and self.truth.left_of(made.session_id) <= timedelta():
            return
        made.state = "open" if fails and made.state == "pending" else PAYMENTS.get(made.state, made.state)

    @precondition(lambda self: self.allowed.sessions)
    @rule(which=st.integers(0, 1), at=REPLICAS)
    def caller_retires(self, which: int, at: int) -> None:
        session, failures = self.allowed.one(which), store_failures()
        made = self.truth.made[session.session_id]
        buyer = next((one.key for one in BUYERS if one.key and HASHER.pseudonym(one.key) == made.buyer), None)
        try:
            self.runner.run(self.replicas[at].sessions.retire(session))
        except StoreRequiredError:
            assert not self.is_well or store_failures() != failures
            self.expected.forget()
        else:
            self.allowed.retired.add(session.session_id)
            self.expected.retired(session.session_id, buyer, made.checkout)

    @rule(at=REPLICAS, what=st.sampled_from(CHANGES))
    def replica_changes(self, at: int, what: dict[str, object]) -> None:
        """It gets other settings, or none: then it is started anew."""
        replica = self.replicas[at]
        if not what:
            self.runner.run(replica.close())
            self.replicas[at] = self.runner.run(self.started(SKEWS[at]))
        self.replicas[at].take_settings(replace(replica.settings, **what))

    @rule(fault=st.sampled_from([*FAULTS, *LOSSES, "provider", "provider"]), asks=st.integers(1, 3))
    def something_fails(self, fault: str, asks: int) -> None:
        """The provider or the store for some requests, or the store loses everything of a kind."""
        if fault == "provider":
            self.truth.is_down = True
            self.provider_recovers_after = asks
        elif fault in LOSSES:
            self.store_loses(fault)
        elif self.is_well:
            self.is_well = False
            self.store_recovers_after = asks
            FAULTS[fault](self.store)
            self.expected.forget()

    def store_loses(self, kind: str) -> None:
        if kind == "everything":
            self.raw.flushall()
        for key in self.raw.scan_iter(f"{self.prefix}:*{kind}:*"):
            self.raw.delete(key)
        if self.is_well and kind == "everything":
            self.expected.lose()
        else:
            self.expected.forget()

    def faults_go_on(self) -> None:
        """Each lasts for some requests, as what a shop sees most are well times after a fault."""
        self.provider_recovers_after -= 1
        self.store_recovers_after -= 1
        if self.provider_recovers_after == 0:
            self.truth.is_down = False
        if self.store_recovers_after == 0:
            self.store.clear()
            self.store.up()
            self.runner.run(self.until_store_answers())
            self.is_well = True

    def asked_at_once(self, ask: Ask, replicas: Sequence[Replica]) -> None:
        """The same request on these replicas: what it leads to, and where that is certain, that it is exactly that."""
        self.faults_go_on()
        before, failures = set(self.truth.made), store_failures()
        [answer, *others] = [self.expected.answer_to(ask, one.settings) for one in replicas]
        results = self.results([(ask, one) for one in replicas], before)
        made = set(self.truth.made) - before
        is_sure = self.is_well and store_failures() == failures
        if is_sure and self.truth.is_down:
            assert set() == made
        elif is_sure:
            is_shared = bool(ask.key or (ask.buyer.key and not ask.fresh))
            assert not is_shared or len(made) <= 1
            if answer[0] != "unsure" and all(one == answer for one in others) and (is_shared or len(replicas) == 1):
                self.compare(answer, results, ask, made)
            self.learn(ask, replicas[0], results, made)
        else:
            self.expected.blur(ask, replicas[0].settings)
            if self.is_well:
                self.runner.run(self.until_store_answers())

    def compare(self, answer: Certain, results: list[Result], ask: Ask, made: set[str]) -> None:
        kind, what = answer
        outcomes = [one for one in results if isinstance(one, Outcome)]
        if kind in REFUSALS.values():
            assert {kind} == {REFUSALS.get(type(one)) for one in results if isinstance(one, CheckoutError)}
            assert [] == outcomes
            return
        assert len(results) == len(outcomes), results
        assert (1 if kind == "new" else 0) == len(made)
        if kind == "replayed":
            assert all(what == one for one in outcomes)
            return
        wanted: set[object] = {*made} or {what}
        assert wanted == {one.session.session_id for one in outcomes}
        if ask.key:
            assert 1 == sum(not one.replayed for one in outcomes)
        else:
            assert len(made) == sum(not one.reused for one in outcomes)

    def learn(self, ask: Ask, replica: Replica, results: list[Result], made: set[str]) -> None:
        outcomes = [one for one in results if isinstance(one, Outcome)]
        if not outcomes:
            self.expected.learn_refusal(ask, replica.settings)
        elif len(outcomes) == len(results) and 1 == len({one.session.session_id for one in outcomes}):
            first = min(outcomes, key=lambda one: (one.replayed, one.reused))
            self.expected.learn(ask, replica.settings, first, is_new=bool(made))
        else:
            self.expected.blur(ask, replica.settings)

    def results(self, asks: list[tuple[Ask, Replica]], before: set[str]) -> list[Result]:
        """What all of them get, at once, each looked at by itself."""
        results = self.runner.run(self.gathered(asks))
        self.allowed.used_keys |= {(ask.key_id, ask.wanted(replica.settings)) for ask, replica in asks if ask.key}
        for (ask, replica), result in zip(asks, results, strict=True):
            if isinstance(result, Outcome):
                self.allowed.given(ask, replica.settings, result, before)
            else:
                self.allowed.refused(ask, replica.settings, result)
        return results

    async def gathered(self, asks: list[tuple[Ask, Replica]]) -> list[Result]:
        async def result(ask: Ask, replica: Replica) -> Result:
            try:
                return await replica.service.create(ask.request, ask.buyer, ask.key)
            except CheckoutError as error:
                return error

        return list(await asyncio.gather(*(result(ask, replica) for ask, replica in asks)))

    async def until_store_answers(self) -> None:
        await asyncio.gather(*(one.until_store_answers() for one in self.replicas))

    def teardown(self) -> None:
        for one in self.replicas:
            self.runner.run(one.close())
        self.runner.close()
        self.raw.close()
        self.store.clear()
        self.store.up()


def store_failures() -> float:
    """How often a store was too late, or was left alone for that: a machine that is too busy does that as well."""
    kinds = "TimeoutError", "StoreLeftAloneError"
    return sum(REGISTRY.get_sample_value("checkout_store_failures_total", {"kind": kind}) or 0.0 for kind in kinds)


@pytest.fixture
def port(tmp_path: Path) -> Generator[int]:
    """Where a real server listens."""
    with store_server(tmp_path) as server:
        yield server.port


def test_no_session_goes_where_it_must_not(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever happens in whatever order, a session is its buyer's, its cart's, its mode's, alive and unpaid."""
    monkeypatch.setattr("service.store.commands._PROBE_EVERY_SECONDS", 0.05)
    wanted = settings(
        max_examples=400 if IN_FULL else 15,
        stateful_step_count=60,
        derandomize=not IN_FULL,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    with asyncio.Runner() as runner:
        between = proxy(port)
        store = runner.run(between.__aenter__())
        try:
            run_state_machine_as_test(partial(Machine, store, port), settings=wanted)  # type: ignore[arg-type]  # it takes any factory
        finally:
            runner.run(between.__aexit__(None, None, None))
