"""The buyer's address: right or absent."""

import ipaddress
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from service.api.client_ip import ClientAddress, ProxyTrust, network_of
from service.api.settings import ServerSettings

TRUSTED = ("127.0.0.1/32", "10.0.0.0/8", "2001:db8:aa::/48", "1.2.3.0/24")
PEER, STRANGER = "127.0.0.1", "9.9.9.9"
XFF, FORWARDED, REAL = "X-Forwarded-For", "Forwarded", "X-Real-IP"
Source = Literal["X-Forwarded-For", "Forwarded", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP"]
BUYER, BUYER6 = "8.8.4.4", "2a00:1450:4001:80b::200e"


def trusting(source: Source) -> ProxyTrust:
    return ProxyTrust(ServerSettings(trusted_proxies=TRUSTED, client_ip_header=source))


def asked_of(trust: ProxyTrust, peer: str | None, *lines: tuple[str, str]) -> ClientAddress:
    return trust.resolve(peer, [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in lines])


def resolve(source: Source, peer: str | None, *lines: tuple[str, str]) -> ClientAddress:
    return asked_of(trusting(source), peer, *lines)


LISTS = [
    # right of the client only proxies, left of it whatever the client typed
    (BUYER, BUYER),
    (f"198.51.100.7, {BUYER}, 10.1.2.3", BUYER),
    (f"1.1.1.1, {BUYER}", BUYER),
    (f"{BUYER},10.1.2.3,\t10.9.9.9 ", BUYER),
    (f"10.0.0.1, {BUYER}, 10.0.0.2", BUYER),
    (f"<script>, {BUYER}", BUYER),
    # ports and brackets
    (f"{BUYER}:51234", BUYER),
    (BUYER6, BUYER6),
    (f"[{BUYER6}]", BUYER6),
    (f"[{BUYER6}]:443", BUYER6),
    ("2A00:1450:4001:080B:0:0:0:200E", BUYER6),
    (f"[{BUYER}]", None),
    (f"[{BUYER}]:80", None),
    (f"{BUYER}:", None),
    (f"{BUYER}:123456", None),
    (f"{BUYER}:80:80", None),
    (f"[{BUYER6}", None),
    (f"{BUYER6}]:443", None),
    (f"[{BUYER6}]443", None),
    # an IPv4 address inside an IPv6 one is that IPv4 address
    (f"::ffff:{BUYER}", BUYER),
    (f"[::ffff:{BUYER}]:443", BUYER),
    (f"{BUYER}, ::ffff:10.1.2.3", BUYER),
    ("::ffff:10.1.2.3", None),
    (f"::{BUYER}", None),
    # whatever is no address ends the walk at what was trusted last
    ("unknown", None),
    ("_hidden", None),
    ("", None),
    ("-", None),
    ("localhost", None),
    (f"{BUYER}, unknown", None),
    (f"{BUYER}, _secret, 10.1.2.3", None),
    (f"{BUYER}, ", None),
    (f"{BUYER},,10.1.2.3", None),
    (f"{BUYER}, 10.1.2.3.", None),
    (f'"{BUYER}"', None),
    (f"for={BUYER}", None),
    # octal, padded, short and foreign digits
    ("010.8.4.4", None),
    ("08.8.4.4", None),
    ("8.8.4.04", None),
    ("0x8.8.4.4", None),
    ("134743044", None),
    ("8.8.4", None),
    ("8.8.4.4.4", None),
    ("8.8.4.256", None),
    ("8.8.4.4/32", None),
    ("8.8.4.\xb2", None),
    (f"{BUYER}\xa0", None),
    (f"{BUYER}\x00", None),
    # zone ids
    ("fe80::1%eth0", None),
    (f"{BUYER6}%eth0", None),
    (f"[{BUYER6}%25eth0]", None),
    # what is no buyer's own address
    ("192.168.1.1", None),
    ("172.16.0.1", None),
    ("169.254.169.254", None),
    ("100.64.0.1", None),
    ("0.0.0.0", None),  # noqa: S104  # nothing is bound to it
    ("255.255.255.255", None),
    ("224.0.0.251", None),
    ("233.252.0.1", None),
    ("192.0.2.1", None),
    ("127.0.0.2", None),
    ("::1", None),
    ("::", None),
    ("fc00::1", None),
    ("fe80::1", None),
    ("fec0::1", None),
    ("ff02::1", None),
    ("2001:db8::1", None),
    ("2002:808:404::1", None),
    ("2001:0:808:404::1", None),
    ("64:ff9b::808:404", None),
    ("64:ff9b:1::808:404", None),
    ("4000::1", None),
    # one of ours, although public
    ("1.2.3.9", None),
    ("2001:db8:aa::7, 1.2.3.9, 10.0.0.1", None),
    # too much
    (", ".join([BUYER] * 32), BUYER),
    (", ".join([BUYER] * 33), BUYER),
    (f"{'1.1.1.1, ' * 5000}{BUYER}, 10.0.0.1", BUYER),
    (f"{'1' * 5000}, {BUYER}", BUYER),
    (", ".join([BUYER, *["10.0.0.1"] * 32]), None),
    (f"{BUYER},{' ' * 4096}10.0.0.1", None),
    (f"{BUYER}{' ' * 4096}", None),
]


@pytest.mark.parametrize(("value", "expected"), LISTS)
def test_list_is_read_from_the_right(value: str, expected: str | None) -> None:
    """The first element from the right that is no trusted proxy is the buyer, when it can be; else there is none."""
    found = resolve("X-Forwarded-For", PEER, (XFF, value))

    assert expected == found.buyer
    assert resolve("X-Forwarded-For", STRANGER, (XFF, value)).buyer == STRANGER


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f"for={BUYER}", BUYER),
        (f"For={BUYER};proto=https;by=10.0.0.1", BUYER),
        (f"proto=https; for={BUYER}", BUYER),
        (f'for="{BUYER}:4711"', BUYER),
        (f'for="[{BUYER6}]"', BUYER6),
        (f'for="[{BUYER6}]:4711"', BUYER6),
        (f'for="\\{BUYER}"', BUYER),
        (f"for=1.1.1.1, for={BUYER}, for=10.1.2.3", BUYER),
        (f'for="_gazonk", for={BUYER}', BUYER),
        (f'for="1.1.1.1, for=2.2.2.2", for={BUYER}', BUYER),
        ("for=unknown", None),
        (f"for={BUYER}, for=_hidden", None),
        (f"for={BUYER}, proto=https", None),
        (f"for={BUYER},", None),
        (f"for=1.1.1.1, for={BUYER};", BUYER),
        (f"for=1.1.1.1, for={BUYER}; , for=10.1.2.3", BUYER),
        (f'for="{BUYER}', None),
        (f'for="1.1.1.1, for={BUYER}', BUYER),
        (f'for=", ;;x y, for={BUYER}', BUYER),
        (f"{'for=1.1.1.1, ' * 1000}for={BUYER}", BUYER),
        (f'for={BUYER}, for="10.0.0.1, 10.0.0.2"', None),
        (f"for={BUYER};;proto=https", None),
        (f"for {BUYER}", None),
        (f"for='{BUYER}'", None),
        (BUYER, None),
        ("", None),
    ],
)
def test_forwarded_header_is_read_as_rfc_7239_writes_it(value: str, expected: str | None) -> None:
    """The `for` pairs are the elements; one that is malformed ends the search, whatever stands left of it."""
    assert expected == resolve("Forwarded", PEER, (FORWARDED, value)).buyer


