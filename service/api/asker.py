"""From a request to what the core knows of its asker: caller, buyer key, address, country, trusted headers."""

import re

from service.api.access import note
from service.api.asked import Asked, Headers, headers_of
from service.api.callers import Caller
from service.api.client_ip import ClientAddress, ProxyTrust, parse_address
from service.api.runtime import Runtime
from service.checkout.buyer import NO_HEADERS, Buyer
from service.checkout.countries import ISO_COUNTRIES
from service.checkout.errors import FieldError, InvalidIdempotencyKeyError, InvalidRequestError

_BUYER_KEY = re.compile(r"[A-Za-z0-9_-]{22,128}")
# A quoted string of RFC 9651, in which a quote and a backslash are escaped; or the same text bare.
_QUOTED_KEY = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\]){1,510})"')
_BARE_KEY = re.compile(r"[!#-~][ -~]*")
_LONGEST_IDEMPOTENCY_KEY = 255
_MAX_HEADER_CHARACTERS = 512


def client_address(asked: Asked, runtime: Runtime) -> ClientAddress:
    """Whose request this is, by the socket and the configured trust."""
    peer = asked.scope["client"]
    return runtime.trust.resolve(peer[0] if peer else None, asked.scope["headers"])


def browser(asked: Asked, runtime: Runtime) -> Buyer:
    """The buyer behind a browser's request.

    Raises:
        InvalidRequestError: the `Buyer-Key` is malformed or sent twice.
        InvalidIdempotencyKeyError: the `Idempotency-Key` is malformed, or without a `Buyer-Key`.
    """
    address, headers = client_address(asked, runtime), headers_of(asked.scope)
    through_proxy = address.trusted_peer
    key = _buyer_key(headers)
    if key is None and idempotency_key(asked) is not None:
        raise InvalidIdempotencyKeyError("An Idempotency-Key needs a Buyer-Key beside it.")
    return Buyer(
        key=key,
        address=address.buyer,
        network=address.network,
        header_country=_header_country(asked, runtime) if through_proxy else None,
        accept_language=headers.first(b"accept-language"),
        origin=headers.first(b"origin"),
        trusted_headers=_trusted_headers(asked, runtime) if through_proxy else NO_HEADERS,
    )


def authenticate(asked: Asked, runtime: Runtime) -> Caller:
    """The caller of this request, noted for the access line.

    Raises:
        UnauthenticatedError: nobody known.
    """
    found = runtime.callers.authenticate(headers_of(asked.scope).only(b"authorization"))
    note(asked, caller=found.name)
    return found


def caller(asked: Asked, runtime: Runtime, name: str) -> Buyer:
    """The buyer on whose behalf a caller asks: the connection's address and country are the caller's, and not used.

    Raises:
        InvalidRequestError: the `Buyer-Key` is malformed.
    """
    through_proxy = client_address(asked, runtime).trusted_peer
    return Buyer(
        key=_buyer_key(headers_of(asked.scope)),
        caller=name,
        trusted_headers=_trusted_headers(asked, runtime) if through_proxy else NO_HEADERS,
    )


def _buyer_key(headers: Headers) -> str | None:
    keys = headers.all(b"buyer-key")
    if not keys:
        return None
    if len(keys) > 1 or not _BUYER_KEY.fullmatch(keys[0]):
        error = FieldError(field="Buyer-Key", detail="22 to 128 letters, digits, - or _, made at random; sent once.")
        raise InvalidRequestError("The Buyer-Key header is malformed.", errors=(error,))
    return keys[0]


def idempotency_key(asked: Asked) -> str | None:
    """The `Idempotency-Key` in its bare form, however it was sent.

    Raises:
        InvalidIdempotencyKeyError: it is malformed.
    """
    values = headers_of(asked.scope).all(b"idempotency-key")
    if not values:
        return None
    quoted = _QUOTED_KEY.fullmatch(values[0])
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else values[0]
    if len(values) > 1 or len(key) > _LONGEST_IDEMPOTENCY_KEY or not (quoted or _BARE_KEY.fullmatch(key)):
        raise InvalidIdempotencyKeyError("The Idempotency-Key is not 1 to 255 printable ASCII characters.")
    return key


def named_address(text: str | None, trust: ProxyTrust) -> str | None:
    """The address that a caller names, in its usual spelling.

    Raises:
        InvalidRequestError: it is no address, or cannot be a buyer's own.
    """
    if text is None:
        return None
    address = parse_address(text)
    if address is None or not trust.may_be_buyer(address):
        error = FieldError(field="buyerIp", detail="Must be the buyer's own public address; leave it out otherwise.")
        raise InvalidRequestError("The buyer's address cannot be used.", errors=(error,))
    return str(address)


def _header_country(asked: Asked, runtime: Runtime) -> str | None:
    name = runtime.server.country_header
    country = (headers_of(asked.scope).only(name.lower().encode()) or "").upper() if name else ""
    return country if country in ISO_COUNTRIES else None  # networks also say "XX", "T1" for Tor, "EU"


def _trusted_headers(asked: Asked, runtime: Runtime) -> dict[str, str]:
    headers = headers_of(asked.scope)
    return {
        name.lower(): value[:_MAX_HEADER_CHARACTERS]
        for name in runtime.server.trusted_headers
        if (value := headers.only(name.lower().encode())) and value.isprintable()
    }
