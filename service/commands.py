"""What the commands do, apart from reading their arguments."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from service.config.reader import is_inert, join
from service.settings import ConfigurationError, Loaded, Settings, load_settings

_INVALID = 2


def check(environ: Mapping[str, str]) -> int:
    """Print what is in force, secrets masked, and every warning; or every fault. Status 0 or 2."""
    try:
        loaded = load_settings(environ)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return _INVALID
    lines = [*describe(loaded.settings)]
    lines += [f"warning: {note}" for note in loaded.warnings]
    lines += [f"no effect yet: {key}" for key in loaded.inert]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def load_or_exit(environ: Mapping[str, str]) -> Loaded:
    """The configuration; ends the process with status 2 after printing every fault."""
    try:
        return load_settings(environ)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(_INVALID) from error


def describe(settings: Settings) -> Iterator[str]:
    """Every key in force as `path = value`, with `"***"` for secrets, and a word at those without an effect yet."""
    yield from _lines("", settings)


def _lines(path: str, value: object) -> Iterator[str]:
    if isinstance(value, msgspec.Struct):
        for field in msgspec.structs.fields(value):
            suffix = "  (no effect yet)" if is_inert(field.type) else ""
            for line in _lines(join(path, field.name), getattr(value, field.name)):
                yield line + suffix
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _lines(join(path, name), one)
    elif isinstance(value, tuple) and any(isinstance(one, msgspec.Struct) for one in value):
        for index, one in enumerate(value):
            yield from _lines(f"{path}[{index}]", one)
    elif value is not None:
        # A secret's representation is its mask.
        yield f"{path} = {msgspec.json.encode(value, enc_hook=repr).decode()}"


def openapi(target: Path, *, compare: bool) -> int:
    """Write the OpenAPI document, or compare it with what is there. Status 0, or 1 when they differ."""
    from litestar import Litestar  # noqa: PLC0415  # the application is not needed by other commands

    from service.api.openapi import document_of  # noqa: PLC0415  # as above
    from service.app import ROUTES  # noqa: PLC0415  # as above

    text = (
        json.dumps(
            document_of(Litestar(ROUTES, openapi_config=None, logging_config=None)), indent=2, ensure_ascii=False
        )
        + "\n"
    )
    if not compare:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return 0
    if target.is_file() and target.read_bytes() == text.encode():
        return 0
    sys.stderr.write(f"{target} is not what the code says: run `python -m service openapi` and commit it\n")
    return 1
