"""What a fault proxy can do to a connection, in the words of Toxiproxy."""

from typing import Literal

from msgspec import Struct

Stream = Literal["upstream", "downstream"]


class Toxic(Struct, frozen=True, kw_only=True):
    """One fault: on what goes to the server (upstream) or comes from it, for this share of the connections."""

    stream: Stream = "downstream"
    toxicity: float = 1.0


class Latency(Toxic, frozen=True, kw_only=True):
    """Everything is later by this much, give or take the jitter; nothing gets slower."""

    latency_ms: float
    jitter_ms: float = 0.0


class Bandwidth(Toxic, frozen=True, kw_only=True):
    """So many thousand bytes a second."""

    rate_kb: float


class SlowClose(Toxic, frozen=True, kw_only=True):
    """An end is passed on only after this long."""

    delay_ms: float


class Timeout(Toxic, frozen=True, kw_only=True):
    """Whatever comes is thrown away; after this long the connection is closed, with 0 never."""

    timeout_ms: float = 0.0


class ResetPeer(Toxic, frozen=True, kw_only=True):
    """After this long both sides are told that the connection is broken (RST)."""

    timeout_ms: float = 0.0


class Slicer(Toxic, frozen=True, kw_only=True):
    """Bytes come in small slices, with a pause before each."""

    average_size: int
    size_variation: int = 0
    delay_ms: float = 0.0


class LimitData(Toxic, frozen=True, kw_only=True):
    """The connection is closed after so many bytes."""

    bytes: int
