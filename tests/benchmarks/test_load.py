"""What wrk printed, as figures."""

import msgspec
import pytest

from tests.benchmarks.load import Seen, errors_in, parse

LINE = '{"requests":900,"seconds":3.0,"p50_ms":2.5,"p99_ms":9.25,"refused":30,"broken":4,"timeouts":1}'
SEEN = Seen(requests=900, seconds=3.0, p50_ms=2.5, p99_ms=9.25, refused=30, broken=4, timeouts=1)


def test_findings_are_the_last_line() -> None:
    """Whatever wrk says of itself before is passed over."""
    assert SEEN == parse(f"Running 3s test @ http://127.0.0.1:8000\n  1 threads and 64 connections\n\n{LINE}\n")


@pytest.mark.parametrize("output", ["", "\n", "unable to connect to 127.0.0.1:1", LINE.replace("900", "-nan")])
def test_output_without_findings_is_an_error(output: str) -> None:
    """A run that measured nothing cannot pass for one that measured zero."""
    with pytest.raises((ValueError, msgspec.DecodeError)):
        parse(output)


@pytest.mark.parametrize(("is_refused", "errors"), [(False, 30 + 4 + 1), (True, 900 - 30 + 4 + 1)])
def test_what_counts_as_an_error(is_refused: bool, errors: int) -> None:  # noqa: FBT001  # a parameter of the test
    """On a path that is served a refusal is one; on the path of refusals, anything else."""
    assert errors == errors_in(SEEN, is_refused=is_refused)
