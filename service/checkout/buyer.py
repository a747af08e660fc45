"""What is known of who asks, apart from the body: gathered at the edge, believed by the core."""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Buyer(Struct, frozen=True, kw_only=True):
    """One asker.

    `address` is the buyer's own global address or None. `network` is what an address limit counts, whatever address a
    browser's request came from; None where that is a proxy's, or a caller asks. `header_country` and `trusted_headers`
    (names in lower case) came through a trusted proxy; `caller` names the internal service that asks on the buyer's
    behalf.
    """

    key: str | None = None
    address: str | None = None
    network: str | None = None
    header_country: str | None = None
    accept_language: str | None = None
    origin: str | None = None
    caller: str | None = None
    trusted_headers: Mapping[str, str] = NO_HEADERS
