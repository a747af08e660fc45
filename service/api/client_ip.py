"""The buyer's address: right or absent.

Only a peer on the trusted list may speak for somebody else, in exactly one configured header, read from the right: the
first element that is no trusted proxy is the client. What a client typed itself stands further left and is never read.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from service.api.settings import ServerSettings
from service.observability import metrics

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Source = Literal["peer", "header", "none"]

_KNOWN_PEERS = 1024
_KNOWN_HEADERS = 4096  # one buyer asks more than once: a preflight, a checkout, what became of it
_USUAL_HEADER_CHARACTERS = 256  # longer ones are not remembered, so that all of them together are a few MiB at most
_MAX_HEADER_BYTES = 4096
_MAX_ELEMENTS = 32
_WITH_PORT = re.compile(r"(?P<v4>[0-9.]{7,15}):[0-9]{1,5}|\[(?P<v6>[0-9A-Fa-f:.]{2,45})\](?::[0-9]{1,5})?")
_FORWARDED_PAIR = re.compile(r'\s*([A-Za-z0-9-]+)=("(?:[^"\\]|\\.)*"|[^\s;,"]*)\s*(?:;|$)')
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")  # nothing else of IPv6 has been given to anybody
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # all of IPv4 in one network
# Prefixes under which an address stands for another one: 6to4, Teredo.
_TUNNELS = tuple(ipaddress.ip_network(network) for network in ("2002::/16", "2001::/32"))


class ClientAddress(Struct, frozen=True, kw_only=True):
    """Whose address was taken, from where, and every step on the way; `buyer` is what may be sent to a provider.

    `network` is what limits count, public or not; None where only a proxy is known, as that would lock out everybody
    behind it.
    """

    client: Address | None
    source: Source
    trusted_peer: bool
    buyer: str | None
    steps: tuple[str, ...]
    network: str | None = None


class ProxyTrust:
    """Who may speak for a buyer, and in which header."""

    def __init__(self, settings: ServerSettings) -> None:
        self._networks = tuple(ipaddress.ip_network(network) for network in settings.trusted_proxies)
        self._header = settings.client_ip_header.lower().encode()
        self._is_list = self._header in {b"forwarded", b"x-forwarded-for"}
        self._of_known_peer = lru_cache(_KNOWN_PEERS)(self._of_peer)
        self._of_known_header = lru_cache(_KNOWN_HEADERS)(self._of_header)

    def resolve(self, peer: str | None, headers: Iterable[tuple[bytes, bytes]]) -> ClientAddress:
        """Whose request this is. `headers` are the request's lines in order, names in lower case."""
        found = self._of_known_peer(peer or "")
        if found.client is None or not found.trusted_peer:
            return found
        text = b",".join([value for name, value in headers if name == self._header]).decode("latin-1")
        if len(text) > _MAX_HEADER_BYTES or text.count(",") >= _MAX_ELEMENTS:
            metrics.CLIENT_ADDRESS_REFUSED.inc()
        elif len(text) <= _USUAL_HEADER_CHARACTERS:
            return self._of_known_header(found.client, text)
        return self._of_header(found.client, text)

    def may_be_buyer(self, address: Address) -> bool:
        """Whether an address can be a buyer's own: public, and none of our proxies."""
        return is_public(address) and not self._trusts(address)

    def _of_peer(self, peer: str) -> ClientAddress:
        """By the socket alone."""
        address = parse_address(peer)
        if address is None:
            return ClientAddress(
                client=None, source="none", trusted_peer=False, buyer=None, steps=("peer: no address",)
            )
        if self._trusts(address):
            return self._answer(address, "peer", (), trusted_peer=True)
        steps = (f"peer: {address} is no trusted proxy, so it is the client; forwarding headers are ignored",)
        return self._answer(address, "peer", steps, trusted_peer=False)

    def _of_header(self, peer: Address, text: str) -> ClientAddress:
        """By the header, whose lines are joined by commas, and which is empty where there is none."""
        client, source = peer, "peer"
        steps = [f"peer: {peer} is a trusted proxy"]
        for element in self._from_right(text):
            address = parse_element(element)
            if address is None:
                steps.append("header: an element that is no address, so what was trusted last counts")
                break
            client, source = address, "header"
            if not self._trusts(address):
                steps.append(f"header: {address} is no trusted proxy, so it is the client")
                break
            steps.append(f"header: {address} is a trusted proxy")
        return self._answer(client, "header" if source == "header" else "peer", tuple(steps), trusted_peer=True)

    def _from_right(self, text: str) -> Iterator[str]:
        """The header's elements, the last one first; "" for one that cannot be read.

        No comma in a quoted string is heeded: none stands in what a proxy adds, and a quote that a client leaves open
        further left must not swallow that. For the same reason the end of what is too long is read all the same.
        """
        if not text:
            return
        elements = text[-_MAX_HEADER_BYTES:].split(",") if self._is_list else [text]
        is_cut = len(text) > _MAX_HEADER_BYTES
        if is_cut or len(elements) > _MAX_ELEMENTS:
            elements = elements[is_cut:][-_MAX_ELEMENTS:] if self._is_list else [""]
        for element in reversed(elements):
            yield _forwarded_for(element.strip(" \t")) if self._header == b"forwarded" else element

    def _answer(self, client: Address, source: Source, steps: tuple[str, ...], *, trusted_peer: bool) -> ClientAddress:
        is_proxy = self._trusts(client)
        is_buyer = not is_proxy and is_public(client)
        verdict = "client: public, goes to the provider" if is_buyer else "client: not a public address, is left out"
        return ClientAddress(
            client=client,
            source=source,
            trusted_peer=trusted_peer,
            buyer=str(client) if is_buyer else None,
            steps=(*steps, verdict),
            network=None if is_proxy else network_of(client),
        )

    def _trusts(self, address: Address) -> bool:
        return any(address.version == network.version and address in network for network in self._networks)


def parse_address(text: str) -> Address | None:
    """An address; an IPv4 one mapped into IPv6 is IPv4. Zone ids, padded and octal digits are no addresses."""
    if "%" in text:
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def parse_element(text: str) -> Address | None:
    """An element of a forwarding header: an address, with or without brackets and port."""
    text = text.strip(" \t")
    if with_port := _WITH_PORT.fullmatch(text):
        v4 = with_port["v4"]
        address = parse_address(v4 or with_port["v6"])
        # Brackets are for IPv6 alone.
        return address if v4 or ":" in with_port["v6"] else None
    return parse_address(text)


def network_of(address: Address) -> str:
    """What one customer of an access provider has: an IPv4 address, or the /64 of an IPv6 one."""
    if isinstance(address, ipaddress.IPv6Address):
        v4 = address.sixtofour or (ipaddress.IPv4Address(address.packed[-4:]) if address in _NAT64 else None)
        return str(v4 or ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def is_public(address: Address) -> bool:
    """Whether an address can be a buyer's own: global, not multicast, not inside a tunnel's prefix."""
    if isinstance(address, ipaddress.IPv6Address):
        is_own = address in _GLOBAL_UNICAST and not any(address in tunnel for tunnel in _TUNNELS)
        return is_own and address.is_global
    return address.is_global and not address.is_multicast


def _forwarded_for(element: str) -> str:
    """The `for` of an element of RFC 7239's `Forwarded`; "" where it has none, or is malformed."""
    position, found = 0, ""
    while position < len(element):
        pair = _FORWARDED_PAIR.match(element, position)
        if pair is None:
            return ""
        name, value = pair.groups()
        if name.lower() == "for":
            found = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
        position = pair.end()
    return found