@pytest.mark.parametrize("source", ["X-Real-IP", "CF-Connecting-IP", "True-Client-IP"])
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([BUYER], BUYER),
        ([f" {BUYER6} "], BUYER6),
        ([f"1.1.1.1, {BUYER}"], None),
        ([BUYER, BUYER], None),
        ([], None),
        ([""], None),
        (["10.1.2.3"], None),
    ],
)
def test_single_value_header_holds_one_address(source: Source, values: list[str], expected: str | None) -> None:
    """Such a header is one address and no list; two of them are none."""
    assert expected == resolve(source, PEER, *((source, value) for value in values)).buyer


@pytest.mark.parametrize(
    ("source", "lines", "expected"),
    [
        ("X-Forwarded-For", [(XFF, "1.1.1.1"), (XFF, f"{BUYER}, 10.0.0.1")], BUYER),
        ("X-Forwarded-For", [(XFF, BUYER), (XFF, "10.0.0.1"), (XFF, "10.0.0.2")], BUYER),
        ("X-Forwarded-For", [(XFF, BUYER), (XFF, "")], None),
        ("Forwarded", [(FORWARDED, "for=1.1.1.1"), (FORWARDED, f"for={BUYER}")], BUYER),
        ("X-Forwarded-For", [(REAL, BUYER)], None),
        ("X-Forwarded-For", [(FORWARDED, f"for={BUYER}")], None),
        ("X-Forwarded-For", [("X_Forwarded_For", BUYER)], None),
        ("X-Forwarded-For", [("X-Forwarded_For", BUYER)], None),
        ("Forwarded", [(XFF, BUYER)], None),
        ("X-Real-IP", [(XFF, BUYER)], None),
        ("X-Real-IP", [("X_Real_IP", BUYER)], None),
        ("X-Forwarded-For", [(XFF, BUYER), (REAL, "1.1.1.1"), ("CF-Connecting-IP", "1.1.1.1")], BUYER),
    ],
)
def test_exactly_the_configured_header_counts(
    source: Source, lines: list[tuple[str, str]], expected: str | None
) -> None:
    """Its lines are one list in their order; other headers, and spellings with underscores, are not looked at."""
    assert expected == resolve(source, PEER, *lines).buyer


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        (STRANGER, STRANGER),
        ("::ffff:9.9.9.9", STRANGER),
        (BUYER6, BUYER6),
        ("192.168.1.5", None),
        (PEER, None),
        ("1.2.3.9", None),
        ("::ffff:127.0.0.1", None),
        ("fe80::1%eth0", None),
        (None, None),
        ("", None),
        ("/run/broker.sock", None),
    ],
)
def test_peer_alone(peer: str | None, expected: str | None) -> None:
    """Without forwarding the peer is the buyer, when it can be one."""
    assert expected == resolve("X-Forwarded-For", peer).buyer


