"""The matrix of upstream faults: how each is made, how it is proved, what is documented for it. And a matrix's page."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

PROBLEM_COLUMNS = ("create (browser)", "create (caller)")
COLUMNS = (*PROBLEM_COLUMNS, "re-use of a session", "record of a session", "readiness")


class Fault(Struct, frozen=True, kw_only=True):
    """A row: the sandbox's `kind` with its `options` (None: nothing listens), what a direct call meets then, and ours.

    `seen` is the status of the direct call and what is wrong with its success, or the name of its failure.
    """

    kind: str | None
    seen: str
    problem: str
    cause: str = ""
    retry_after: bool = False
    fallback: bool = True
    known: bool = True
    options: dict[str, object] = {}

    def documented(self) -> dict[str, str]:
        """What every column must be; a row whose provider never worked has no session yet."""
        extras = (" + retryAfter" if self.retry_after else "") + (" + fallbackUrl" if self.fallback else "")
        create = f"{self.problem}{extras}"
        others = ("200, the same session", "200") if self.known else ("-", "-")
        return dict(zip(COLUMNS, (create, create, *others, "200"), strict=True))


UNAVAILABLE, INVALID, MISMATCH = "503 upstream-unavailable", "502 upstream-invalid", "502 upstream-mismatch"
FAULTS: Mapping[str, Fault] = {
    "refuses connections": Fault(kind=None, seen="ConnectError", problem=UNAVAILABLE, cause="ConnectError"),
    "accepts and is silent": Fault(
        kind="silent", seen="ReadTimeout", problem="504 upstream-timeout", cause="ReadTimeout"
    ),
    "answers too slowly": Fault(
        kind="slow",
        options={"seconds": 3},
        seen="ReadTimeout",
        problem="504 upstream-timeout",
        cause="ReadTimeout",
    ),
    "resets": Fault(kind="reset", seen="ReadError", problem=UNAVAILABLE, cause="ReadError"),
    "breaks off within the answer": Fault(
        kind="truncated", seen="RemoteProtocolError", problem=INVALID, cause="RemoteProtocolError"
    ),
    "500": Fault(kind="error_500", seen="500", problem=UNAVAILABLE),
    "503 with Retry-After": Fault(
        kind="unavailable_503", options={"retryAfter": 30}, seen="503", problem=UNAVAILABLE, retry_after=True
    ),
    "429 with Retry-After": Fault(
        kind="too_many", options={"retryAfter": 30}, seen="429", problem="503 upstream-throttled", retry_after=True
    ),
    "404 on a path that worked": Fault(kind="throttled_404", seen="404", problem="503 upstream-throttled"),
    "404 on a path that never worked": Fault(
        kind="throttled_404", seen="404", problem="502 upstream-misconfigured", known=False
    ),
    "401 of credentials that work": Fault(
        kind="unauthorized", seen="401", problem="422 upstream-rejected", fallback=False
    ),
    "401 of credentials that never worked": Fault(
        kind="unauthorized", seen="401", problem="502 upstream-credentials", known=False
    ),
    "403": Fault(kind="forbidden", seen="403", problem="502 upstream-credentials"),
    "a page with 201": Fault(kind="html", seen="201 no JSON by its type", problem=INVALID, cause="DecodeError"),
    "JSON that is cut": Fault(kind="cut_json", seen="201 no JSON", problem=INVALID, cause="DecodeError"),
    "an answer too large": Fault(kind="too_large", options={"mebibytes": 1}, seen="201 too large", problem=INVALID),
    "a redirect": Fault(kind="redirect", seen="302", problem=INVALID),
    "a session in the wrong mode": Fault(kind="wrong_live", seen="201 but live", problem=MISMATCH),
    "another quantity": Fault(kind="wrong_quantity", seen="201 but quantity", problem=MISMATCH),
    "a tag that is missing": Fault(kind="missing_tag", seen="201 but tags", problem=MISMATCH),
    "an address on a foreign host": Fault(kind="foreign_url", seen="201 but address", problem=MISMATCH),
}


def page(title: str, test: str, notes: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The page of a matrix."""
    lines = "\n".join("| " + " | ".join(row) + " |" for row in [header, ["-" * 3] * len(header), *rows])
    return (
        f"# {title}\n\n"
        f"Made by `tests/faults/{test}` from what the service did; `WRITE_MATRIX=1` writes it anew.\n"
        f"{notes}\n\n"
        f"{lines}\n"
    )


def hold(written: str, file: Path) -> None:
    """A committed page says what was seen; it is written anew where that is asked for."""
    if os.environ.get("WRITE_MATRIX"):
        file.write_text(written)
    assert written == file.read_text()
