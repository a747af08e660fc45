"""The buyer's address: source header, peer and header lines, against a plain reading of the documented rules."""

import socket
import string
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
    assert taken == client_of(source, peer, lines), (found, headers)
    assert found.buyer is None or (packed(found.buyer) == taken and may_be_buyer(packed(found.buyer))), found
    return found


def client_of(source: str, peer: str, lines: list[str]) -> bytes | None:
    """The client by the rules."""
    client = packed(peer)
    if client is None or not is_trusted(client):
        return client
    for element in _elements(source, ",".join(lines))[:32] if lines else ():
        address = packed(_without_port(element.strip(" \t")))
        if address is None:
            break
        client = address
        if not is_trusted(address):
            break
    return client


def _elements(source: str, text: str) -> list[str]:
    """The last one first; of what is longer than 4,096 characters those that stand whole, with a comma, in the last."""
    if source not in {"X-Forwarded-For", "Forwarded"}:
        return [text] if len(text) <= 4096 else []
    elements, left = [], 4096 if len(text) > 4096 else 4097
    for element in reversed(text.split(",")):
        left -= len(element) + 1
        if left < 0:
            break
        elements.append(_forwarded(element.strip(" \t")) if source == "Forwarded" else element)
    return elements


def _forwarded(rest: str) -> str:
    """The last `for` of an element; "" where it is malformed."""
    found = ""
    while rest:
        name, _, rest = rest.lstrip().partition("=")
        if not name or set(name) - _NAME or (value := _value(rest)) is None:
            return ""
        text, rest = value
        if (rest := rest.lstrip())[:1] not in {"", ";"}:
            return ""
        rest = rest[1:]
        found = text if name.lower() == "for" else found
    return found


_NAME = {*string.ascii_letters, *string.digits, "-"}


def _value(rest: str) -> tuple[str, str] | None:
    """What a value says, and what follows it."""
    if not rest.startswith('"'):
        end = next((at for at, one in enumerate(rest) if one.isspace() or one in ';,"'), len(rest))
        return rest[:end], rest[end:]
    text, at = "", 1
    while rest[at : at + 1] != '"':
        at += rest[at : at + 1] == "\\"
        if at >= len(rest) or (rest[at] == "\n" and rest[at - 1] == "\\"):
            return None
        text, at = text + rest[at], at + 1
    return text, rest[at + 1 :]


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
