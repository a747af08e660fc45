"""The buyer's address: source header, peer and header lines, against a plain reading of the documented rules."""

import socket
from functools import cache

from service.api.client_ip import ClientAddress, ProxyTrust, parse_address
from service.api.settings import ServerSettings

TRUSTED = ("127.0.0.1/32", "10.0.0.0/8", "2001:db8:aa::/48", "1.2.3.0/24")
SOURCES = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP")
_IPV4_IN_IPV6 = b"\x00" * 10 + b"\xff\xff"
# Prefixes that are no buyer's own, in bits.
_NOBODYS = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.2.0/24"),
    *("192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
    *("2001::/32", "2001:db8::/32", "2002::/16", "::/3", "4000::/2", "8000::/1"),
)


@cache
def trust_of(source: str) -> ProxyTrust:
    """What resolves by one source."""
    return ProxyTrust(ServerSettings(trusted_proxies=TRUSTED, client_ip_header=source))  # type: ignore[arg-type]  # one of them


def target(data: bytes) -> None:
    """Line 1 is the source, line 2 the peer, every further line a header."""
    source, peer, *lines = [*data.split(b"\n"), b"", b""]
    name = source.decode("latin-1")
    pairs = [(header.lower(), value) for header, _, value in (line.partition(b": ") for line in lines)]
    check(name if name in SOURCES else SOURCES[0], peer.decode("latin-1"), pairs)


def check(source: str, peer: str, headers: list[tuple[bytes, bytes]]) -> ClientAddress:
    """The address that was taken is the one that a plain reading gives, and a buyer's is one that can be a buyer's."""
    found = trust_of(source).resolve(peer, headers)
    lines = [value.decode("latin-1") for name, value in headers if name == source.lower().encode()]
    taken = None if found.client is None else packed(str(found.client))
    expected = {packed(peer)} if source == "Forwarded" else set()
    assert taken in expected | {client_of(source, peer, lines)}, (found, headers)
    assert found.buyer is None or (packed(found.buyer) == taken and may_be_buyer(packed(found.buyer))), found
    return found


def client_of(source: str, peer: str, lines: list[str]) -> bytes | None:
    """The client by the rules; of a `Forwarded` that is malformed the service may take the peer instead."""
    client = packed(peer)
    if client is None or not is_trusted(client):
        return client
    text = ",".join(lines)
    elements = _elements(source, text) if lines and len(text) <= 4096 else []
    for element in reversed(elements if len(elements) <= 32 else []):
        address = packed(_without_port(element.strip(" \t")))
        if address is None:
            break
        client = address
        if not is_trusted(address):
            break
    return client


def _elements(source: str, text: str) -> list[str]:
    if source == "X-Forwarded-For":
        return text.split(",")
    return _forwarded(text) if source == "Forwarded" else [text]


def _forwarded(text: str) -> list[str]:
    """The `for` of each element, read character by character."""
    elements, pairs, word, quoted, escaped = [], [], "", False, False
    for character in text + ",":
        if escaped:
            word, escaped = word + character, False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif quoted or character not in ",;":
            word += character
        else:
            pairs.append(word.strip().partition("="))
            word = ""
            if character == ",":
                elements.append(next((value for name, _, value in reversed(pairs) if name.lower() == "for"), ""))
                pairs = []
    return elements


def _without_port(element: str) -> str:
    """The address of an element; "" for one that is not written as an address with a port is."""
    if element.startswith("["):
        inner, closed, rest = element[1:].partition("]")
        return inner if closed and ":" in inner and (not rest or _is_port(rest)) else ""
    host, colon, port = element.partition(":")
    return host if colon and "." in host and _is_port(":" + port) else element


def _is_port(text: str) -> bool:
    return text[0] == ":" and 1 <= len(text[1:]) <= 5 and set(text[1:]) <= set("0123456789")


def packed(text: str) -> bytes | None:
    """The bytes of an address as the C library reads it: 4, or 16; None for what is none."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            address = socket.inet_pton(family, text)
        except (OSError, ValueError):  # a ValueError is a zero byte
            continue
        return address.removeprefix(_IPV4_IN_IPV6)
    return None


def is_trusted(address: bytes) -> bool:
    """Whether it is one of our proxies."""
    return any(_inside(address, network) for network in TRUSTED)


def may_be_buyer(address: bytes | None) -> bool:
    """Whether it is in none of the prefixes that nobody has, and not ours."""
    return address is not None and not is_trusted(address) and not any(_inside(address, one) for one in _NOBODYS)


def _inside(address: bytes, network: str) -> bool:
    prefix, _, bits = network.partition("/")
    first = packed(prefix) or b""
    shift = 8 * len(address) - int(bits)
    return len(first) == len(address) and int.from_bytes(first) >> shift == int.from_bytes(address) >> shift


def target_named(data: bytes) -> None:
    """An address that a caller names is one for the C library too, and the other way round."""
    text = data.decode("utf-8", "replace")
    found = parse_address(text)
    assert (None if found is None else found.packed) == packed(text), text
