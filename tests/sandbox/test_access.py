"""HTTP Basic credentials."""

import base64

import pytest

from service.sandbox.access import basic_credentials


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Basic " + base64.b64encode(b"u:p:q").decode(), ("u", "p:q")),
        ("Bearer x", None),
        ("Basic ***", None),
        ("Basic " + base64.b64encode(b"\xff:p").decode(), None),
    ],
)
def test_basic_credentials(header: str, expected: tuple[str, str] | None) -> None:
    """The password is all after the first colon; what is no Basic header gives nothing."""
    assert expected == basic_credentials(header)
