"""Ten thousand headers by which a stranger would like to be somebody else."""

import random

from tests.fuzz.conftest import Send
from tests.fuzz.corpora import inputs
from tests.fuzz.targets.addresses import SOURCES, check, may_be_buyer, packed
from tests.support.config import CALLER_KEY
from tests.support.full import IN_FULL

SETS = 1_000_000 if IN_FULL else 10_000
THROUGH_THE_APPLICATION = 10_000 if IN_FULL else 1_000
STRANGER, BUYER, WANTED = "9.9.9.9", "8.8.4.4", "1.1.1.1"
NAMES = (
    *SOURCES,
    "X_Forwarded_For",
    "X-Forwarded_For",
    "X-Client-IP",
    "X-Forwarded",
    "Forwarded-For",
    "Via",
    "X-Forwarded-For ",
)
PIECES = (
    *(
        WANTED,
        f"[::ffff:{WANTED}]:1",
        f"::ffff:{WANTED}",
        f'"{WANTED}"',
        f"for={WANTED}",
        f'for="{WANTED}',
        "unknown",
        "",
        "_x",
    ),
    *(
        "10.0.0.1",
        "127.0.0.1",
        "[2001:db8:aa::1]",
        "for=10.0.0.1",
        '"',
        "\\",
        ";",
        ",",
        " ",
        "\t",
        "=",
        "\x00",
        "\xa0",
        "\xff",
    ),
    *("[", "]", ":80", "for=", "For=", "by=", "proto=https;", "1.2.3.4.5", "01.1.1.1", "%eth0", "a" * 5000, ",," * 40),
)
NASTY = [value for value in inputs("addresses").values() if b": " in value]
Headers = list[tuple[bytes, bytes]]


def spoofs(number: int) -> Headers:
    """What a stranger sends: some lines, of names and values that are more or less good."""
    luck = random.Random(number)  # noqa: S311  # no secret
    lines: Headers = []
    for _ in range(luck.randint(1, 4)):
        value = (
            luck.choice((", ", "", ",")).join(luck.choice(PIECES) for _ in range(luck.randint(1, 5))).encode("latin-1")
        )
        if luck.random() < 0.2:
            value = luck.choice(NASTY).split(b": ", 1)[1].partition(b"\n")[0]
        lines.append((luck.choice(NAMES).lower().encode(), value))
    return lines


def added(source: str, typed: Headers) -> Headers:
    """What a proxy makes of a stranger's headers: it appends the address that it saw, or sets its own header."""
    own = f"for={STRANGER}" if source == "Forwarded" else STRANGER
    name = source.lower().encode()
    if source not in ("X-Forwarded-For", "Forwarded"):
        return [line for line in typed if line[0] != name] + [(name, own.encode())]
    return [*typed, (name, own.encode())]


def test_no_stranger_is_believed() -> None:
    """Sent directly, a stranger is itself; through a proxy that appends what it saw, itself or nobody."""
    believed = []
    for number in range(SETS):
        typed, source = spoofs(number), SOURCES[number % len(SOURCES)]
        directly = check(source, STRANGER, typed)
        through = check(source, "127.0.0.1", added(source, typed))
        if directly.buyer != STRANGER or through.buyer not in (STRANGER, None):
            believed.append((source, typed, directly, through))

    assert [] == believed


def test_no_stranger_is_believed_by_the_application(send: Send) -> None:
    """The same through every layer: what the application itself says of the address it took."""
    wrong = []
    for number in range(THROUGH_THE_APPLICATION):
        headers = [*added("X-Forwarded-For", spoofs(number)), (b"authorization", f"Bearer {CALLER_KEY}".encode())]
        if sum(len(name) + len(value) for name, value in headers) > 30_000:
            continue
        answer = send("GET", "/internal/client-ip", headers=headers)
        if answer.status_code != 200 or answer.json()["address"] not in (STRANGER, "127.0.0.1"):
            wrong.append((headers, answer.text))

    assert [] == wrong


def test_spoofs_would_be_seen() -> None:
    """The control: whoever reads the leftmost element believes thousands of them."""
    firsts = [value.split(b",")[0].strip().decode("latin-1") for number in range(1_000) for _, value in spoofs(number)]

    assert sum(may_be_buyer(packed(first)) for first in firsts) > 100
    assert may_be_buyer(packed(BUYER))
