"""Which part of the service a sample of its stack counts for."""

import pytest

from tests.benchmarks.costs import LOOP, PARTS, shares_of

SERVING = "main (/x/service/__main__.py:9);_run (/x/service/serve.py:9);Server.run (/v/uvicorn/server.py:9)"
CALLING = f"{SERVING};Edge.__call__ (/x/service/api/edge.py:9);HTTPRoute.handle (/v/litestar/routes/http.py:9)"


@pytest.mark.parametrize(
    ("stack", "part"),
    [
        (f"{SERVING};Runner.run (/p/asyncio/runners.py:9)", LOOP),
        ("", LOOP),
        (CALLING, "framework: routing, handlers"),
        (f"{CALLING};create (/x/service/checkout/service.py:9)", "our own steps"),
        (f"{CALLING};create (/x/service/checkout/service.py:9);shield (/p/asyncio/tasks.py:9)", "our own steps"),
        (f"{CALLING};seal (/x/service/store/sealing.py:9)", "sealing"),
        (f"{CALLING};send (/x/service/store/wire.py:9)", "store"),
        (f"{CALLING};render (/x/service/providers/fastspring_v2/requests.py:9)", "the provider's words"),
        (
            f"{CALLING};send (/x/service/providers/http.py:9);Request (/v/httpx/_models.py:9)",
            "the call to the provider",
        ),
        (f"{SERVING};data_received (/x/service/api/protocol.py:9)", "HTTP"),
        (f"{CALLING};info (/v/structlog/_native.py:9)", "log line and metrics"),
    ],
)
def test_the_innermost_known_file_counts(stack: str, part: str) -> None:
    """Whatever the standard library does is done for whoever called it."""
    [(found, share)] = [(name, share) for name, share in shares_of(f"{stack} 3\n").items() if share]

    assert 1.0 == share
    assert found.startswith(part)


def test_shares_are_a_whole() -> None:
    """Every part has one, the loop as well."""
    shares = shares_of(f"{CALLING} 3\n{SERVING} 1\n")

    assert {*PARTS, LOOP} == shares.keys()
    assert (0.75, 0.25) == (shares["framework: routing, handlers"], shares[LOOP])
