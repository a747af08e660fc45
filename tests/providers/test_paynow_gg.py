"""PayNow's settings: the key's prefix, and that there is no test mode."""

import pytest
from msgspec.structs import replace

from service.config.secret import Secret
from service.providers.paynow_gg import ApiKey, PayNowCheckout, PayNowUpstream

CHECKOUT = PayNowCheckout(upstream="games", live=True, store_id="411486491630370816")


@pytest.mark.parametrize("key", ["pnapi_v1_x", "APIKey pnapi_v1_x"])
def test_key_is_sent_with_its_prefix_once(key: str) -> None:
    """A key is taken with or without the prefix that the documentation shows."""
    upstream = PayNowUpstream(provider="paynow_gg", credentials=(ApiKey(api_key=Secret(key)),))

    assert ("APIKey pnapi_v1_x",) == upstream.authorizations()


def test_there_is_no_test_mode() -> None:
    """`live = false` is refused, as every PayNow session is real; the rules of every checkout hold too."""
    assert [] == list(CHECKOUT.faults())
    assert ["live"] == [key for key, _ in replace(CHECKOUT, live=False).faults()]
    assert ["attributes"] == [key for key, _ in replace(CHECKOUT, attributes=("broker_ref",)).faults()]