def test_peer_mapped_into_ipv6_is_trusted_like_itself() -> None:
    """A dual-stack socket shows an IPv4 proxy as an IPv6 address; it is still that proxy."""
    assert BUYER == resolve("X-Forwarded-For", "::ffff:127.0.0.1", (XFF, BUYER)).buyer


def test_all_trusted_is_the_leftmost() -> None:
    """A request that never left our own network is of the proxy furthest away, and has no buyer's address."""
    found = resolve("X-Forwarded-For", PEER, (XFF, "10.0.0.1, 10.0.0.2"))

    assert ("10.0.0.1", "header", None) == (str(found.client), found.source, found.buyer)


def test_too_long_headers_are_counted() -> None:
    """Of a header beyond the limits the end alone is read, and a counter moves each time."""
    trust = trusting("X-Forwarded-For")
    before = REGISTRY.get_sample_value("checkout_client_address_refused_total") or 0
    for seen in (1, 2):
        found = asked_of(trust, PEER, (XFF, ", ".join(["10.9.9.9", *["10.0.0.1"] * 32])))

        assert ("10.0.0.1", "header", None) == (str(found.client), found.source, found.network)
        assert before + seen == REGISTRY.get_sample_value("checkout_client_address_refused_total")


def test_what_was_seen_before_changes_nothing() -> None:
    """Each request is judged by its own peer and header, in whatever order and however often they come."""
    trust = trusting("X-Forwarded-For")
    requests = [(peer, value) for peer in (PEER, STRANGER, "10.0.0.1", None) for value, _ in LISTS]
    for peer, value in [*requests, *reversed(requests)]:
        assert asked_of(trust, peer, (XFF, value)) == resolve("X-Forwarded-For", peer, (XFF, value))


