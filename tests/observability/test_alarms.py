"""Alarms that may come in floods."""

from structlog.testing import capture_logs

from service.observability import alarms
from tests.support.limits import exceeded


def test_all_are_counted_and_few_are_logged() -> None:
    """A thousand in a moment are a thousand in the metric, and one line for each kind."""
    before = exceeded()
    with capture_logs() as lines:
        for _ in range(1000):
            alarms.limit_exceeded("alarm-test", "refused", "default")
            alarms.limit_exceeded("other-test", "passed", "default")
            alarms.challenge_unavailable("turnstile", "alarm-test")

    assert {("alarm-test", "refused"): 1000, ("other-test", "passed"): 1000} == dict(exceeded() - before)
    assert ["limits.exceeded", "limits.exceeded", "challenge.unavailable"] == [line["event"] for line in lines]
    assert {"kind": "alarm-test", "verdict": "refused", "checkout": "default"}.items() <= lines[0].items()
