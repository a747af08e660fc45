"""How a body must come."""

import httpx
import pytest

from tests.sandbox.paynow.calls import PATH, SERVER


async def post(http: httpx.AsyncClient, body: bytes, media_type: str | None) -> httpx.Response:
    headers = SERVER if media_type is None else {**SERVER, "Content-Type": media_type}
    return await http.post(f"{PATH}/customers", content=body, headers=headers)


@pytest.mark.parametrize("media_type", ["application/json", "text/json; charset=utf-8", "application/merge-patch+json"])
async def test_media_types(buyer: httpx.AsyncClient, media_type: str) -> None:
    """JSON may come under each of its documented names."""
    assert 200 == (await post(buyer, b"{}", media_type)).status_code


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
async def test_other_media_types(buyer: httpx.AsyncClient, media_type: str | None) -> None:
    """Any other media type, or none, is 415."""
    assert 415 == (await post(buyer, b"{}", media_type)).status_code


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"{}"', b"\xff"])
async def test_no_object(buyer: httpx.AsyncClient, body: bytes) -> None:
    """What is no JSON object is 400."""
    assert 400 == (await post(buyer, body, "application/json")).status_code
