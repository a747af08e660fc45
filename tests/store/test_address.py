"""Each form of the store's URL is understood; any other is refused with the form that it should have."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.store.address import StoreAddress, parse_address

REDIS = ("localhost", 6379)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("embedded://", StoreAddress(scheme="embedded")),
        ("embedded:///var/lib/checkout", StoreAddress(scheme="embedded", path="/var/lib/checkout")),
        ("unix:///run/redis.sock", StoreAddress(scheme="unix", path="/run/redis.sock")),
        ("redis://localhost", StoreAddress(scheme="redis", hosts=(REDIS,))),
        ("redis://localhost/", StoreAddress(scheme="redis", hosts=(REDIS,))),
        ("redis://[::1]:7000/3", StoreAddress(scheme="redis", hosts=(("::1", 7000),), database=3)),
        ("rediss://redis.example:6380/2", StoreAddress(scheme="rediss", hosts=(("redis.example", 6380),), database=2)),
        (
            "redis+sentinel://h1:1,h2/main",
            StoreAddress(scheme="redis+sentinel", hosts=(("h1", 1), ("h2", 26379)), master="main"),
        ),
        (
            "redis+sentinel://h1/main/4",
            StoreAddress(scheme="redis+sentinel", hosts=(("h1", 26379),), master="main", database=4),
        ),
        ("redis+cluster://h1:1,h2", StoreAddress(scheme="redis+cluster", hosts=(("h1", 1), ("h2", 6379)))),
    ],
)
def test_forms(url: str, expected: StoreAddress) -> None:
    """Ports and database have their usual defaults."""
    assert expected == parse_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "embedded://relative/path",
        "unix://",
        "unix://relative.sock",
        "redis://",
        "redis://:6379",
        "redis://h:port",
        "redis://h:99999",
        "redis://h/x",
        "redis://h/-1",
        "redis://h/1/2",
        "redis://h1,h2",
        "redis://h?password=hunter2",
        "redis://h#hunter2",
        "redis://[::1",
        "redis+sentinel://h",
        "redis+sentinel://h/",
        "redis+sentinel:///main",
        "redis+sentinel://h/main/db",
        "redis+cluster://",
        "redis+cluster://h1,,h2",
        "redis+cluster://h/0",
    ],
)
def test_other_forms(url: str) -> None:
    """The fault shows the right form of this kind, and repeats nothing of the URL."""
    with pytest.raises(ValueError, match=r"^must look like ") as caught:
        parse_address(url)

    assert url.partition("://")[0] in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "redis", "redis:localhost", "http://localhost", "localhost:6379", "REDIS://h"])
def test_other_kinds(url: str) -> None:
    """What is no kind of store is answered with the kinds there are."""
    with pytest.raises(ValueError, match=r"^must begin with one of embedded://, redis://, rediss://, unix://, "):
        parse_address(url)


@pytest.mark.parametrize("url", ["redis://user:hunter2@h", "redis://:hunter2@h", "redis://u:hun/ter2@h", "hunter2@h"])
def test_credentials_are_for_references(url: str) -> None:
    """A password in the URL is refused and not repeated."""
    with pytest.raises(ValueError, match=r"^holds credentials: give them as `username` and `password` references$"):
        parse_address(url)


PIECES = st.sampled_from(
    ["redis", "embedded", "redis+cluster", "://", ":", "/", ",", "[", "]", "h", "1", "?", "%", "\n"]
)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(st.lists(PIECES | st.text(max_size=2), max_size=9).map("".join))
def test_any_text(url: str) -> None:
    """Whatever is given, it is understood or refused in words."""
    assert outcome(url).startswith(("must ", "holds ", "an address"))


def outcome(url: str) -> str:
    """What becomes of a URL, in words."""
    try:
        address = parse_address(url)
    except ValueError as error:
        return str(error)
    return "an address" if address.hosts or address.scheme in {"embedded", "unix"} else "nothing"
