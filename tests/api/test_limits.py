"""Limits and challenges as a browser meets them."""

import secrets
from collections.abc import Callable

import httpx
import pytest

from tests.support.config import ORIGIN, default_toml
from tests.support.servers import Sandbox

MakeBroker = Callable[..., httpx.Client]
ORDER = {"items": [{"product": "pro-license"}], "country": "DE"}
ADA, EVE = "198.51.100.7", "203.0.113.9"
CHALLENGE = """
[challenge]
provider = "{provider}"
site_key = "0x4AAA"
secret = {{ env = "SANDBOX_PASSWORD" }}
base_url = "{url}"
"""


def toml(sandbox: Sandbox, limits: str, *, challenge: str | None = None, upstream: str = "") -> str:
    """The usual configuration with other limits."""
    text = default_toml(sandbox.url).replace("per_ip_per_minute = 1000000", limits)
    text = text.replace("[checkouts.default]", f"{upstream}\n[checkouts.default]")
    return text + (CHALLENGE.format(provider=challenge, url=sandbox.url) if challenge else "")


def ask(broker: httpx.Client, address: str, buyer: str | None = None, **members: object) -> httpx.Response:
    headers = {"X-Forwarded-For": address, "Origin": ORIGIN, "Buyer-Key": buyer or secrets.token_urlsafe(24)}
    return broker.post("/checkout", json={**ORDER, **members}, headers=headers)


def calls(sandbox: Sandbox) -> int:
    return len(sandbox.requests())


def test_address_that_had_its_share(make_broker: MakeBroker, sandbox: Sandbox) -> None:
    """It gets 429 with `Retry-After` until there is room, and no call is made; another address passes."""
    broker = make_broker(toml(sandbox, "per_ip_per_minute = 2"))
    answers = [ask(broker, ADA) for _ in range(4)]
    problem = answers[3].json()

    assert [201, 201, 429, 429] == [answer.status_code for answer in answers]
    assert ("/problems/rate-limited", True) == (problem["type"], 55 < problem["retryAfter"] <= 60)
    assert str(problem["retryAfter"]) == answers[3].headers["Retry-After"]
    assert "fallbackUrl" not in problem
    assert 201 == ask(broker, EVE).status_code
    assert 3 == calls(sandbox)


def test_one_bucket_for_a_network(make_broker: MakeBroker, sandbox: Sandbox) -> None:
    """Whoever has a /64 has one share, however many of its addresses are used; the next /64 has its own."""
    broker = make_broker(toml(sandbox, "per_ip_per_minute = 2"))
    statuses = [ask(broker, f"2001:db8:1:1:{secrets.token_hex(2)}::{number:x}").status_code for number in range(12)]

    assert [201, 201] + [429] * 10 == statuses
    assert 201 == ask(broker, "2001:db8:1:2::1").status_code


def test_reuse_and_replays_cost_nothing(make_broker: MakeBroker, sandbox: Sandbox, buyer_key: str) -> None:
    """A buyer who reloads the page, also with an `Idempotency-Key`, is not held up by the limit of the address."""
    broker = make_broker(toml(sandbox, "per_ip_per_minute = 1"))
    headers = {"X-Forwarded-For": ADA, "Buyer-Key": buyer_key, "Idempotency-Key": "k"}
    statuses = [broker.post("/checkout", json=ORDER, headers=headers).status_code for _ in range(5)]
    statuses += [ask(broker, ADA, buyer_key).status_code for _ in range(5)]

    assert [201] + [200] * 9 == statuses
    assert 422 == ask(broker, ADA, items=[{"product": "pro-license"}] * 2).status_code
    assert 429 == ask(broker, ADA).status_code


def test_callers_have_no_address_limit(
    make_broker: MakeBroker, sandbox: Sandbox, caller_headers: dict[str, str]
) -> None:
    """A back end asks for many buyers from one address."""
    broker = make_broker(toml(sandbox, "per_ip_per_minute = 1"))
    headers = {**caller_headers, "X-Forwarded-For": ADA}
    answers = [broker.post("/internal/checkout", json=ORDER, headers=headers) for _ in range(5)]

    assert [201] * 5 == [answer.status_code for answer in answers]


