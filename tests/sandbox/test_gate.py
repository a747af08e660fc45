"""Paths as they stand on the wire."""

from service.sandbox.gate import path_with_encoded_slashes_kept


def test_encoded_slash_separates_nothing() -> None:
    """`%2F` stays within its segment; everything else is decoded."""
    assert "/v2/acme%2Fweb/a b" == path_with_encoded_slashes_kept("/v2/acme%2fweb/a%20b")
