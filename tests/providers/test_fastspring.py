"""What both versions of FastSpring's session API share."""

import pytest

from service.providers.fastspring import mode_advice


@pytest.mark.parametrize(
    ("live", "storefront", "warned"),
    [
        (True, "acme.onfastspring.com", False),
        (False, "acme.test.onfastspring.com", False),
        (True, "acme.test.onfastspring.com", True),
        (False, "acme.onfastspring.com/popup", True),
        (True, None, False),
        (False, "pay.shop.example/popup", False),
        (True, "127.0.0.1:8010", False),
    ],
)
def test_host_of_the_other_mode_is_warned_about(live: bool, storefront: str | None, warned: bool) -> None:  # noqa: FBT001  # a table's columns
    """A host of FastSpring that is for the other mode is named with its key; any other host tells nothing."""
    assert (["storefront"] if warned else []) == [key for key, _ in mode_advice(storefront, live=live)]
