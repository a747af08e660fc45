"""A credential that cannot be printed, and the reference in the file that leads to it."""

import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec


class Secret:
    """Text that shows as `***` wherever it is printed; `reveal()` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def reveal(self) -> str:
        """The text itself, for the one place that sends or compares it."""
        return self._value


class SecretReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`{ env = "NAME" }` or `{ file = "/run/secrets/x" }`: exactly one of the two."""

    env: str | None = None
    file: str | None = None


class UnusableSecretError(Exception):
    """A secret cannot be had; the text says how to mend it and never holds any of the secret."""


def read_secret(reference: SecretReference, environ: Mapping[str, str], warn: Callable[[str], None]) -> Secret:
    """Follow a reference. One trailing line end is dropped, as editors add it; `warn` is told what is unwise.

    Raises:
        UnusableSecretError: the variable or file is missing, empty, unreadable or open to every writer.
    """
    if (reference.env is None) == (reference.file is None):
        raise UnusableSecretError('name exactly one source: { env = "NAME" } or { file = "/path" }')
    if reference.env is not None:
        value = _without_line_end(environ.get(reference.env, ""))
        if not value:
            raise UnusableSecretError(f"the environment variable {reference.env} is missing or empty: set it")
        if any("\ud800" <= one <= "\udfff" for one in value):  # how Python shows bytes that are no UTF-8
            raise UnusableSecretError(f"the environment variable {reference.env} is not text: write it in UTF-8")
        return Secret(value)
    return read_file(Path(str(reference.file)), warn)


def read_file(path: Path, warn: Callable[[str], None]) -> Secret:
    """The text of a file, without one trailing line end.

    Raises:
        UnusableSecretError: it is missing, empty, unreadable or open to every writer.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise UnusableSecretError(f"{path} cannot be read: it is no regular file")
        value = _without_line_end(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnusableSecretError(f"{path} cannot be read ({error.strerror}): mend the path or its rights") from error
    except ValueError as error:  # not UTF-8, or no path at all
        raise UnusableSecretError(f"{path} cannot be read as text: write it in UTF-8") from error
    if mode & stat.S_IWOTH:
        raise UnusableSecretError(f"every user may write {path}: run `chmod o-w {path}`")
    if mode & stat.S_IROTH:
        warn(f"every user may read {path}: run `chmod o-r {path}`")
    if not value:
        raise UnusableSecretError(f"{path} is empty: write into it what belongs there")
    return Secret(value)


def _without_line_end(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")