def test_buyer_behind_a_proxy_that_names_nobody(
    make_broker: MakeBroker, sandbox: Sandbox, caller_headers: dict[str, str]
) -> None:
    """Where only the proxy is known nobody is held up, and a metric tells."""
    broker = make_broker(toml(sandbox, "per_ip_per_minute = 1"))
    name, before = "checkout_limits_without_address_total", broker.get("/metrics", headers=caller_headers).text
    statuses = [broker.post("/checkout", json=ORDER).status_code for _ in range(3)]
    after = broker.get("/metrics", headers=caller_headers).text

    assert [201] * 3 == statuses
    assert 3.0 == value_of(name, after) - value_of(name, before)


def value_of(name: str, text: str) -> float:
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))


@pytest.mark.parametrize("provider", ["turnstile", "hcaptcha"])
def test_challenge(make_broker: MakeBroker, sandbox: Sandbox, provider: str) -> None:
    """Over a limit that strangers could fill a browser gets 403 with the widget to show, and passes with its answer."""
    broker = make_broker(toml(sandbox, "per_product_per_minute = 1", challenge=provider))
    assert 201 == ask(broker, EVE).status_code
    asked = ask(broker, ADA)
    wrong = ask(broker, ADA, challenge="robot")
    right, again = ask(broker, ADA, challenge="human-1"), ask(broker, ADA, challenge="human-1")

    assert [403, 403, 201, 403] == [answer.status_code for answer in (asked, wrong, right, again)]
    assert {"provider": provider, "siteKey": "0x4AAA"} == asked.json()["challenge"] == wrong.json()["challenge"]
    assert "/problems/challenge-required" == asked.json()["type"]
    assert [None, "challenge"] == [one.json().get("errors", [{"field": None}])[0]["field"] for one in (asked, wrong)]
    assert "human-1" not in wrong.text + asked.text
    assert 201 == ask(broker, ADA, items=[{"product": "handbook"}]).status_code


def test_challenge_answers_do_not_make_another_request(
    make_broker: MakeBroker, sandbox: Sandbox, buyer_key: str
) -> None:
    """The same cart with an answer is the same request: the session is handed out again, and none is asked for."""
    broker = make_broker(toml(sandbox, "per_product_per_minute = 1", challenge="turnstile"))
    answers = [ask(broker, ADA, buyer_key), ask(broker, ADA, buyer_key, challenge="robot"), ask(broker, ADA, buyer_key)]

    assert [201, 200, 200] == [answer.status_code for answer in answers]


def test_observing_shares_out_nothing(
    make_broker: MakeBroker, sandbox: Sandbox, caller_headers: dict[str, str]
) -> None:
    """`observe` lets one address have over a tenth of an upstream's calls, and over half of them, and counts."""
    text = toml(sandbox, 'mode = "observe"', challenge="turnstile", upstream="rate_limit_per_minute = 400")
    broker = make_broker(text)
    before = broker.get("/metrics", headers=caller_headers).text
    statuses = [ask(broker, ADA).status_code for _ in range(300)]
    after = broker.get("/metrics", headers=caller_headers).text
    counted = {
        (kind, verdict): value_of(name, after) - value_of(name, before)
        for kind, verdict in (("address", "would_be_refused"), ("upstream", "would_be_challenged"))
        if (name := f'checkout_limits_exceeded_total{{kind="{kind}",verdict="{verdict}"}}')
    }

    assert [201] * 300 == statuses
    assert {("address", "would_be_refused"): 280.0, ("upstream", "would_be_challenged"): 100.0} == counted