HOSTILE = st.one_of(
    st.sampled_from(["1.1.1.1", "[::1]", "::ffff:1.1.1.1", "unknown", '"', "\\", ";", "for=1.1.1.1", "10.0.0.1", ""]),
    st.ip_addresses().map(str),
    st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=40),
)
TYPED = st.lists(HOSTILE, max_size=12)
PROXIES = st.lists(st.sampled_from(["10.0.0.1", "10.255.0.9", "1.2.3.7", "[2001:db8:aa::1]:80"]), max_size=4)
MANY = settings(max_examples=500, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@MANY
@given(TYPED, st.sampled_from([XFF, FORWARDED, REAL, "CF-Connecting-IP", "X_Forwarded_For"]), st.data())
def test_untrusted_peer_cannot_speak_for_another(typed: list[str], header: str, data: st.DataObject) -> None:
    """Whatever a stranger sends in whichever header, its own address is the client."""
    sources: list[Source] = ["X-Forwarded-For", "Forwarded", "X-Real-IP", "CF-Connecting-IP"]
    source = data.draw(st.sampled_from(sources))
    found = resolve(source, STRANGER, (header, ", ".join(typed)), (header, "".join(typed)))

    assert (STRANGER, "peer", False) == (found.buyer, found.source, found.trusted_peer)


@MANY
@given(TYPED, st.ip_addresses(), PROXIES)
def test_nothing_left_of_the_client_is_ever_taken(
    typed: list[str], client: ipaddress.IPv4Address | ipaddress.IPv6Address, proxies: list[str]
) -> None:
    """What a client typed before the proxy's own entry decides nothing, in lines of its own or in the proxy's.

    Not even that there is no answer: an address without a network would have no limit.
    """
    own = f"[{client}]" if client.version == 6 else str(client)
    bare = resolve("X-Forwarded-For", PEER, (XFF, ", ".join([own, *proxies]))).buyer
    listed = resolve("X-Forwarded-For", PEER, (XFF, ", ".join(typed)), (XFF, ", ".join([own, *proxies])))
    pairs = ", ".join(f'for="{one}"' for one in [own, *proxies])
    forwarded = resolve("Forwarded", PEER, (FORWARDED, ", ".join(typed)), (FORWARDED, pairs))
    joined = resolve("X-Forwarded-For", PEER, (XFF, ", ".join([*typed * 12, own, *proxies])))
    forwarded_joined = resolve("Forwarded", PEER, (FORWARDED, ", ".join([*typed * 12, pairs])))

    trusted = any(client.version == net.version and client in net for net in map(ipaddress.ip_network, TRUSTED))
    if not trusted:
        assert [bare] * 4 == [found.buyer for found in (listed, forwarded, joined, forwarded_joined)]
    assert bare is None or ipaddress.ip_address(bare).is_global


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1", "fe80::/64"),
        ("64:ff9b::c633:6407", "198.51.100.7"),  # a whole internet of IPv4 in one /64
        ("2002:c633:6407:1::1", "198.51.100.7"),  # 65,536 networks for one IPv4 address
    ],
)
def test_network_that_limits_count(address: str, network: str) -> None:
    """An IPv4 address, or the /64 of an IPv6 one; an IPv4 one inside IPv6 counts as itself."""
    assert network == network_of(ipaddress.ip_address(address))


def test_one_network_for_all_addresses_of_a_customer() -> None:
    """65,536 addresses of one /64 are one."""
    first = int(ipaddress.IPv6Address("2001:db8:7:7::"))

    assert {"2001:db8:7:7::/64"} == {network_of(ipaddress.IPv6Address(first + 2**48 * n)) for n in range(65_536)}


def test_network_of_whoever_asks() -> None:
    """It is the client's, public or not; a trusted proxy that names nobody has none."""
    assert "9.9.9.9" == resolve("X-Forwarded-For", STRANGER, (XFF, BUYER)).network
    assert BUYER == resolve("X-Forwarded-For", PEER, (XFF, BUYER)).network
    assert "192.168.1.9" == resolve("X-Forwarded-For", PEER, (XFF, "192.168.1.9")).network
    for lines in ((), ((XFF, "10.1.1.1"),), ((XFF, "junk"),), ((XFF, ""),)):
        assert None is resolve("X-Forwarded-For", PEER, *lines).network
    assert None is resolve("X-Forwarded-For", None).network
