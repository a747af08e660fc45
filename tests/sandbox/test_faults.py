"""The fault dial."""

from service.sandbox.faults import Fault, FaultDial, Match


def kinds(dial: FaultDial, *requests: tuple[str, str]) -> list[str | None]:
    chosen = [dial.choose(method, path) for method, path in requests]
    return [None if fault is None else fault.kind for fault in chosen]


def dial(*faults: Fault, dice: float = 0.0) -> FaultDial:
    result = FaultDial(lambda: dice)
    result.set(faults)
    return result


def test_matches_method_and_path() -> None:
    """A fault befalls the requests whose method and path fit, and no others."""
    match = Match(method="POST", path_pattern="/v2/*/sessions")
    requests = [("POST", "/v2/a/sessions"), ("GET", "/v2/a/sessions"), ("POST", "/v2/a/items")]

    assert ["slow", None, None] == kinds(dial(Fault(kind="slow", match=match)), *requests)


def test_times_run_out_and_the_next_fault_follows() -> None:
    """A fault with a number of times is used up, then the next one that fits takes over."""
    two = dial(Fault(kind="error_500", times=2), Fault(kind="slow"))

    assert ["error_500", "error_500", "slow", "slow"] == kinds(two, *[("GET", "/")] * 4)
    assert [2, 2] == [armed.used for armed in two.armed]


def test_probability() -> None:
    """A fault of probability one half is decided by the dice."""
    fault = Fault(kind="slow", probability=0.5)

    assert ["slow"] == kinds(dial(fault, dice=0.49), ("GET", "/"))
    assert [None] == kinds(dial(fault, dice=0.5), ("GET", "/"))