def test_observing(make_broker: MakeBroker, sandbox: Sandbox, caller_headers: dict[str, str]) -> None:
    """`observe` refuses nobody, asks nobody, and its metric has what would have been."""
    limits = 'mode = "observe"\nper_ip_per_minute = 1\nper_checkout_per_minute = 1'
    broker = make_broker(toml(sandbox, limits, challenge="turnstile"))
    before = broker.get("/metrics", headers=caller_headers).text
    statuses = [ask(broker, ADA).status_code for _ in range(4)]
    after = broker.get("/metrics", headers=caller_headers).text
    names = [
        f'checkout_limits_exceeded_total{{kind="{kind}",verdict="{verdict}"}}'
        for kind, verdict in (("address", "would_be_refused"), ("checkout", "would_be_challenged"))
    ]

    assert [201] * 4 == statuses
    assert [3.0, 3.0] == [value_of(name, after) - value_of(name, before) for name in names]


class TestShareOfTheRateBudget:
    """One address takes no more than a tenth of the calls that an upstream allows in a minute."""

    UPSTREAM = "rate_limit_per_minute = 20"

    def test_over_it(self, make_broker: MakeBroker, sandbox: Sandbox, caller_headers: dict[str, str]) -> None:
        """It gets 429, although its own limit is far away; another address and a caller go on."""
        broker = make_broker(toml(sandbox, "per_ip_per_minute = 1000", upstream=self.UPSTREAM))
        answers = [ask(broker, EVE) for _ in range(6)]
        problem = answers[5].json()

        assert [201] * 2 + [429] * 4 == [answer.status_code for answer in answers]
        assert ("/problems/rate-limited", True) == (problem["type"], 55 < problem["retryAfter"] <= 60)
        assert "fallbackUrl" not in problem
        assert 201 == ask(broker, ADA).status_code
        callers = [broker.post("/internal/checkout", json=ORDER, headers=caller_headers) for _ in range(5)]
        assert [201] * 5 == [answer.status_code for answer in callers]
        assert 8 == calls(sandbox)

    def test_questions_about_a_session_count(self, make_broker: MakeBroker, sandbox: Sandbox, buyer_key: str) -> None:
        """Calls count, not sessions: what asks after a session that is handed out again is one of them."""
        text = toml(sandbox, "per_ip_per_minute = 1000", upstream=self.UPSTREAM)
        broker = make_broker(text.replace("live = false", "live = false\nverify_after_seconds = 0"))

        assert [201, 200, 429] == [ask(broker, ADA, buyer_key).status_code for _ in range(3)]


class TestHalfOfTheRateBudget:
    """With a challenge, many addresses together do not use up the calls that an upstream allows in a minute."""

    UPSTREAM = "rate_limit_per_minute = 240"
    STRANGERS = tuple(f"2001:db8:0:{network:x}::1" for network in range(13) for _ in range(20))

    def test_challenge_keeps_the_other_half(
        self, make_broker: MakeBroker, sandbox: Sandbox, caller_headers: dict[str, str]
    ) -> None:
        """After half of it browsers are asked for a challenge; who solves it passes, and so does a caller."""
        broker = make_broker(toml(sandbox, "", challenge="turnstile", upstream=self.UPSTREAM))
        statuses = [ask(broker, stranger).status_code for stranger in self.STRANGERS]
        asked = ask(broker, ADA)

        assert [201] * 120 + [403] * 140 == statuses
        assert (403, "/problems/challenge-required") == (asked.status_code, asked.json()["type"])
        assert 201 == ask(broker, ADA, challenge="human-1").status_code
        assert 201 == broker.post("/internal/checkout", json=ORDER, headers=caller_headers).status_code

    def test_without_a_challenge(
        self, make_broker: MakeBroker, sandbox: Sandbox, caller_headers: dict[str, str]
    ) -> None:
        """Where none is configured they use it all up, with alarms: there is nothing left for anybody."""
        broker = make_broker(toml(sandbox, "", upstream=self.UPSTREAM))
        statuses = [ask(broker, stranger).status_code for stranger in self.STRANGERS]
        locked_out = ask(broker, ADA, challenge="human-1")
        caller = broker.post("/internal/checkout", json=ORDER, headers=caller_headers)

        assert [201] * 240 + [503] * 20 == statuses
        assert (503, "/problems/upstream-throttled") == (locked_out.status_code, locked_out.json()["type"])
        assert 503 == caller.status_code
