"""The matrix of store faults: how each is made, how it is proved, and what is documented for it."""

from collections.abc import Mapping

from msgspec import Struct

from tests.faults import store_faults as make
from tests.faults.store_faults import Maker

COLUMNS = ("create (browser)", "replay · re-use", "create · record (caller)", "webhook", "readiness")
KIND, LEFT_ALONE = "counted as", "is left alone"
LOST = "201, another session · 201, another session"
KEPT = "200, replayed · 200, the same session"
DOWN = "201 · 503 store-required"
CALM = "-"


class StoreFault(Struct, frozen=True, kw_only=True):
    """A row. `met` is what a direct script meets, on a connection from before the fault and on a new one.

    `kind` is how the metric names it; a store that is left alone is not asked again until it answers a probe.
    """

    make: Maker
    met: tuple[str, str]
    kind: str = CALM
    left_alone: bool = False
    repeats: str = LOST
    internal: str = DOWN

    def documented(self) -> dict[str, str]:
        """What every column must be."""
        cells = ("201", self.repeats, self.internal, "404", "200")
        others = {KIND: self.kind, LEFT_ALONE: "yes" if self.left_alone else "no"}
        return dict(zip(COLUMNS, cells, strict=True)) | others


def _alike(word: str) -> tuple[str, str]:
    return word, word


FAULTS: Mapping[str, StoreFault] = {
    "refuses connections": StoreFault(
        make=make.refused, met=_alike("ConnectionError"), kind="ConnectionError", left_alone=True
    ),
    "accepts and is silent": StoreFault(
        make=make.silent, met=_alike("TimeoutError"), kind="TimeoutError", left_alone=True
    ),
    "200 ms slower": StoreFault(make=make.slow, met=_alike("TimeoutError"), kind="TimeoutError", left_alone=True),
    "resets": StoreFault(make=make.resets, met=_alike("ConnectionError"), kind="ConnectionError", left_alone=True),
    "killed, and back with its data": StoreFault(
        make=make.killed_and_back, met=("ConnectionError", "as before"), repeats=KEPT, internal="201 · 200"
    ),
    "LOADING": StoreFault(
        make=make.loading,
        met=("ConnectionError", "BusyLoadingError"),
        kind="BusyLoadingError",
        left_alone=True,
    ),
    "BUSY": StoreFault(make=make.busy, met=_alike("BUSY"), kind="BUSY"),
    "OOM": StoreFault(
        make=make.out_of_memory,
        met=_alike("OutOfMemoryError"),
        kind="OutOfMemoryError",
        repeats=KEPT,
        internal="201 · 200",
    ),
    "READONLY": StoreFault(
        make=make.read_only, met=_alike("ReadOnlyError"), kind="ReadOnlyError", repeats=KEPT, internal="201 · 200"
    ),
    "MASTERDOWN": StoreFault(make=make.no_primary, met=_alike("MasterDownError"), kind="MasterDownError"),
    "NOREPLICAS": StoreFault(
        make=make.no_replicas, met=_alike("NOREPLICAS"), kind="NOREPLICAS", repeats=KEPT, internal="201 · 200"
    ),
    "MISCONF": StoreFault(
        make=make.cannot_save, met=_alike("MISCONF"), kind="MISCONF", repeats=KEPT, internal="201 · 200"
    ),
    "CLUSTERDOWN": StoreFault(make=make.no_slots, met=("ConnectionError", "ClusterDownError"), kind="ClusterDownError"),
    "NOAUTH": StoreFault(
        make=make.password_wanted,
        met=("ConnectionError", "AuthenticationError"),
        kind="AuthenticationError",
        left_alone=True,
    ),
    "NOPERM": StoreFault(
        make=make.not_allowed, met=_alike("NoPermissionError"), kind="NoPermissionError", internal="201 · 200"
    ),
    "too many clients": StoreFault(
        make=make.full, met=_alike("ConnectionError"), kind="ConnectionError", left_alone=True
    ),
    "WRONGTYPE": StoreFault(make=make.wrong_types, met=_alike("WRONGTYPE"), kind="WRONGTYPE"),
    "garbage": StoreFault(
        make=make.garbage, met=_alike("something else there"), kind="unreadable", internal="201 · 404"
    ),
    "flushed": StoreFault(make=make.flushed, met=_alike("nothing there"), internal="201 · 404"),
}
